/**
 * One text per value, and short names made from it.
 * @module
 */

/** JSON with sorted keys and without fields that are undefined: equal values give equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`
}

/** Whether two values say the same. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

/** A short text for a value, of letters that spell no words: `length` of 27 (FNV-1a of 64 bits). */
export function shortHash(value: unknown, length: number): string {
  let hash = FNV_OFFSET
  for (const byte of new TextEncoder().encode(canonical(value))) {
    hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK
  }
  let name = ''
  for (let i = 0; i < length; i++) {
    name += LETTERS[Number(hash % BigInt(LETTERS.length))]
    hash /= BigInt(LETTERS.length)
  }
  return name
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'
const FNV_OFFSET = 0xcbf29ce484222325n
const FNV_PRIME = 0x100000001b3n
const MASK = (1n << 64n) - 1n
