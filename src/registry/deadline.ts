/**
 * How long a call may take.
 * @module
 */

/**
 * A deadline joined with a caller's signal. Takes its listener off the signal again: a signal that lives as long as the
 * program must not collect one per request.
 */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #signal: AbortSignal | undefined
  readonly #abort = (): void => this.#controller.abort()
  passed = false

  constructor(signal: AbortSignal | undefined, milliseconds: number) {
    this.#signal = signal
    this.#timer = setTimeout(() => {
      this.passed = true
      this.#controller.abort()
    }, milliseconds)
    signal?.addEventListener('abort', this.#abort)
    if (signal?.aborted === true) this.#controller.abort()
  }

  /** Aborts at the deadline and with the caller's signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** For a body that outlives the deadline: the body's own signal, or the deadline. */
  until(bodySignal: AbortSignal | undefined): AbortSignal {
    return bodySignal === undefined ? this.signal : AbortSignal.any([this.signal, bodySignal])
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
  }
}
