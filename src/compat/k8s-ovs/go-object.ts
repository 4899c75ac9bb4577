/**
 * JSON objects as Go's encoding/json reads and writes them: the case of a key makes no difference, of keys that mean the same
 * the last counts, `null` leaves what was said before, and keys that nobody knows are passed over. What others keep in an object stays in it.
 * @module
 */

/** A JSON object. */
export type GoObject = Readonly<Record<string, unknown>>

/** What is nested deeper than this is no record: whoever prints or writes it again would run out of stack. */
const MAX_DEPTH = 64

/** The object in a text; undefined when it is none. */
export function parseGoObject(text: string): GoObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject && isWithin(parsed, MAX_DEPTH) ? (parsed as GoObject) : undefined
  } catch {
    return undefined
  }
}

/** A field: of all keys that are its name or differ from it by case alone, the last that is not `null`. */
export function field(object: GoObject, name: string): unknown {
  const lower = name.toLowerCase()
  const isMeant = ([key, value]: readonly [string, unknown]): boolean => value !== null && key.toLowerCase() === lower
  return Object.entries(object).findLast(isMeant)?.[1]
}

/** A field that is an object. */
export function objectField(object: GoObject, name: string): GoObject | undefined {
  const value = field(object, name)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as GoObject) : undefined
}

/** A field that is text; empty where there is none. */
export function textField(object: GoObject, name: string): string {
  const value = field(object, name)
  return typeof value === 'string' ? value : ''
}

/**
 * An object as text: these fields in this order, without those that are undefined, then what else was in `before`. A
 * field that is undefined is taken away.
 */
export function rewritten(fields: GoObject, before: GoObject | undefined): string {
  const ours = new Set(Object.keys(fields).map((name) => name.toLowerCase()))
  const others = Object.entries(before ?? {}).filter(([name]) => !ours.has(name.toLowerCase()))
  return JSON.stringify(Object.fromEntries([...Object.entries(fields), ...others]))
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isWithin(inner, depth - 1))
}
