/**
 * Failures in a row, by what they concern. A row ends with a success, and when nothing is left to do: whoever else wrote
 * it, the next failure is another one's first.
 * @module
 */
import { Backoff, type BackoffOptions } from '../registry/backoff.ts'

interface Streak {
  readonly patience: Backoff
  /** The last failure was that nothing could be seen in the way. */
  wasHidden: boolean
  /** Its next try is being waited for or under way. */
  isPending: boolean
}

/** Failures in a row. */
export class Streaks {
  readonly #random: () => number
  readonly #backoff: BackoffOptions | undefined
  readonly #streaks = new Map<string, Streak>()

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number, backoff?: BackoffOptions) {
    this.#random = random
    this.#backoff = backoff
  }

  has(key: string): boolean {
    return this.#streaks.has(key)
  }

  /** One more failure. How long to wait, in milliseconds; `atOnce`: not at all after the first. */
  failed(key: string, { atOnce, isHidden }: { readonly atOnce: boolean; readonly isHidden: boolean }): number {
    const known = this.#streaks.get(key)
    const streak = known ?? { patience: new Backoff(this.#random, this.#backoff), wasHidden: isHidden, isPending: true }
    streak.wasHidden = isHidden
    streak.isPending = true
    this.#streaks.set(key, streak)
    return known === undefined && atOnce ? 0 : streak.patience.next()
  }

  /** Whether the last failure was that nothing could be seen in the way. */
  wasHidden(key: string): boolean {
    return this.#streaks.get(key)?.wasHidden ?? false
  }

  /** The wait is over; whether anything is left to do will be seen. */
  waited(key: string): void {
    const streak = this.#streaks.get(key)
    if (streak !== undefined) streak.isPending = false
  }

  /** It is tried again. */
  tried(key: string): void {
    const streak = this.#streaks.get(key)
    if (streak !== undefined) streak.isPending = true
  }

  succeeded(key: string): void {
    this.#streaks.delete(key)
  }

  /** Nothing is left to do, but for what is waited for or under way. */
  rest(): void {
    for (const [key, { isPending }] of this.#streaks) if (!isPending) this.#streaks.delete(key)
  }
}
