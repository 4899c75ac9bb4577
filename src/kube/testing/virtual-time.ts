/**
 * Time that passes when a test says so.
 * @module
 */
import type { Moment } from '../election/contender.ts'

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** A clock, and everybody who sleeps by it. */
export class VirtualTime {
  #now = 0
  /** Of a machine's second clock: moves along, and where a test puts it. */
  wallOffset = 1_000_000
  readonly #sleepers = new Set<Sleeper>()

  readonly now = (): Moment => ({ monotonic: this.#now, wall: this.#now + this.wallOffset })

  readonly sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const wake = (): void => {
        this.#sleepers.delete(sleeper)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { until: this.#now + milliseconds, wake }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', wake)
    })

  /** Lets time pass, and everybody act in it as it comes. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      await settle()
      const [next] = [...this.#sleepers].toSorted((a, b) => a.until - b.until)
      if (next === undefined || next.until > end) break
      this.#now = Math.max(this.#now, next.until)
      next.wake()
    }
    this.#now = end
    await settle()
  }

  /** Nobody acts while this time passes: their process is stopped. */
  freeze(milliseconds: number): void {
    this.#now += milliseconds
  }
}

/** Until nobody has anything more to do without time passing. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve()
}
