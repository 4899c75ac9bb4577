/**
 * Shared state in the memory of one process: the stand-alone registry behind its socket, and the tests' double.
 * @module
 */
import { cut, decodeValue, KINDS } from './codec.ts'
import { type Entry, History } from './history.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from './registry.ts'

/** How a {@link MemoryRegistry} is made. */
export interface MemoryRegistryOptions {
  /** Changes that a watcher may lag behind before it has to list again. 8192 when absent. */
  readonly history?: number
  /**
   * Where revisions start. A registry that forgets everything when its process ends must start above every revision
   * it ever gave, or a watcher from before would take the new history for its own.
   */
  readonly revision?: number
  /** What is there from the start, with revisions up to `revision`. */
  readonly objects?: readonly { readonly kind: Kind; readonly object: Stored<Kind> }[]
  /** Called with every change before it is made and before anybody sees it. When it throws, the change is not made. */
  readonly onCommit?: (entry: Entry) => void
}

/** Shared state in memory. Values are validated, and deep-frozen: nobody can change what another reads. */
export class MemoryRegistry implements Registry {
  readonly #objects = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as {
    readonly [K in Kind]: Map<string, Stored<K>>
  }
  readonly #history: History
  readonly #bookmarkEvery: number
  readonly #waiting = new Set<() => void>()
  readonly #onCommit: (entry: Entry) => void

  constructor(options: MemoryRegistryOptions = {}) {
    const size = Math.max(1, options.history ?? 8192)
    this.#history = new History(size, options.revision ?? 0)
    this.#bookmarkEvery = Math.max(1, Math.floor(size / 4))
    this.#onCommit = options.onCommit ?? (() => undefined)
    for (const { kind, object } of options.objects ?? []) {
      this.#of(kind).set(object.name, { ...object, value: decodeValue(kind, object.name, object.value) })
    }
  }

  /** The revision of the last change. */
  get revision(): number {
    return this.#history.revision
  }

  /** Everything there is, of every kind. */
  *contents(): Iterable<{ readonly kind: Kind; readonly object: Stored<Kind> }> {
    for (const kind of KINDS) {
      for (const object of this.#of(kind).values()) yield { kind, object }
    }
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    return this.#of(kind).get(name)
  }

  async list<K extends Kind>(kind: K, _atLeast?: number, name?: string): Promise<Listing<K>> {
    const all = this.#of(kind)
    const one = name === undefined ? undefined : all.get(name)
    const objects = name === undefined ? [...all.values()] : one === undefined ? [] : [one]
    return { revision: this.#history.revision, objects }
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    const valid = decodeValue(kind, name, value)
    if (this.#of(kind).has(name)) throw new RegistryError('REGISTRY_EXISTS', `${kind} ${cut(name)} exists already`)
    return this.#put(kind, name, valid)
  }

  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    const valid = decodeValue(kind, name, value)
    this.#expect(kind, name, revision)
    return this.#put(kind, name, valid)
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    const last = this.#expect(kind, name, revision)
    this.#commit({ kind, type: 'delete', object: Object.freeze({ ...last, revision: this.#history.revision + 1 }) })
  }

  /** Yields a bookmark when much has happened to others, so that a quiet watcher's revision does not expire. */
  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    let seen = after
    let told = after
    while (!signal.aborted) {
      if (!this.#history.reaches(seen))
        throw new RegistryError('REGISTRY_EXPIRED', `no history back to revision ${seen}`)
      if (seen < this.#history.revision) {
        seen += 1
        const entry = this.#history.at(seen)
        if (entry?.kind !== kind || (name !== undefined && entry.object.name !== name)) continue
        told = seen
        yield { type: entry.type, object: entry.object as Stored<K> }
      } else if (seen - told >= this.#bookmarkEvery) {
        told = seen
        yield { type: 'bookmark', revision: seen }
      } else {
        await this.#nextChange(signal)
      }
    }
  }

  #of<K extends Kind>(kind: K): Map<string, Stored<K>> {
    return this.#objects[kind]
  }

  #expect<K extends Kind>(kind: K, name: string, revision: number | undefined): Stored<K> {
    const found = this.#of(kind).get(name)
    if (found === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `there is no ${kind} ${cut(name)}`)
    if (revision === undefined || found.revision === revision) return found
    const message = `${kind} ${cut(name)} is at revision ${found.revision}, not ${revision}`
    throw new RegistryError('REGISTRY_CONFLICT', message)
  }

  #put<K extends Kind>(kind: K, name: string, value: Kinds[K]): Stored<K> {
    const object: Stored<K> = Object.freeze({ name, revision: this.#history.revision + 1, value })
    this.#commit({ kind, type: 'put', object })
    return object
  }

  #commit(entry: Entry): void {
    this.#onCommit(entry)
    if (entry.type === 'put') this.#of(entry.kind).set(entry.object.name, entry.object)
    else this.#of(entry.kind).delete(entry.object.name)
    this.#history.add(entry)
    for (const wake of this.#waiting) wake()
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }
}
