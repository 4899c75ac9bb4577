/**
 * A registry that takes time to open.
 * @module
 */
import type { Change, Kind, Kinds, Listing, Registry, Stored } from './registry.ts'

/** Opens a registry with the first call, and again with the next one when that fails. */
export class LazyRegistry implements Registry {
  readonly #open: () => Promise<Registry>
  #opened: Promise<Registry> | undefined

  /** `open` throws a RegistryError, as the calls do. */
  constructor(open: () => Promise<Registry>) {
    this.#open = open
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    return (await this.#registry()).get(kind, name)
  }

  async list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>> {
    return (await this.#registry()).list(kind, atLeast, name)
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    if (!signal.aborted) yield* (await this.#registry()).watch(kind, after, signal, name)
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    return (await this.#registry()).create(kind, name, value)
  }

  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    return (await this.#registry()).update(kind, name, value, revision)
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    return (await this.#registry()).delete(kind, name, revision)
  }

  #registry(): Promise<Registry> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }
}
