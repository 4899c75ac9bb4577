/**
 * Things to do, one at a time, each at most once in the queue.
 * @module
 */

/** How a queue works. */
export interface WorkOptions {
  /** Does one thing. What it throws is told, and the thing is tried again later. */
  work(key: string): Promise<void>
  readonly log: (message: string, error: unknown) => void
  /** Milliseconds before what failed is tried again. */
  readonly retry?: number
}

const RETRY = 1000
/** Milliseconds of work before everybody else gets a turn. */
const TURN = 5

/** A queue of keys. */
export class WorkQueue {
  readonly #options: WorkOptions
  readonly #keys = new Set<string>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(options: WorkOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#isStopped) return
    this.#keys.add(key)
    this.#running ??= this.#run()
  }

  /** Ends after the thing at hand. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#keys.clear()
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#running
  }

  async #run(): Promise<void> {
    // What is added within a call that writes is done after it.
    await Promise.resolve()
    let since = performance.now()
    for (const key of this.#keys) {
      this.#keys.delete(key)
      if (performance.now() - since > TURN) {
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
      try {
        await this.#options.work(key)
      } catch (error) {
        this.#options.log('a controller failed', error)
        this.#again(key)
      }
    }
    this.#running = undefined
  }

  #again(key: string): void {
    if (this.#isStopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.add(key)
    }, this.#options.retry ?? RETRY)
    this.#timers.add(timer)
  }
}
