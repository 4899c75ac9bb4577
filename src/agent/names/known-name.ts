/**
 * What is known of one name, and how long it counts. Pure; times are milliseconds on the caller's clock.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import type { Found } from './lookup.ts'

/** TTLs that count: a shorter one would have us ask all the time, a longer one would keep what nobody meant to promise. */
const TTL = { least: 5_000, most: 30 * 60_000 }

/** How long the last answer stands beyond its TTL while nobody answers. Then the name is unknown: its denials are for everybody. */
const GRACE = 60_000

/** Between two tries of a name that fails. */
const RETRY = { first: 1_000, most: 30_000 }

/** More addresses than this are not kept of a name; those that were not in an answer for longest go first. */
const MOST_HELD = 512

/** One name. */
export class KnownName {
  /** Until when each address counts. */
  readonly #held = new Map<Ip, number>()
  #due: number
  /** Until when the last answer stands; undefined: there is none. */
  #standsUntil: number | undefined
  #failures = 0
  #failure: string | undefined
  /** When something of it ends next. */
  #ends = Number.POSITIVE_INFINITY

  constructor(now: number) {
    this.#due = now
  }

  /** When it is to be looked up next. */
  get due(): number {
    return this.#due
  }

  /** Names whose answer counts go first, new ones second, those that fail last: nobody's bad names hold up another's. */
  get rank(): number {
    if (this.#failures > 0) return 2
    return this.#standsUntil === undefined ? 1 : 0
  }

  /** Why it has no addresses, for people; undefined while it has, or while nobody has answered the first time. */
  problem(now: number): string | undefined {
    return this.#stands(now) ? undefined : this.#failure
  }

  /**
   * What it stands for, in order; undefined: not known. An address that an answer does not repeat counts for one TTL
   * more: whoever asked a moment before us uses it that long, and many names give a few of many addresses each time.
   */
  addresses(now: number): readonly Ip[] | undefined {
    if (!this.#stands(now)) return undefined
    const isRefreshed = this.#failures === 0
    return [...this.#held].flatMap(([address, until]) => (until > now || !isRefreshed ? [address] : [])).sort()
  }

  /** Whether something of it has ended by now; once. */
  hasEnded(now: number): boolean {
    if (now < this.#ends) return false
    this.#schedule(now)
    return true
  }

  /** A lookup is over. `random` is from 0 up to 1. */
  found(found: Found, now: number, random: number): void {
    if ('failure' in found) this.#failed(found.failure, now, random)
    else this.#answered(found, now)
    this.#schedule(now)
  }

  #stands(now: number): boolean {
    return this.#standsUntil !== undefined && now < this.#standsUntil
  }

  #schedule(now: number): void {
    const ends = this.#failures > 0 ? [] : [...this.#held.values()]
    this.#ends = Math.min(...[...ends, this.#standsUntil ?? 0].filter((end) => end > now))
  }

  #failed(failure: string, now: number, random: number): void {
    const pause = Math.min(RETRY.most, RETRY.first * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 30)
    this.#failure = failure
    this.#due = now + pause * (0.75 + random / 4)
  }

  #answered({ addresses, ttl }: Extract<Found, { readonly ttl: number }>, now: number): void {
    const span = Math.min(TTL.most, Math.max(TTL.least, ttl * 1000))
    this.#failures = 0
    this.#failure = undefined
    this.#due = now + span
    this.#standsUntil = now + span + GRACE
    // That there is none is said of all of them.
    if (addresses.length === 0) this.#held.clear()
    for (const [address, until] of this.#held) if (until <= now) this.#held.delete(address)
    for (const address of addresses) {
      this.#held.delete(address)
      this.#held.set(address, now + 2 * span)
    }
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= MOST_HELD) break
      this.#held.delete(oldest)
    }
  }
}
