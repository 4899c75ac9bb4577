/**
 * How far from a pool's first free address to look. Agents that all take the first one meet each other at every step; one
 * that met somebody looks further away, and the more often it happened lately, the further.
 * @module
 */

/** A meeting counts half of what it did after this long, in milliseconds. */
const FORGET_MS = 250
/** 4^6 addresses: more agents than that meet each other rarely. */
const MOST = 7

/** What happened lately, pool by pool. */
export class Contention {
  readonly #now: () => number
  readonly #levels = new Map<string, { readonly level: number; readonly at: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Somebody else had an address of the pool that seemed free. */
  met(pool: string): void {
    this.#levels.set(pool, { level: Math.min(MOST, this.#levelOf(pool) + 1), at: this.#now() })
  }

  /** Among how many addresses to choose. After one meeting it is still the first: two pods of a calm cluster get neighbours. */
  spreadOf(pool: string): number {
    const level = this.#levelOf(pool)
    return level <= 1 ? 1 : 4 ** (level - 1)
  }

  #levelOf(pool: string): number {
    const last = this.#levels.get(pool)
    if (last === undefined) return 0
    const level = last.level - Math.floor((this.#now() - last.at) / FORGET_MS)
    if (level > 0) return level
    this.#levels.delete(pool)
    return 0
  }
}
