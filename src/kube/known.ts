/**
 * What an object last was when it still could be read: a deletion carries that.
 * @module
 */
import type { Kind, Stored } from '../registry/registry.ts'

/** Watchers of one process may lag behind each other by so many deletions. */
const MOST_DEPARTED = 4096

/** The last readable values of one kind's objects, shared by all its watchers. */
export class Known<K extends Kind> {
  #present = new Map<string, Stored<K>>()
  readonly #departed = new Map<string, Stored<K>>()

  /** What a listing found. */
  replace(entries: readonly (readonly [string, Stored<K>])[]): void {
    const present = new Map(entries)
    for (const key of this.#present.keys()) if (!present.has(key)) this.forget(key)
    this.#present = present
  }

  /** What a watcher was told; one that lags behind tells nothing new. */
  learn(key: string, stored: Stored<K>): void {
    const present = this.#present.get(key)
    if (present === undefined || present.revision < stored.revision) this.#present.set(key, stored)
  }

  /** What an object last was, if that is known. */
  last(key: string): Stored<K> | undefined {
    return this.#present.get(key) ?? this.#departed.get(key)
  }

  /** The object is gone; those who lag behind may still ask for it. */
  forget(key: string): void {
    const last = this.#present.get(key)
    if (last === undefined) return
    this.#present.delete(key)
    this.#departed.delete(key)
    this.#departed.set(key, last)
    const [oldest] = this.#departed.keys()
    if (this.#departed.size > MOST_DEPARTED && oldest !== undefined) this.#departed.delete(oldest)
  }
}
