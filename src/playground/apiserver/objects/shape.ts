/**
 * Reading values that anybody may have sent.
 * @module
 */

/** An object that is no array. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at a dotted path; an empty one where there is none. */
export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  const found = valueAt(value, ...path)
  return isFields(found) ? found : {}
}

/** The value at a path, of own fields alone. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const step of path) {
    if (!isFields(at) || !Object.hasOwn(at, step)) return undefined
    at = at[step]
  }
  return at
}

/** A copy with the value at this path; undefined removes it. */
export function withValue(value: unknown, path: readonly string[], to: unknown): Fields {
  const [step, ...rest] = path
  const fields = isFields(value) ? value : {}
  if (step === undefined) return fields
  const { [step]: inner, ...others } = fields
  const next = rest.length === 0 ? to : withValue(inner, rest, to)
  return next === undefined ? others : { ...fields, [step]: next }
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'string' ? found : undefined
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'number' ? found : undefined
}

export function arrayAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found : []
}
