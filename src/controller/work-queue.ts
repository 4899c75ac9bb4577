/**
 * Names that something is to be done for, each once, in the order in which they came. A name that is being worked on
 * is not given out again before that is done, however often it is added meanwhile.
 * @module
 */

/** A queue of names. */
export class WorkQueue {
  readonly #waiting = new Set<string>()
  readonly #busy = new Set<string>()
  /** Added while they were worked on. */
  readonly #again = new Set<string>()

  add(name: string): void {
    if (this.#busy.has(name)) this.#again.add(name)
    else this.#waiting.add(name)
  }

  /** The next name, which is then being worked on until {@link done}. */
  take(): string | undefined {
    const [name] = this.#waiting
    if (name === undefined) return undefined
    this.#waiting.delete(name)
    this.#busy.add(name)
    return name
  }

  done(name: string): void {
    this.#busy.delete(name)
    if (this.#again.delete(name)) this.#waiting.add(name)
  }

  isBusy(name: string): boolean {
    return this.#busy.has(name)
  }
}
