/** How far an address or a route reaches (rtnetlink's RT_SCOPE_ numbers). */
export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere'

const numbers: Readonly<Record<Scope, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 }

export function scopeNumber(scope: Scope): number {
  return numbers[scope]
}

/** Numbers without a name of their own count as global. */
export function scopeOf(number: number): Scope {
  for (const [scope, value] of Object.entries(numbers)) if (value === number) return scope as Scope
  return 'global'
}
