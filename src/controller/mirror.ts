/**
 * A kind of shared state as the controller knows it: what the registry told, with the controller's own writes on top.
 *
 * A watch lags behind: what comes late is older than what is known already, and is left out. So a decision never rests
 * on a state from before the controller's own last write.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Change, Kind, Listing, Stored } from '../registry/registry.ts'

/** Is told what becomes of a kind's objects. */
export interface Audience<K extends Kind> {
  put(object: Stored<K>): void
  remove(name: string): void
}

/** A copy of a kind's objects. */
export class Mirror<K extends Kind> {
  readonly #audience: Audience<K>
  readonly #objects = new Map<string, Stored<K>>()
  /** Objects known to be gone before the watch says so, with their last known revision: older news of them are late. */
  readonly #gone = new Map<string, number>()
  /** How far the registry has told what happened to this kind. */
  #heard = 0

  constructor(audience: Audience<K>) {
    this.#audience = audience
  }

  get(name: string): Stored<K> | undefined {
    return this.#objects.get(name)
  }

  /** The registry told everything it has, and what is not in it is gone. What was written since stays. */
  listed({ revision, objects }: Listing<K>): void {
    // Revisions that went back come from a registry that was restored: nothing that is known holds any more.
    const isRestored = revision < this.#heard
    this.#heard = revision
    const names = new Set(objects.map(({ name }) => name))
    for (const known of [...this.#objects.values()]) {
      if (isRestored || (!names.has(known.name) && known.revision <= revision)) this.#forget(known)
    }
    for (const [name, last] of this.#gone) if (isRestored || last <= revision) this.#gone.delete(name)
    for (const object of objects.toSorted((a, b) => a.revision - b.revision)) this.#put(object)
  }

  /** The registry told a change. */
  heard(change: Change<K>): void {
    this.#heard = change.type === 'bookmark' ? change.revision : change.object.revision
    if (change.type === 'put') this.#put(change.object)
    else if (change.type === 'delete') this.#deleted(change.object)
  }

  /** What a call answered. The watch may have told that already, and what came after. */
  answered(object: Stored<K>): void {
    if (object.revision > this.#heard) this.#put(object)
  }

  /** A call found that an object is not there any more, which was known at `revision` when the call was made. */
  gone(name: string, revision: number): void {
    const known = this.#objects.get(name)
    if (known === undefined || known.revision > revision) return
    this.#gone.set(name, known.revision)
    this.#forget(known)
  }

  #put(object: Stored<K>): void {
    const { name, revision } = object
    const known = this.#objects.get(name)
    if (revision < (known?.revision ?? 0) || revision <= (this.#gone.get(name) ?? 0)) return
    // Somebody else may say something of an object that was not written: of a Node, Calico's etcd.
    if (revision === known?.revision && isDeepStrictEqual(object.value, known.value)) return
    this.#gone.delete(name)
    this.#objects.set(name, object)
    this.#audience.put(object)
  }

  #deleted({ name, revision }: Stored<K>): void {
    if ((this.#gone.get(name) ?? Number.POSITIVE_INFINITY) <= revision) this.#gone.delete(name)
    const known = this.#objects.get(name)
    if (known !== undefined && known.revision <= revision) this.#forget(known)
  }

  #forget({ name }: Stored<K>): void {
    this.#objects.delete(name)
    this.#audience.remove(name)
  }
}
