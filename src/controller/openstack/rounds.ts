/**
 * When each of many is looked at anew: now and then, and not all of them at the same moment. Pure; the caller brings the clock.
 * @module
 */

/** Whose turn it is. */
export class Rounds {
  readonly #next = new Map<string, number>()
  readonly #every: number
  readonly #random: () => number

  constructor(every: number, random: () => number) {
    this.#every = every
    this.#random = random
  }

  /** Those of these names whose turn it is now. Who is new has it at once, and then at a moment of its own. */
  take(names: ReadonlySet<string>, now: number): readonly string[] {
    for (const name of this.#next.keys()) if (!names.has(name)) this.#next.delete(name)
    return [...names].filter((name) => {
      const next = this.#next.get(name)
      if (next !== undefined && now < next) return false
      this.#next.set(name, now + (next === undefined ? this.#every * this.#random() : this.#every))
      return true
    })
  }
}
