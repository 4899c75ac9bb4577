/**
 * A kind of shared state, kept as a map in this process: list, then watch, then list again when history ran out.
 * @module
 */
import { Backoff, type BackoffOptions, sleep } from './backoff.ts'
import { type Change, type Kind, type Listing, type Registry, RegistryError, type Stored } from './registry.ts'

/** A kind's objects by name, as last heard of. */
export type Store<K extends Kind> = ReadonlyMap<string, Stored<K>>

/** What happened to the store; `before` is what was there. The store already shows it. */
export type StoreChange<K extends Kind> =
  | { readonly type: 'put'; readonly object: Stored<K>; readonly before: Stored<K> | undefined }
  | { readonly type: 'delete'; readonly object: Stored<K>; readonly before: Stored<K> }

/** How a kind is reflected. */
export interface ReflectOptions<K extends Kind> {
  readonly signal: AbortSignal
  /** Called once, when the first listing is in the store; its objects have been told as changes before. */
  readonly onSynced?: (store: Store<K>) => void
  /** Called for every change, never for an object that is as it was. */
  readonly onChange?: (change: StoreChange<K>) => void
  /** Called for every failure, with the milliseconds until the next try. A watch that lived and expired is none. */
  readonly onError?: (error: unknown, retryIn: number) => void
  readonly random?: () => number
  readonly backoff?: BackoffOptions
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A kind being reflected. */
export interface Reflection<K extends Kind> {
  readonly store: Store<K>
  /** When the first listing is in the store, or `signal` aborted before. */
  readonly synced: Promise<void>
  /** When `signal` aborted. Rejects only with what a callback threw. */
  readonly done: Promise<void>
}

/** Reflects a kind until `signal` aborts. Whatever the registry does, the store ends up equal to it. */
export function reflect<K extends Kind>(registry: Registry, kind: K, options: ReflectOptions<K>): Reflection<K> {
  const reflector = new Reflector(registry, kind, options)
  const done = reflector.run()
  // A caller who awaits only `synced` must still be told of what a callback threw.
  const synced = Promise.race([reflector.synced.promise, done])
  return { store: reflector.store, synced, done }
}

class Reflector<K extends Kind> {
  readonly store = new Map<string, Stored<K>>()
  readonly synced = Promise.withResolvers<void>()
  readonly #registry: Registry
  readonly #kind: K
  readonly #options: ReflectOptions<K>
  readonly #backoff: Backoff
  /** Where the watch goes on; undefined when only a listing can tell. */
  #revision: number | undefined
  #isSynced = false

  constructor(registry: Registry, kind: K, options: ReflectOptions<K>) {
    this.#registry = registry
    this.#kind = kind
    this.#options = options
    this.#backoff = new Backoff(options.random ?? Math.random, options.backoff)
  }

  async run(): Promise<void> {
    const { signal, onError } = this.#options
    while (!signal.aborted) {
      const error = await this.#round()
      if (error === undefined || signal.aborted) continue
      const retryIn = this.#backoff.next()
      onError?.(error, retryIn)
      await (this.#options.sleep ?? sleep)(retryIn, signal)
    }
    this.synced.resolve()
  }

  /** Lists if need be, then watches. The error is the registry's; what a callback throws passes through. */
  async #round(): Promise<unknown> {
    if (this.#revision === undefined) {
      const listed = await attempt(this.#registry.list(this.#kind))
      if ('error' in listed) return listed.error
      this.#backoff.reset()
      this.#replace(listed.value)
    }
    return this.#follow(this.#revision ?? 0)
  }

  async #follow(after: number): Promise<unknown> {
    const { signal } = this.#options
    const changes = this.#registry.watch(this.#kind, after, signal)[Symbol.asyncIterator]()
    let greeted = false
    let heard = false
    try {
      for (;;) {
        const next = await attempt(changes.next())
        if ('error' in next) return this.#broken(next.error, heard)
        if (signal.aborted) return undefined
        if (next.value.done === true) return this.#broken(endedEarly(), heard)
        // A bookmark comes with the connection; whatever comes after it, or a change, shows that the watch lives.
        heard = next.value.value.type !== 'bookmark' || greeted
        greeted = true
        if (heard) this.#backoff.reset()
        this.#apply(next.value.value)
      }
    } finally {
      await changes.return?.(undefined).catch(() => undefined)
    }
  }

  /** An expired watch is listed again at once, unless it never told anything: then its registry may be ill. */
  #broken(error: unknown, heard: boolean): unknown {
    const code = error instanceof RegistryError ? error.code : undefined
    // Only a connection that broke leaves no doubt about where to go on.
    if (code !== 'REGISTRY_UNAVAILABLE') this.#revision = undefined
    return code === 'REGISTRY_EXPIRED' && heard ? undefined : error
  }

  #apply(change: Change<K>): void {
    if (change.type === 'bookmark') this.#revision = change.revision
    else {
      this.#revision = change.object.revision
      if (change.type === 'put') this.#put(change.object)
      else this.#delete(change.object)
    }
  }

  #replace({ revision, objects }: Listing<K>): void {
    const names = new Set(objects.map(({ name }) => name))
    for (const object of this.store.values()) if (!names.has(object.name)) this.#delete(object)
    for (const object of objects) this.#put(object)
    this.#revision = revision
    if (this.#isSynced) return
    this.#isSynced = true
    this.#options.onSynced?.(this.store)
    this.synced.resolve()
  }

  #put(object: Stored<K>): void {
    const before = this.store.get(object.name)
    if (before?.revision === object.revision) return
    this.store.set(object.name, object)
    this.#options.onChange?.({ type: 'put', object, before })
  }

  #delete(object: Stored<K>): void {
    const before = this.store.get(object.name)
    if (before === undefined) return
    this.store.delete(object.name)
    this.#options.onChange?.({ type: 'delete', object, before })
  }
}

async function attempt<T>(promise: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await promise }
  } catch (error) {
    return { error }
  }
}

function endedEarly(): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', 'the registry ended the watch')
}
