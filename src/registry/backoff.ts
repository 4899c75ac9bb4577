/**
 * Waiting: how long before trying again, and for an end.
 * @module
 */

/** Bounds of the waiting time in milliseconds. */
export interface BackoffOptions {
  readonly first?: number
  readonly most?: number
}

/** Grows with every failure, and is spread so that a hundred clients of one server do not come back as one. */
export class Backoff {
  readonly #first: number
  readonly #most: number
  readonly #random: () => number
  #failures = 0

  /** `random` gives numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number, options: BackoffOptions = {}) {
    this.#random = random
    this.#first = options.first ?? 100
    this.#most = options.most ?? 10_000
  }

  /**
   * The time to wait after one more failure: half of it certain, half of it by chance. The first one is chance alone:
   * when a server goes, all its clients are at their first, in the same moment.
   */
  next(): number {
    const span = Math.min(this.#most, this.#first * 2 ** this.#failures)
    const certain = this.#failures === 0 ? 0 : span / 2
    this.#failures = Math.min(this.#failures + 1, 30)
    return certain + (span - certain) * this.#random()
  }

  /** Forgets the failures after a success. */
  reset(): void {
    this.#failures = 0
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Waits, or returns early when `signal` aborts. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}
