/**
 * The directives that stand among the fields of a strategic merge patch.
 * @module
 */
import { badRequest } from '../http/status.ts'
import { type Fields, isFields, isSame, own } from './json.ts'

/** A patch of one object, taken apart. */
export interface Directives {
  readonly fields: Fields
  readonly patch: 'merge' | 'replace' | 'delete'
  /** The fields that remain; undefined: all. */
  readonly retainKeys: ReadonlySet<unknown> | undefined
  /** Values to remove from lists. */
  readonly removed: ReadonlyMap<string, readonly unknown[]>
  /** The order of lists: values, or objects that hold the merge key. */
  readonly orders: ReadonlyMap<string, readonly unknown[]>
}

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const REMOVE = '$deleteFromPrimitiveList/'
const ORDER = '$setElementOrder/'

/** Tells directives from fields. Throws 400 for a wrong directive. */
export function directivesOf(patch: Fields): Directives {
  const entries = Object.entries(patch)
  const fields = Object.fromEntries(entries.filter(([key]) => !isDirective(key)))
  const retainKeys = retained(own(patch, RETAIN_KEYS), fields)
  return {
    fields,
    patch: kindOf(own(patch, PATCH)),
    retainKeys,
    removed: lists(entries, REMOVE),
    orders: lists(entries, ORDER),
  }
}

/** What a list's item asks for; an item without a directive is merged. */
export function kindOf(value: unknown): Directives['patch'] {
  if (value === undefined) return 'merge'
  if (value === 'merge' || value === 'replace' || value === 'delete') return value
  throw badRequest(`unknown patch type: ${JSON.stringify(value)}; it is merge, replace or delete`)
}

/** A list's item without its directive. */
export function itemKind(item: unknown): Directives['patch'] {
  return isFields(item) ? kindOf(own(item, PATCH)) : 'merge'
}

function isDirective(key: string): boolean {
  return key === PATCH || key === RETAIN_KEYS || key.startsWith(REMOVE) || key.startsWith(ORDER)
}

function retained(keys: unknown, fields: Fields): ReadonlySet<unknown> | undefined {
  if (keys === undefined) return undefined
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys: it is a list of fields')
  const lost = Object.entries(fields).find(([key, value]) => value !== null && !keys.includes(key))
  if (lost !== undefined)
    throw badRequest(`invalid patch format of retainKeys: it leaves out "${lost[0]}", which is set`)
  return new Set(keys)
}

function lists(
  entries: readonly (readonly [string, unknown])[],
  prefix: string,
): ReadonlyMap<string, readonly unknown[]> {
  const found = new Map<string, readonly unknown[]>()
  for (const [key, value] of entries) {
    if (!key.startsWith(prefix)) continue
    if (!Array.isArray(value)) throw badRequest(`invalid patch format of ${prefix.slice(1, -1)}: it is a list`)
    found.set(key.slice(prefix.length), value)
  }
  return found
}

/** Throws 400 when what is set does not come in the order that the patch asks for. */
export function checkOrder(set: readonly unknown[], order: readonly unknown[]): void {
  let next = 0
  for (const identity of set) {
    while (next < order.length && !isSame(order[next], identity)) next += 1
    if (next === order.length)
      throw badRequest("the order in the patch's list does not match its $setElementOrder list")
  }
}
