/**
 * Work by key: what changed often is done once, and never by two at a time.
 * @module
 */
import { Backoff, type BackoffOptions, sleep } from '../registry/backoff.ts'

/** How a {@link WorkQueue} works. */
export interface WorkQueueOptions {
  /** Brings one key in order. Throwing means: try again later. A number means: again after so many milliseconds. */
  readonly work: (key: string, signal: AbortSignal) => Promise<number | undefined>
  /** Ends the queue; work that runs is told by the same signal. */
  readonly signal: AbortSignal
  /** Keys at a time. 4 when absent. */
  readonly concurrency?: number
  /** Called for every failure, with the milliseconds until the next try. */
  readonly onError?: (key: string, error: unknown, retryIn: number) => void
  readonly backoff?: BackoffOptions
  readonly random?: () => number
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A queue of keys, each of which is worked on by one worker at a time. */
export class WorkQueue {
  /** When the signal aborted and nothing runs any more. Never rejects. */
  readonly done: Promise<void>
  readonly #options: WorkQueueOptions
  readonly #done = Promise.withResolvers<void>()
  /** In the order in which they were added. */
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  readonly #failing = new Map<string, Backoff>()
  /** Keys that come back later, and how to keep them from it. */
  readonly #later = new Map<string, AbortController>()

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.done = this.#done.promise
    const end = (): void => {
      this.#waiting.clear()
      for (const timer of this.#later.values()) timer.abort()
      this.#endIfIdle()
    }
    if (options.signal.aborted) end()
    else options.signal.addEventListener('abort', end, { once: true })
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#waiting.size
  }

  /** Asks for a key to be worked on, once more if it is being worked on now. Does not shorten a pause after failures. */
  add(key: string): void {
    if (this.#options.signal.aborted || (this.#failing.has(key) && this.#later.has(key))) return
    this.#later.get(key)?.abort()
    this.#later.delete(key)
    this.#waiting.add(key)
    this.#next()
  }

  #next(): void {
    const { concurrency = 4 } = this.#options
    for (const key of this.#waiting) {
      if (this.#running.size >= concurrency) return
      if (this.#running.has(key)) continue
      this.#waiting.delete(key)
      this.#running.add(key)
      void this.#run(key)
    }
  }

  async #run(key: string): Promise<void> {
    const { work, signal, onError } = this.#options
    try {
      const again = await work(key, signal)
      this.#failing.delete(key)
      if (again !== undefined) this.#addLater(key, again)
    } catch (error) {
      const patience = this.#failing.get(key) ?? new Backoff(this.#options.random ?? Math.random, this.#options.backoff)
      this.#failing.set(key, patience)
      // It waits for its pause, even when it was asked for again meanwhile.
      this.#waiting.delete(key)
      const retryIn = patience.next()
      if (!signal.aborted) onError?.(key, error, retryIn)
      this.#addLater(key, retryIn)
    }
    this.#running.delete(key)
    this.#next()
    this.#endIfIdle()
  }

  #addLater(key: string, milliseconds: number): void {
    if (this.#options.signal.aborted) return
    const timer = new AbortController()
    this.#later.get(key)?.abort()
    this.#later.set(key, timer)
    void (this.#options.sleep ?? sleep)(milliseconds, timer.signal).then(() => {
      if (timer.signal.aborted) return
      this.#later.delete(key)
      this.add(key)
    })
  }

  #endIfIdle(): void {
    if (this.#options.signal.aborted && this.#running.size === 0) this.#done.resolve()
  }
}
