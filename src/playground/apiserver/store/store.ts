/**
 * The objects of the cluster with their last changes, in memory and in a file.
 *
 * A write takes effect in memory at once, so that the next one builds on it; those of one turn of the event loop share
 * a transaction, and nobody outside hears of them, neither answer nor watch, before it is committed.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type Change, type Entry, keyOf, type TraitsOf } from './change.ts'
import { Collection } from './collection.ts'
import { Database, type Loaded } from './database.ts'

/** How much of the past is kept, of every resource. */
export interface HistoryLimits {
  /** Changes. */
  readonly count: number
  /** Milliseconds. */
  readonly age: number
}

/** Where a store is and how it counts. */
export interface StoreOptions {
  readonly path: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly traitsOf: TraitsOf
  readonly history: HistoryLimits
}

/** Hears of changes in memory, in order, within the call that makes them; `reset` when all is to be read anew. */
export interface Index {
  reset(): void
  apply(change: Change): void
}

/** The store. One process at a time. */
export class Store {
  readonly #options: StoreOptions
  readonly #database: Database
  readonly #indexes: Index[] = []
  readonly #watchers = new Map<string, Set<() => void>>()
  #loaded: Loaded
  #revision: number
  #committed: number
  #pending: Change[] = []
  #commit: Promise<void> | undefined

  /**
   * Opens the file or makes it. Its revisions go on above any that were given out before, also by a store that was lost
   * since, or by this one before it was replaced by an older copy.
   */
  constructor(options: StoreOptions) {
    this.#options = options
    // Microseconds: no store makes a million changes per second, so that a later one always begins above.
    this.#database = new Database(options.path, options.now() * 1000)
    this.#loaded = this.#database.load(options.traitsOf)
    this.#revision = this.#loaded.revision
    this.#committed = this.#revision
  }

  /** The revision of the last change in memory. */
  get revision(): number {
    return this.#revision
  }

  /** The revision of the last change on the disk: what watches have come to. */
  get committed(): number {
    return this.#committed
  }

  /**
   * Whether no change that is known here can have had this revision: it is of a history that was lost. Nobody hears of a
   * revision before it is on the disk, so that what lies between two openings was given out by another file.
   */
  isForeign(revision: number): boolean {
    return this.#loaded.gaps.some(({ after, until }) => revision > after && revision < until)
  }

  get(collection: string, namespace: string, name: string): Entry | undefined {
    return this.#loaded.collections.get(collection)?.get(keyOf(namespace, name))
  }

  /** The resource's objects and changes, to be read only. */
  collection(name: string): Collection {
    const found = this.#loaded.collections.get(name)
    if (found !== undefined) return found
    const made = new Collection(this.#loaded.start)
    this.#loaded.collections.set(name, made)
    return made
  }

  /** Names of the resources that have objects. */
  collections(): readonly string[] {
    return [...this.#loaded.collections].filter(([, { size }]) => size > 0).map(([name]) => name)
  }

  /** Writes an object under a new revision. Await {@link settled} before telling anybody. */
  put(collection: string, object: KubeObject): { readonly object: KubeObject; readonly entry: Entry } {
    const { namespace = '', name } = object.metadata
    const previous = this.get(collection, namespace, name)
    const [stored, entry] = this.#stamp(collection, object)
    this.#apply({ ...this.#change(collection, entry, previous), type: previous === undefined ? 'ADDED' : 'MODIFIED' })
    return { object: stored, entry }
  }

  /** Removes an object; undefined when there is none. Await {@link settled} before telling anybody. */
  remove(collection: string, object: KubeObject): KubeObject | undefined {
    const { namespace = '', name } = object.metadata
    const previous = this.get(collection, namespace, name)
    if (previous === undefined) return undefined
    const [stored, entry] = this.#stamp(collection, object)
    this.#apply({ ...this.#change(collection, entry, previous), type: 'DELETED' })
    return stored
  }

  /** Resolves when what is in memory now is on the disk. Rejects when it cannot be; it is undone then. */
  async settled(): Promise<void> {
    await this.#commit
  }

  /** Calls back after each commit that changed the resource, and after a reset. Answers how to end that. */
  subscribe(collection: string, wake: () => void): () => void {
    const wakers = this.#watchers.get(collection) ?? new Set()
    this.#watchers.set(collection, wakers.add(wake))
    return () => {
      wakers.delete(wake)
    }
  }

  addIndex(index: Index): void {
    this.#indexes.push(index)
    index.reset()
  }

  /** Forgets changes beyond the limits. */
  compact(): void {
    if (this.#commit !== undefined) return
    const { count, age } = this.#options.history
    const since = this.#options.now() - age
    for (const [name, collection] of this.#loaded.collections) {
      const floor = collection.compact(count, since)
      if (floor !== undefined) this.#database.compact(name, floor)
    }
  }

  /** Writes what is pending and closes the file. */
  async close(): Promise<void> {
    await this.#commit?.catch(() => undefined)
    this.#database.close()
  }

  #stamp(collection: string, object: KubeObject): [KubeObject, Entry] {
    this.#revision += 1
    const revision = this.#revision
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    const { namespace = '', name } = object.metadata
    const traits = this.#options.traitsOf(collection, stored)
    return [stored, { namespace, name, key: keyOf(namespace, name), revision, text: JSON.stringify(stored), ...traits }]
  }

  #change(collection: string, entry: Entry, previous: Entry | undefined): Omit<Change, 'type'> {
    return { revision: entry.revision, at: this.#options.now(), collection, entry, previous }
  }

  #apply(change: Change): void {
    this.collection(change.collection).apply(change)
    this.#pending.push(change)
    this.#commit ??= this.#commitSoon()
    for (const index of this.#indexes) index.apply(change)
  }

  #commitSoon(): Promise<void> {
    const commit = new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#commit = undefined
        const changes = this.#pending
        this.#pending = []
        try {
          this.#database.commit(changes)
        } catch (cause) {
          reject(cause)
          this.#startOver()
          return
        }
        this.#committed = this.#revision
        resolve()
        this.#wake(new Set(changes.map(({ collection }) => collection)))
      })
    })
    commit.catch(() => undefined)
    return commit
  }

  /** The disk refused: memory goes back to what it holds. Revisions given out are not given out again. */
  #startOver(): void {
    this.#loaded = this.#database.load(this.#options.traitsOf)
    this.#committed = this.#revision
    for (const index of this.#indexes) index.reset()
    this.#wake(new Set(this.#watchers.keys()))
  }

  #wake(collections: ReadonlySet<string>): void {
    for (const name of collections) for (const wake of this.#watchers.get(name) ?? []) wake()
  }
}
