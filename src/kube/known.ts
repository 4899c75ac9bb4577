/**
 * What an object last was when it still could be read: a deletion carries that.
 * @module
 */
import type { Kind, Stored } from '../registry/registry.ts'

/** What objects last were, for the next process. Keys are objects' own in their kind. */
export interface LastGood {
  read<K extends Kind>(kind: K): readonly (readonly [key: string, stored: Stored<K>])[]
  /** All that is known of a kind now. Does not throw. */
  write<K extends Kind>(kind: K, entries: ReadonlyMap<string, Stored<K>>): void
}

/** Watchers of one process may lag behind each other by so many deletions. */
const MOST_DEPARTED = 4096

/** The last readable values of one kind's objects, shared by all its watchers. */
export class Known<K extends Kind> {
  readonly #kind: K
  readonly #lastGood: LastGood | undefined
  #present: Map<string, Stored<K>>
  readonly #departed = new Map<string, Stored<K>>()

  /** What of the process before is known is in `lastGood`, and kept there. */
  constructor(kind: K, lastGood?: LastGood) {
    this.#kind = kind
    this.#lastGood = lastGood
    this.#present = new Map(lastGood?.read(kind))
  }

  /** What a listing found. */
  replace(entries: readonly (readonly [string, Stored<K>])[]): void {
    const present = new Map(entries)
    for (const key of this.#present.keys()) if (!present.has(key)) this.#depart(key)
    this.#present = present
    this.#keep()
  }

  /** What a watcher was told; one that lags behind tells nothing new. */
  learn(key: string, stored: Stored<K>): void {
    const present = this.#present.get(key)
    if (present !== undefined && present.revision >= stored.revision) return
    this.#present.set(key, stored)
    this.#keep()
  }

  /** Those that are there, as they last could be read. */
  get present(): ReadonlyMap<string, Stored<K>> {
    return this.#present
  }

  /** What an object last was, if that is known. */
  last(key: string): Stored<K> | undefined {
    return this.#present.get(key) ?? this.#departed.get(key)
  }

  /** The object is gone; those who lag behind may still ask for it. */
  forget(key: string): void {
    if (this.#depart(key)) this.#keep()
  }

  #depart(key: string): boolean {
    const last = this.#present.get(key)
    if (last === undefined) return false
    this.#present.delete(key)
    this.#departed.delete(key)
    this.#departed.set(key, last)
    const [oldest] = this.#departed.keys()
    if (this.#departed.size > MOST_DEPARTED && oldest !== undefined) this.#departed.delete(oldest)
    return true
  }

  #keep(): void {
    this.#lastGood?.write(this.#kind, this.#present)
  }
}
