/**
 * Which objects of a collection, as of when.
 * @module
 */
import type { Call, Context } from '../context.ts'
import { ApiError } from '../contract.ts'
import { badRequest, expired } from '../http/status.ts'
import { fieldMatcher, parseFieldSelector } from '../selectors/field.ts'
import { parseLabelSelector } from '../selectors/label.ts'
import { collectionOf, type Entry } from '../store/change.ts'
import type { Store } from '../store/store.ts'

/** The objects of a call. */
export interface Selection {
  readonly collection: string
  /** Of keys: a namespace's, or every one's. */
  readonly prefix: string
  matches(entry: Entry): boolean
}

/** Reads a call's selectors. A name in the path selects that object alone. Throws a 400. */
export function selectionOf({ resource, namespace, name, query }: Call): Selection {
  const collection = collectionOf(resource)
  const labels = parseLabelSelector(query.get('labelSelector') ?? '')
  const fields = fieldMatcher(parseFieldSelector(query.get('fieldSelector') ?? '', collection))
  return {
    collection,
    prefix: namespace === '' ? '' : `${namespace}/`,
    matches: (entry) => (name === undefined || entry.name === name) && labels(entry.labels) && fields(entry),
  }
}

/** A `resourceVersion` of a query; undefined for none. Throws a 400. */
export function revisionOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const revision = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(revision)) return revision
  throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text.slice(0, 50))}: it is no number`)
}

/** Throws where a revision is not reached yet, in the words of the API: it is worth another try. */
export function refuseFuture(store: Store, revision: number): void {
  if (revision <= store.revision) return
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }
  const message = `Timeout: Too large resource version: ${revision}, current: ${store.revision}`
  throw new ApiError(504, 'Timeout', message, { causes: [cause], retryAfterSeconds: 1 })
}

/**
 * The entries of a collection as they were at a revision, in order, from a key on. Later changes are taken back one by
 * one. Throws a 410 when they are not all remembered.
 */
export function entriesAt(
  store: Store,
  { collection: name, prefix }: Selection,
  revision: number,
  from: string,
): readonly Entry[] {
  const collection = store.collection(name)
  const now = collection.slice(prefix, from)
  const first = collection.changesAfter(revision)
  if (revision < collection.floor || store.isForeign(revision))
    throw expired(
      'The provided resource version is too old to display a consistent list. Start a new list without the continue parameter.',
    )
  if (first === collection.changes.length) return now
  const then = new Map<string, Entry | undefined>()
  for (const { entry, previous } of collection.changes.slice(first)) {
    const isAsked = entry.key.startsWith(prefix) && entry.key >= from
    if (isAsked && !then.has(entry.key)) then.set(entry.key, previous)
  }
  if (then.size === 0) return now
  const back = [...then.values()].filter((entry) => entry !== undefined)
  return [...now.filter(({ key }) => !then.has(key)), ...back].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** The object that a call names. */
export function entryOf({ store }: Context, { resource, namespace, name = '' }: Call): Entry | undefined {
  return store.get(collectionOf(resource), namespace, name)
}
