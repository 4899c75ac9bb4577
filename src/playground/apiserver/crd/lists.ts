/**
 * Lists that are sets, or maps by some of their items' fields: nothing stands in them twice.
 * @module
 */
import type { Cause } from '../http/status.ts'
import { duplicate } from '../objects/causes.ts'
import { isFields } from '../objects/shape.ts'
import type { Schema } from './schema.ts'

/** What stands twice in a list, or in any list within. */
export function repeatedItems(value: unknown, schema: Schema, path: string): readonly Cause[] {
  if (Array.isArray(value)) {
    const { items } = schema
    const below =
      items === undefined ? [] : value.flatMap((item, index) => repeatedItems(item, items, `${path}[${index}]`))
    return [...ownRepetitions(value, schema, path), ...below]
  }
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const below = schema.properties.get(name) ?? schema.additional
    return below === undefined ? [] : repeatedItems(inner, below, path === '' ? name : `${path}.${name}`)
  })
}

function ownRepetitions(items: readonly unknown[], { list }: Schema, path: string): readonly Cause[] {
  if (list === undefined) return []
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    const key = list.type === 'set' ? item : keyOf(item, list.keys)
    const text = canonical(key)
    if (seen.has(text)) return [duplicate(`${path}[${index}]`, key)]
    seen.add(text)
    return []
  })
}

/** What tells an item of a list that is a map from the others. */
export function keyOf(item: unknown, keys: readonly string[]): unknown {
  if (!isFields(item)) return item
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(item, key) ? [[key, item[key]]] : [])))
}

/** Whether two JSON values are the same; the order of fields does not count. */
export function sameValue(one: unknown, other: unknown): boolean {
  return one === other || canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isFields(value)) return JSON.stringify(value) ?? 'null'
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}
