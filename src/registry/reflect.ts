/**
 * The one mechanism that keeps a collection as a map in this process: list, then watch, then list again when history
 * ran out. Where the collection is and what it holds is the source's business.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { Backoff, type BackoffOptions, sleep } from './backoff.ts'

/** What is reflected: an object under a name that is its own, at a revision that changes whenever the object does. */
export interface Reflectable<R> {
  readonly name: string
  readonly revision: R
}

/** What happened to a collection. */
export type SourceChange<R, O extends Reflectable<R>> =
  | { readonly type: 'put' | 'delete'; readonly object: O }
  /** Nothing happened up to this revision. */
  | { readonly type: 'bookmark'; readonly revision: R }

/** What a failure means for whoever watches. */
export interface Fault {
  /** `broken`: go on where the watch was. `expired`: list again at once. `other`: list again, after a pause. */
  readonly kind: 'broken' | 'expired' | 'other'
  /** Milliseconds that the source asks to be left alone. */
  readonly retryAfter?: number | undefined
}

/** A collection that can be listed and watched. */
export interface Source<R, O extends Reflectable<R>> {
  /** As it is now; with `atLeast`, as it was at that revision or at any later one, if that is cheaper. */
  list(signal: AbortSignal, atLeast?: R): Promise<{ readonly revision: R; readonly objects: readonly O[] }>
  /** Every change after a revision until `signal` aborts. */
  watch(after: R, signal: AbortSignal): AsyncIterable<SourceChange<R, O>>
  faultOf(error: unknown): Fault
}

/** What happened to the map; `before` is what was there. The map already shows it. */
export type MapChange<O> =
  | { readonly type: 'put'; readonly object: O; readonly before: O | undefined }
  | { readonly type: 'delete'; readonly object: O; readonly before: O }

/** How a source is reflected. */
export interface ReflectSourceOptions<O> {
  readonly signal: AbortSignal
  /** Called once, when the first listing is in the map; its objects have been told as changes before. */
  readonly onSynced?: (store: ReadonlyMap<string, O>) => void
  /** Called for every change, never for an object that is as it was. */
  readonly onChange?: (change: MapChange<O>) => void
  /** Called for every failure, with the milliseconds until the next try. A watch that lived and expired is none. */
  readonly onError?: (error: unknown, retryIn: number) => void
  /** Called when the source answers again after failures that were told. */
  readonly onRecovered?: () => void
  readonly random?: () => number
  readonly backoff?: BackoffOptions
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/**
 * A node reflects a dozen collections, and a thousand nodes do: what comes back after an outage is spread over a second
 * at least and over half of the time that a long outage has made everybody wait for.
 */
export const RECONNECT: Required<BackoffOptions> = { first: 1_000, most: 10_000 }

/** A source being reflected. */
export interface SourceReflection<O> {
  readonly store: ReadonlyMap<string, O>
  /** When the first listing is in the map, or `signal` aborted before. */
  readonly synced: Promise<void>
  /** When `signal` aborted. Rejects only with what a callback threw. */
  readonly done: Promise<void>
  /** Tells one more of every change: of what is in the map as of news, at once, then of what happens. */
  listen(onChange: (change: MapChange<O>) => void): void
}

/** Reflects a source until `signal` aborts. Whatever the source does, the map ends up equal to it. */
export function reflectSource<R, O extends Reflectable<R>>(
  source: Source<R, O>,
  options: ReflectSourceOptions<O>,
): SourceReflection<O> {
  const reflector = new Reflector(source, options)
  const done = reflector.run()
  // A caller who awaits only `synced` must still be told of what a callback threw.
  const synced = Promise.race([reflector.synced.promise, done])
  return { store: reflector.store, synced, done, listen: (onChange) => reflector.listen(onChange) }
}

class Reflector<R, O extends Reflectable<R>> {
  readonly store = new Map<string, O>()
  readonly synced = Promise.withResolvers<void>()
  readonly #source: Source<R, O>
  readonly #options: ReflectSourceOptions<O>
  readonly #listeners: ((change: MapChange<O>) => void)[] = []
  readonly #backoff: Backoff
  /** Of a source that forgets at once what it listed. It answers, so that what went before does not count. */
  readonly #expiries: Backoff
  /** Where the watch goes on; undefined when only a listing can tell. */
  #place: { readonly revision: R } | undefined
  /** Where a watch was whose past was forgotten: to go on, a listing that is as new will do. Asked for once. */
  #forgotten: { readonly revision: R } | undefined
  #isSynced = false
  #isFailing = false

  constructor(source: Source<R, O>, options: ReflectSourceOptions<O>) {
    this.#source = source
    this.#options = options
    const { random = Math.random, backoff = RECONNECT, onChange } = options
    if (onChange !== undefined) this.#listeners.push(onChange)
    this.#backoff = new Backoff(random, backoff)
    this.#expiries = new Backoff(random, backoff)
  }

  listen(onChange: (change: MapChange<O>) => void): void {
    for (const object of this.store.values()) onChange({ type: 'put', object, before: undefined })
    this.#listeners.push(onChange)
  }

  async run(): Promise<void> {
    const { signal, onError } = this.#options
    while (!signal.aborted) {
      const error = await this.#round()
      if (error === undefined || signal.aborted) continue
      const { kind, retryAfter = 0 } = this.#source.faultOf(error)
      const retryIn = Math.max((kind === 'expired' ? this.#expiries : this.#backoff).next(), retryAfter)
      this.#isFailing = true
      onError?.(error, retryIn)
      await (this.#options.sleep ?? sleep)(retryIn, signal)
    }
    this.synced.resolve()
  }

  /** Lists if need be, then watches. The error is the source's; what a callback throws passes through. */
  async #round(): Promise<unknown> {
    if (this.#place === undefined) {
      const atLeast = this.#forgotten?.revision
      this.#forgotten = undefined
      const listed = await attempt(this.#source.list(this.#options.signal, atLeast))
      if ('error' in listed) return listed.error
      this.#backoff.reset()
      this.#replace(listed.value)
      this.#place = { revision: listed.value.revision }
      this.#answers()
    }
    return this.#follow(this.#place.revision)
  }

  async #follow(after: R): Promise<unknown> {
    const { signal } = this.#options
    const changes = this.#source.watch(after, signal)[Symbol.asyncIterator]()
    let greeted = false
    let heard = false
    try {
      for (;;) {
        const next = await attempt(changes.next())
        if ('error' in next) return this.#broken(next.error, heard)
        if (signal.aborted) return undefined
        if (next.value.done === true) return new Error('the watch ended')
        // A bookmark comes with the connection; whatever comes after it, or a change, shows that the watch lives.
        heard = next.value.value.type !== 'bookmark' || greeted
        greeted = true
        if (heard) for (const backoff of [this.#backoff, this.#expiries]) backoff.reset()
        this.#apply(next.value.value)
        this.#answers()
      }
    } finally {
      await changes.return?.(undefined).catch(() => undefined)
    }
  }

  #answers(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#options.onRecovered?.()
  }

  /** An expired watch is listed again at once, unless it never told anything: then its source may be ill. */
  #broken(error: unknown, heard: boolean): unknown {
    const { kind } = this.#source.faultOf(error)
    if (kind === 'expired') this.#forgotten = this.#place
    // Only a connection that broke leaves no doubt about where to go on.
    if (kind !== 'broken') this.#place = undefined
    return kind === 'expired' && heard ? undefined : error
  }

  #apply(change: SourceChange<R, O>): void {
    if (change.type === 'bookmark') this.#place = { revision: change.revision }
    else {
      this.#place = { revision: change.object.revision }
      // A watch that was taken up again may repeat itself.
      const isRepeated = this.store.get(change.object.name)?.revision === change.object.revision
      if (change.type === 'put' && !isRepeated) this.#put(change.object)
      if (change.type === 'delete') this.#delete(change.object)
    }
  }

  #replace({ objects }: { readonly objects: readonly O[] }): void {
    const names = new Set(objects.map(({ name }) => name))
    for (const object of this.store.values()) if (!names.has(object.name)) this.#delete(object)
    for (const object of objects) {
      // After a loss of history the same revision may be that of another write.
      if (!isDeepStrictEqual(this.store.get(object.name), object)) this.#put(object)
    }
    if (this.#isSynced) return
    this.#isSynced = true
    this.#options.onSynced?.(this.store)
    this.synced.resolve()
  }

  #put(object: O): void {
    const before = this.store.get(object.name)
    this.store.set(object.name, object)
    this.#tell({ type: 'put', object, before })
  }

  #delete(object: O): void {
    const before = this.store.get(object.name)
    if (before === undefined) return
    this.store.delete(object.name)
    this.#tell({ type: 'delete', object, before })
  }

  #tell(change: MapChange<O>): void {
    for (const listener of this.#listeners) listener(change)
  }
}

async function attempt<T>(promise: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await promise }
  } catch (error) {
    return { error }
  }
}
