/**
 * How often a derived text may be written: at once, then not again for a while that grows with its length; and what
 * somebody else undoes is not fought over.
 * @module
 */

/** Between two writes about one object; and for every record in it. */
const BASE_MS = 500
const PER_RECORD_MS = 1
const LONGEST_MS = 10_000
/** Whoever undoes what was written has it written again after this time, and not before. */
const INSIST_MS = 300_000

/** Remembers what was written when. */
export class Pace {
  readonly #written = new Map<string, { readonly words: string; readonly at: number }>()
  readonly #now: () => number

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Milliseconds until something about an object with so many records may be written again; 0 or less: now. */
  pause(name: string, records: number): number {
    const last = this.#written.get(name)
    if (last === undefined) return 0
    return last.at + Math.min(LONGEST_MS, BASE_MS + records * PER_RECORD_MS) - this.#now()
  }

  /** Milliseconds until the very words that were written last may be written again: nobody has read them yet, or somebody undid them. */
  insistence(name: string, words: string): number {
    const last = this.#written.get(name)
    return last?.words === words ? last.at + INSIST_MS - this.#now() : 0
  }

  wrote(name: string, words: string): void {
    this.#written.set(name, { words, at: this.#now() })
  }

  forget(name: string): void {
    this.#written.delete(name)
  }
}
