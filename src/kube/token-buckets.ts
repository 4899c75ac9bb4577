/**
 * Rate limits by key: a burst, then a trickle.
 * @module
 */

/** The rates. */
export interface BucketRates {
  /** Tokens at the start, and the most there ever are. */
  readonly burst: number
  /** Milliseconds until one more. */
  readonly refill: number
  /** Keys that are remembered; beyond them the one that was quiet for longest starts anew. */
  readonly most: number
}

/** A bucket of tokens for every key. */
export class TokenBuckets {
  readonly #rates: BucketRates
  readonly #buckets = new Map<string, { readonly tokens: number; readonly at: number }>()

  constructor(rates: BucketRates) {
    this.#rates = rates
  }

  /** Takes a token at a time in milliseconds; false when there is none. */
  take(key: string, now: number): boolean {
    const { burst, refill, most } = this.#rates
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now }
    const present = Math.min(burst, tokens + Math.max(0, now - at) / refill)
    const isThere = present >= 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: isThere ? present - 1 : present, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > most && oldest !== undefined) this.#buckets.delete(oldest)
    return isThere
  }
}
