/**
 * Namespaces on their way out: what is in them goes first. Definitions of resources go the same way.
 * @module
 */

import type { WorkQueue } from '../../../kube/queue.ts'
import type { Context } from '../context.ts'
import { ApiError } from '../contract.ts'
import { servedObject } from '../objects/render.ts'
import { arrayAt, withValue } from '../objects/shape.ts'
import { type Change, type Entry, objectOf } from '../store/change.ts'
import type { Index } from '../store/store.ts'
import { createObject } from '../verbs/create.ts'
import { CRD_CLEANUP, deleteObject } from '../verbs/delete.ts'
import { updateObject } from '../verbs/update.ts'
import { type Log, oneByOne } from './one-by-one.ts'

const NAMESPACES = '/namespaces'
/** So many deletions share a transaction and a turn of the loop. */
const BATCH = 200

/** Empties and removes namespaces and definitions that are being deleted; gives namespaces their service account. */
export class Cleanup implements Index {
  readonly #context: Context
  readonly #queue: WorkQueue
  /** Namespaces that wait for the last of their objects. */
  readonly #terminating = new Set<string>()

  constructor(context: Context, log: Log) {
    this.#context = context
    this.#queue = oneByOne(context, log, (key) => this.#work(key))
  }

  /** When the server stops and nothing is at work any more. */
  get done(): Promise<void> {
    return this.#queue.done
  }

  reset(): void {
    this.#terminating.clear()
    for (const collection of [NAMESPACES, this.#context.resources.crds]) {
      for (const entry of this.#context.store.collection(collection).slice('')) this.#see(collection, entry)
    }
  }

  apply({ type, collection, entry }: Change): void {
    if (collection === NAMESPACES || collection === this.#context.resources.crds) {
      if (type !== 'DELETED') this.#see(collection, entry)
      else if (collection === NAMESPACES) this.#terminating.delete(entry.name)
    }
    if (type !== 'DELETED') return
    if (this.#terminating.has(entry.namespace)) this.#queue.add(`${NAMESPACES} ${entry.namespace}`)
    const definition = nameOfDefinition(collection)
    const { store, resources } = this.#context
    if (store.get(resources.crds, '', definition) !== undefined) this.#queue.add(`${resources.crds} ${definition}`)
  }

  #see(collection: string, entry: Entry): void {
    if (collection === NAMESPACES && objectOf(entry).metadata.deletionTimestamp !== undefined) {
      this.#terminating.add(entry.name)
    }
    this.#queue.add(`${collection} ${entry.name}`)
  }

  async #work(key: string): Promise<void> {
    const [collection = '', name = ''] = key.split(' ')
    const { store, resources } = this.#context
    const entry = store.get(collection, '', name)
    const resource = resources.ofCollection(collection)
    if (entry === undefined || resource === undefined) return
    const object = servedObject(resource, entry)
    if (object.metadata.deletionTimestamp === undefined) {
      if (collection === NAMESPACES) await this.#giveAccount(name)
      return
    }
    const isNamespace = collection === NAMESPACES
    const left = isNamespace ? await this.#empty(undefined, name) : await this.#empty(collectionOfDefinition(name), '')
    if (left > 0) return
    // What it has become meanwhile counts.
    const now = store.get(collection, '', name)
    if (now === undefined) return
    const current = servedObject(resource, now)
    if (isNamespace) {
      const others = arrayAt(current, 'spec', 'finalizers').filter((finalizer) => finalizer !== 'kubernetes')
      const finalized = {
        ...current,
        ...withValue(current, ['spec', 'finalizers'], others),
        metadata: current.metadata,
      }
      updateObject(this.#context, resource, now, finalized, { part: 'finalize' })
    } else {
      const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CRD_CLEANUP)
      updateObject(this.#context, resource, now, { ...current, metadata: { ...current.metadata, finalizers } })
    }
    await store.settled()
  }

  /** Deletes everything in a collection or in a namespace. Answers how much still waits for something. */
  async #empty(only: string | undefined, namespace: string): Promise<number> {
    const { store, resources } = this.#context
    const prefix = namespace === '' ? '' : `${namespace}/`
    let left = 0
    for (const collection of only === undefined ? store.collections() : [only]) {
      const resource = resources.ofCollection(collection)
      if (resource === undefined || (namespace !== '' && !resource.namespaced)) continue
      for (const [index, { key }] of store.collection(collection).slice(prefix).entries()) {
        const entry = store.collection(collection).get(key)
        if (entry === undefined) continue
        if (!deleteObject(this.#context, resource, entry, {}).isGone) left += 1
        if (index % BATCH === BATCH - 1) await store.settled()
      }
    }
    await store.settled()
    return left
  }

  async #giveAccount(namespace: string): Promise<void> {
    const resource = this.#context.resources.find('', 'v1', 'serviceaccounts')
    if (resource === undefined || this.#context.store.get('/serviceaccounts', namespace, 'default') !== undefined)
      return
    try {
      createObject(this.#context, resource, { metadata: { name: 'default' } }, { namespace })
    } catch (error) {
      // The namespace was deleted at the same moment.
      if (!(error instanceof ApiError)) throw error
    }
    await this.#context.store.settled()
  }
}

/** `plural.group` of `group/plural`. */
function nameOfDefinition(collection: string): string {
  const [group = '', plural = ''] = collection.split('/')
  return `${plural}.${group}`
}

function collectionOfDefinition(name: string): string {
  const dot = name.indexOf('.')
  return `${name.slice(dot + 1)}/${name.slice(0, dot)}`
}
