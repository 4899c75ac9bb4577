/**
 * Lists that a strategic merge patch joins.
 * @module
 */
import { ApiError } from '../contract.ts'
import { checkOrder, itemKind } from './directives.ts'
import { type Fields, isFields, own } from './json.ts'

/** What is known of the list. */
export interface ListHints {
  /** The field that tells its items apart; undefined for plain values. */
  readonly key: string | undefined
  readonly removed: readonly unknown[] | undefined
  readonly order: readonly unknown[] | undefined
}

type MergeItem = (item: Fields, change: Fields) => Fields

/**
 * The list after the patch. What the patch names stands in the order in which it is named; the rest keeps its place
 * before what followed it, so that something new comes first unless an order says otherwise, as in Kubernetes.
 */
export function mergeList(
  before: readonly unknown[],
  patch: readonly unknown[],
  { key, removed, order }: ListHints,
  merge: MergeItem,
): readonly unknown[] {
  if (patch.some((item) => itemKind(item) === 'replace')) return replaced(patch, merge)
  const identify = identifier(key)
  const gone = new Set([...(removed ?? []), ...patch.filter((item) => itemKind(item) === 'delete').map(identify)])
  const set = patch.filter((item) => itemKind(item) !== 'delete')
  const kept = before.filter((item) => !gone.has(identify(item)))
  const merged = key === undefined ? union(kept, set) : joined(kept, set, identify, merge)
  const wanted = (order ?? set).map(identify)
  if (order !== undefined) checkOrder(set.map(identify), wanted)
  return ordered(merged, wanted, before.map(identify), identify)
}

type Identify = (item: unknown) => unknown

function identifier(key: string | undefined): Identify {
  if (key === undefined) return (item) => item
  return (item) => {
    const identity = isFields(item) ? own(item, key) : undefined
    if (identity === undefined) throw new ApiError(422, 'Invalid', `an item of a list has no ${key} to merge it by`, {})
    return identity
  }
}

/** The item that asks for it is not part of the list. */
function replaced(patch: readonly unknown[], merge: MergeItem): readonly unknown[] {
  return patch.filter((item) => itemKind(item) !== 'replace').map((item) => (isFields(item) ? merge({}, item) : item))
}

function union(kept: readonly unknown[], set: readonly unknown[]): readonly unknown[] {
  return [...new Set([...kept, ...set])]
}

function joined(kept: readonly unknown[], set: readonly unknown[], identify: Identify, merge: MergeItem): unknown[] {
  const items = new Map<unknown, unknown[]>()
  for (const item of kept) items.set(identify(item), [...(items.get(identify(item)) ?? []), item])
  for (const change of set) {
    const [first, ...others] = items.get(identify(change)) ?? []
    items.set(identify(change), [merge(isFields(first) ? first : {}, isFields(change) ? change : {}), ...others])
  }
  return [...items.values()].flat()
}

/**
 * Puts the items that the order names into that order; the others stay where they were relative to those that were
 * there before.
 */
function ordered(
  items: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  identify: Identify,
): readonly unknown[] {
  const rank = new Map(wanted.map((identity, index) => [identity, index]))
  const named = items
    .filter((item) => rank.has(identify(item)))
    .sort((left, right) => (rank.get(identify(left)) ?? 0) - (rank.get(identify(right)) ?? 0))
  const others = items.filter((item) => !rank.has(identify(item)))
  const result: unknown[] = []
  for (const item of named) {
    const place = before.indexOf(identify(item))
    while (place >= 0 && others.length > 0 && before.indexOf(identify(others[0])) < place) result.push(others.shift())
    result.push(item)
  }
  return [...result, ...others]
}
