/**
 * Says that there is something to do, however often it is said meanwhile.
 * @module
 */

/** A bell with one listener. */
export class Bell {
  #isRung = false
  #wake: () => void = () => undefined

  ring(): void {
    this.#isRung = true
    this.#wake()
  }

  /** Waits until the bell was rung since the last time. False when `signal` aborted. */
  async rung(signal: AbortSignal): Promise<boolean> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const wake = (): void => resolve()
      this.#wake = wake
      signal.addEventListener('abort', wake)
      await promise
      signal.removeEventListener('abort', wake)
    }
    this.#isRung = false
    return !signal.aborted
  }
}
