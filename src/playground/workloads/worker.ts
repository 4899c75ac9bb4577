/**
 * Work by key: a key that is asked for again while it is worked on gets its turn afterwards, never two at once.
 * @module
 */
import { Backoff } from '../../registry/backoff.ts'

/** How keys are worked on. */
export interface WorkerOptions {
  /** Works on one key; resolves with milliseconds after which it wants another turn, if it does. */
  readonly work: (key: string) => Promise<number | undefined>
  /** A key's work failed; it is tried again after so many milliseconds. */
  readonly onError: (error: unknown, key: string, retryIn: number) => void
  /** Keys worked on at the same time. */
  readonly parallel: number
  readonly signal: AbortSignal
  readonly random?: () => number
}

/** A queue of keys and those who work on them. */
export class KeyedWorker {
  readonly #options: WorkerOptions
  readonly #waiting = new Set<string>()
  readonly #busy = new Set<string>()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  readonly #failures = new Map<string, Backoff>()
  #isOpen = false
  #idle = Promise.withResolvers<void>()

  constructor(options: WorkerOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** Asks for a turn. */
  add(key: string): void {
    if (this.#options.signal.aborted) return
    this.#waiting.add(key)
    this.#next()
  }

  /** Begins to work; until then keys only wait. */
  open(): void {
    this.#isOpen = true
    this.#next()
  }

  /** When `signal` aborted and the last turn is over. */
  async done(): Promise<void> {
    while (!this.#options.signal.aborted || this.#busy.size > 0) await this.#idle.promise
  }

  #next(): void {
    const { parallel, signal } = this.#options
    if (!this.#isOpen || signal.aborted) return
    for (const key of this.#waiting) {
      if (this.#busy.size >= parallel) return
      if (this.#busy.has(key)) continue
      this.#waiting.delete(key)
      void this.#turn(key)
    }
  }

  async #turn(key: string): Promise<void> {
    this.#busy.add(key)
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    const { work, onError, random = Math.random } = this.#options
    try {
      const again = await work(key)
      this.#failures.delete(key)
      if (again !== undefined) this.#later(key, again)
    } catch (error) {
      const backoff = this.#failures.get(key) ?? new Backoff(random, { first: 50, most: 30_000 })
      this.#failures.set(key, backoff)
      const pause = backoff.next()
      if (!this.#options.signal.aborted) onError(error, key, pause)
      this.#later(key, pause)
    }
    this.#busy.delete(key)
    this.#wake()
    this.#next()
  }

  #later(key: string, milliseconds: number): void {
    if (this.#options.signal.aborted) return
    const timer = setTimeout(() => this.add(key), Math.min(milliseconds, LONGEST))
    this.#timers.set(key, timer)
  }

  #stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#waiting.clear()
    this.#wake()
  }

  #wake(): void {
    this.#idle.resolve()
    this.#idle = Promise.withResolvers()
  }
}

/** Timers know no longer wait. */
const LONGEST = 2 ** 31 - 1
