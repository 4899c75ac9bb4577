/**
 * Kubernetes' strategic merge patches: merge patches that know which lists are joined, and by what.
 * Source of the rules: the API's documentation of the directives; of the doubts: a kube-apiserver 1.32, asked.
 * @module
 */
import { type Directives, directivesOf } from './directives.ts'
import { type Fields, isFields, own } from './json.ts'
import { mergeList } from './strategic-list.ts'
import { mergingOf, type Schema, under } from './strategy.ts'

/** Throws ApiError: 400 for a wrong directive, 422 for a list's item that says not which it is. */
export function applyStrategicPatch(target: unknown, patch: Fields, schema: Schema): unknown {
  return mergeFields(isFields(target) ? target : {}, patch, schema)
}

/** Joins two objects as the patch's directives say. */
function mergeFields(target: Fields, patch: Fields, schema: Schema | undefined): Fields {
  const directives = directivesOf(patch)
  if (directives.patch === 'delete') return {}
  const base = directives.patch === 'replace' ? {} : retained(target, directives)
  const merged = new Map<string, unknown>(Object.entries(base))
  for (const key of keysOf(directives)) {
    const value = mergeField(base, key, directives, schema)
    if (value === undefined) merged.delete(key)
    else merged.set(key, value)
  }
  return Object.fromEntries(merged)
}

/** Directives about a list may stand without the list. */
function keysOf({ fields, removed, orders }: Directives): ReadonlySet<string> {
  return new Set([...Object.keys(fields), ...removed.keys(), ...orders.keys()])
}

function mergeField(target: Fields, key: string, directives: Directives, schema: Schema | undefined): unknown {
  const before = own(target, key)
  const given = own(directives.fields, key)
  const property = under(schema, key)
  if (given === null) return undefined
  const merging = mergingOf(property)
  const isListed = directives.removed.has(key) || directives.orders.has(key)
  if (Array.isArray(given) || (isListed && given === undefined)) {
    if (given === undefined && !Array.isArray(before)) return before
    const next = Array.isArray(given) ? given : []
    if (!merging.isMerged) return given === undefined ? before : next
    const items = Array.isArray(before) ? before : []
    const hints = { key: merging.key, removed: directives.removed.get(key), order: directives.orders.get(key) }
    return mergeList(items, next, hints, (item, change) => mergeFields(item, change, under(property, 'items')))
  }
  if (!isFields(given)) return given
  return mergeFields(isFields(before) ? before : {}, given, property)
}

function retained(target: Fields, { retainKeys }: Directives): Fields {
  if (retainKeys === undefined) return target
  return Object.fromEntries(Object.entries(target).filter(([key]) => retainKeys.has(key)))
}
