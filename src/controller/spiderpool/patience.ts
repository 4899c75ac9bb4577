/**
 * What somebody undoes again and again is put back ever more seldom.
 * @module
 */
import { Backoff } from '../../registry/backoff.ts'

const PAUSES = { first: 500, most: 300_000 } as const
/** Whoever leaves a thing alone for this long after its pause is a newcomer. */
const FORGIVEN_MS = 60_000

/** How long each thing is left alone. */
export class Patience {
  readonly #things = new Map<string, Thing>()
  readonly #now: () => number

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Milliseconds until a thing may be written in these words; 0: now. */
  pause(key: string, words: string): number {
    return Math.max(0, (this.#known(key, words)?.until ?? 0) - this.#now())
  }

  /** It was written. */
  wrote(key: string, words: string): void {
    const now = this.#now()
    const known = this.#known(key, words)
    const isNew = known === undefined || now > known.until + FORGIVEN_MS
    const backoff = isNew ? new Backoff(Math.random, PAUSES) : known.backoff
    this.#things.set(key, { words, backoff, until: now + backoff.next() })
  }

  forget(key: string): void {
    this.#things.delete(key)
  }

  /** Other words are no insistence. */
  #known(key: string, words: string): Thing | undefined {
    const known = this.#things.get(key)
    return known?.words === words ? known : undefined
  }
}

interface Thing {
  readonly words: string
  readonly backoff: Backoff
  readonly until: number
}
