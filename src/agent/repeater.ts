/**
 * Runs one job again and again on request: never twice at once, requests during a run lead to one more, and a failed
 * run is repeated after a pause that grows.
 * @module
 */

/** A job that can be asked for at any time. */
export class Repeater {
  readonly #job: () => Promise<void>
  readonly #onError: (error: unknown) => void
  readonly #signal: AbortSignal
  #running = false
  #again = false
  #failures = 0
  #idle = Promise.withResolvers<void>()
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(job: () => Promise<void>, onError: (error: unknown) => void, signal: AbortSignal) {
    this.#job = job
    this.#onError = onError
    this.#signal = signal
    signal.addEventListener('abort', () => clearTimeout(this.#retry), { once: true })
  }

  /** Asks for a run, now or as soon as the present one is over. */
  request(): void {
    if (this.#running) this.#again = true
    else void this.#run()
  }

  /** Runs the job now, after a present run, and resolves with that run's end; rejects with its failure. */
  async runNow(): Promise<void> {
    while (this.#running) await this.#idle.promise
    const failure = await this.#run()
    if (failure !== undefined) throw failure.error
  }

  /** The failure of the last run, if it failed. */
  async #run(): Promise<{ readonly error: unknown } | undefined> {
    clearTimeout(this.#retry)
    this.#running = true
    this.#idle = Promise.withResolvers<void>()
    let failure: { readonly error: unknown } | undefined
    do {
      this.#again = false
      failure = await this.#attempt()
    } while (this.#again && !this.#signal.aborted)
    this.#running = false
    this.#idle.resolve()
    return failure
  }

  async #attempt(): Promise<{ readonly error: unknown } | undefined> {
    try {
      if (!this.#signal.aborted) await this.#job()
      this.#failures = 0
      clearTimeout(this.#retry)
      return undefined
    } catch (error) {
      if (this.#signal.aborted) return undefined
      this.#onError(error)
      this.#retryLater()
      return { error }
    }
  }

  #retryLater(): void {
    const pause = Math.min(100 * 2 ** this.#failures, MAX_PAUSE_MS)
    this.#failures += 1
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.request(), pause)
  }
}

const MAX_PAUSE_MS = 5_000
