/**
 * Reading objects that others wrote: nothing about their shape is taken for granted, and nothing in them throws.
 * @module
 */

/** What is at a path of anything at all; undefined where the path leads nowhere, and for `null`. */
export function at(input: unknown, ...path: readonly string[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value ?? undefined
}

/** The text at a path, unless it is empty or no text. */
export function textAt(input: unknown, ...path: readonly string[]): string | undefined {
  const value = at(input, ...path)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The list at a path; an empty one where there is none. */
export function listAt(input: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(input, ...path)
  return Array.isArray(value) ? value : []
}

/** The name in an object's metadata. */
export function nameOf(object: unknown): string | undefined {
  return textAt(object, 'metadata', 'name')
}

/** `<namespace>/<name>` of an object; undefined where one of them is missing. */
export function qualifiedNameOf(object: unknown): string | undefined {
  const namespace = textAt(object, 'metadata', 'namespace')
  const name = nameOf(object)
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

/** An annotation, which may be empty. */
export function annotationOf(object: unknown, key: string): string | undefined {
  const value = at(object, 'metadata', 'annotations', key)
  return typeof value === 'string' ? value : undefined
}

/** An object's labels; undefined where it has none. */
export function labelsIn(object: unknown): unknown {
  const labels = at(object, 'metadata', 'labels')
  return Object.keys(Object(labels)).length === 0 ? undefined : labels
}

/** An object's field under a key, or no field at all. */
export function optionalField<K extends string, T>(
  key: K,
  value: T | undefined,
): { readonly [P in K]?: Exclude<T, undefined> } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: Exclude<T, undefined> }
}
