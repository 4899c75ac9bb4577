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

  async #run(): Promise<void> {
    clearTimeout(this.#retry)
    this.#running = true
    do {
      this.#again = false
      if (this.#signal.aborted) break
      try {
        await this.#job()
        this.#failures = 0
      } catch (error) {
        if (this.#signal.aborted) break
        this.#onError(error)
        this.#retryLater()
      }
    } while (this.#again)
    this.#running = false
  }

  #retryLater(): void {
    const pause = Math.min(100 * 2 ** this.#failures, MAX_PAUSE_MS)
    this.#failures += 1
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.request(), pause)
  }
}

const MAX_PAUSE_MS = 5_000
