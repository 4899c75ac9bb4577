/**
 * Reading what came from the API: nothing in it is taken for granted.
 * @module
 */

export type Fields = Readonly<Record<string, unknown>>

/** The members of an object; none for anything else. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function texts(value: unknown): readonly string[] {
  return list(value).filter((each) => typeof each === 'string')
}

/** A whole number within bounds, or what stands for it. */
export function whole(value: unknown, fallback: number, least = 0, most = 2 ** 31 - 1): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : fallback
}

/** A map of texts. */
export function textMap(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Milliseconds since 1970 of a time as the API writes it. */
export function time(value: unknown): number | undefined {
  const at = Date.parse(text(value) ?? '')
  return Number.isNaN(at) ? undefined : at
}

/** A time as the API writes it: whole seconds. */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
