/**
 * The garbage collector: objects go when their owners are gone.
 * @module
 */
import type { KubeObject, OwnerReference } from '../../../kube/object.ts'
import type { WorkQueue } from '../../../kube/queue.ts'
import type { Context } from '../context.ts'
import { servedObject } from '../objects/render.ts'
import { type Change, collectionOf, type Entry, objectOf } from '../store/change.ts'
import type { Index } from '../store/store.ts'
import { deleteObject, FOREGROUND, ORPHAN } from '../verbs/delete.ts'
import { updateObject } from '../verbs/update.ts'
import { type Log, oneByOne } from './one-by-one.ts'

/** Collects garbage. Owners are of the same namespace or of none; a reference to a kind not served here holds nothing. */
export class GarbageCollector implements Index {
  readonly #context: Context
  readonly #queue: WorkQueue
  /** UID of an owner → `collection key` of what it owns. */
  readonly #dependents = new Map<string, Set<string>>()

  constructor(context: Context, log: Log) {
    this.#context = context
    this.#queue = oneByOne(context, log, (key) => this.#work(key))
  }

  /** When the server stops and nothing is at work any more. */
  get done(): Promise<void> {
    return this.#queue.done
  }

  reset(): void {
    const { store } = this.#context
    this.#dependents.clear()
    for (const collection of store.collections()) {
      for (const entry of store.collection(collection).slice('')) this.#see(collection, entry)
    }
  }

  apply({ type, collection, entry, previous }: Change): void {
    if (previous !== undefined) {
      for (const { uid } of ownersOf(previous)) this.#dependents.get(uid)?.delete(`${collection} ${entry.key}`)
    }
    if (type !== 'DELETED') {
      this.#see(collection, entry)
      return
    }
    const { uid = '' } = objectOf(entry).metadata
    for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent)
    this.#dependents.delete(uid)
    // Owners that wait for their dependents look again.
    for (const owner of ownersOf(entry)) this.#addOwner(owner, entry.namespace)
  }

  #see(collection: string, entry: Entry): void {
    const id = `${collection} ${entry.key}`
    const owners = ownersOf(entry)
    for (const { uid } of owners) {
      const dependents = this.#dependents.get(uid) ?? new Set()
      this.#dependents.set(uid, dependents.add(id))
    }
    if (owners.length > 0 || isWaiting(entry)) this.#queue.add(id)
  }

  #addOwner(owner: OwnerReference, namespace: string): void {
    const resource = this.#context.resources.ofKind(owner.apiVersion, owner.kind)
    if (resource === undefined) return
    this.#queue.add(`${collectionOf(resource)} ${resource.namespaced ? namespace : ''}/${owner.name}`)
  }

  async #work(id: string): Promise<void> {
    const space = id.indexOf(' ')
    const [collection, key] = [id.slice(0, space), id.slice(space + 1)]
    const { store, resources } = this.#context
    const entry = store.collection(collection).get(key)
    const resource = resources.ofCollection(collection)
    if (entry === undefined || resource === undefined) return
    const object = servedObject(resource, entry)
    const { deletionTimestamp, finalizers = [] } = object.metadata
    if (deletionTimestamp !== undefined && (finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN))) {
      await this.#finishOwner(collection, entry, object)
    } else if (deletionTimestamp === undefined) {
      await this.#judge(collection, entry, object)
    }
  }

  /** Deletes an object whose owners are all gone, and forgets those of several that are. */
  async #judge(collection: string, entry: Entry, object: KubeObject): Promise<void> {
    const { store, resources } = this.#context
    const owners = object.metadata.ownerReferences ?? []
    const alive = owners.filter((owner) => this.#isAlive(owner, entry.namespace))
    const resource = resources.ofCollection(collection)
    if (owners.length === 0 || alive.length === owners.length || resource === undefined) return
    if (alive.length === 0) {
      // Another object of this name, made meanwhile, is not the one that was judged.
      deleteObject(this.#context, resource, entry, { uid: object.metadata.uid, propagation: 'Background' })
    } else {
      const metadata = { ...object.metadata, ownerReferences: alive }
      updateObject(this.#context, resource, entry, { ...object, metadata })
    }
    await store.settled()
  }

  /** An owner that waits: its dependents are deleted or let go, then it is let go itself. */
  async #finishOwner(collection: string, entry: Entry, object: KubeObject): Promise<void> {
    const { store } = this.#context
    const { uid = '', finalizers = [] } = object.metadata
    const isOrphaning = finalizers.includes(ORPHAN)
    let left = 0
    for (const id of [...(this.#dependents.get(uid) ?? [])]) {
      if (isOrphaning) this.#disown(id, uid)
      else if (!this.#deleteDependent(id)) left += 1
    }
    await store.settled()
    const resource = this.#context.resources.ofCollection(collection)
    const now = store.collection(collection).get(entry.key)
    if (left > 0 || resource === undefined || now === undefined) return
    const current = servedObject(resource, now)
    const others = (current.metadata.finalizers ?? []).filter((name) => name !== FOREGROUND && name !== ORPHAN)
    updateObject(this.#context, resource, now, { ...current, metadata: { ...current.metadata, finalizers: others } })
    await store.settled()
  }

  /** Whether it is gone. */
  #deleteDependent(id: string): boolean {
    const found = this.#find(id)
    if (found === undefined) return true
    const [resource, entry] = found
    return deleteObject(this.#context, resource, entry, { propagation: 'Foreground' }).isGone
  }

  #disown(id: string, uid: string): void {
    const found = this.#find(id)
    if (found === undefined) return
    const [resource, entry] = found
    const object = servedObject(resource, entry)
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
    updateObject(this.#context, resource, entry, { ...object, metadata: { ...object.metadata, ownerReferences } })
  }

  #find(id: string): readonly [NonNullable<ReturnType<Context['resources']['ofCollection']>>, Entry] | undefined {
    const space = id.indexOf(' ')
    const resource = this.#context.resources.ofCollection(id.slice(0, space))
    const entry = this.#context.store.collection(id.slice(0, space)).get(id.slice(space + 1))
    return resource === undefined || entry === undefined ? undefined : [resource, entry]
  }

  #isAlive({ apiVersion, kind, name, uid }: OwnerReference, namespace: string): boolean {
    const resource = this.#context.resources.ofKind(apiVersion, kind)
    if (resource === undefined) return true
    const entry = this.#context.store.get(collectionOf(resource), resource.namespaced ? namespace : '', name)
    return entry !== undefined && objectOf(entry).metadata.uid === uid
  }
}

/** Most objects have none: those are not parsed. */
function ownersOf(entry: Entry): readonly OwnerReference[] {
  return entry.text.includes('"ownerReferences"') ? (objectOf(entry).metadata.ownerReferences ?? []) : []
}

function isWaiting({ text }: Entry): boolean {
  return text.includes('"deletionTimestamp"') && (text.includes(`"${FOREGROUND}"`) || text.includes(`"${ORPHAN}"`))
}
