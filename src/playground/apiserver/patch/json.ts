/**
 * Values as JSON has them. Fields are read as an object's own only, and written as such: `__proto__` is a name.
 * @module
 */

/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether a value is an object of JSON: no list, not null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field that the object itself has; undefined otherwise. */
export function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined
}

/** The object with one field set. */
export function withField(fields: Fields, key: string, value: unknown): Fields {
  return { ...fields, [key]: value }
}

/** The object without one field. */
export function withoutField(fields: Fields, key: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key))
}

const DEEPEST = 200

/** Whether a value is nested so deeply that a recursive walk could run out of stack. */
export function isDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; depth <= DEEPEST; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
    if (level.length === 0) return false
  }
  return true
}

/** Whether two values are the same JSON; the order of fields does not matter. */
export function isSame(left: unknown, right: unknown): boolean {
  return Bun.deepEquals(left, right, true)
}
