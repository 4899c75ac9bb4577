/**
 * Which addresses of a cluster-wide pool are free, as one of many who take from it sees it. Whether an address can be
 * had is decided elsewhere, by whoever writes its claim first. Pure: the caller brings clock and chance.
 * @module
 */
import type { Family, Ip } from '../network/model/address.ts'
import { AddressSpace } from './address-space.ts'
import { BusySet } from './busy-set.ts'
import type { RangeSet } from './range-set.ts'

/** How many addresses are in which state. */
export interface PoolCounts {
  /** All that the pool gives out. */
  readonly total: bigint
  readonly leased: number
  /** Given back not long ago: they go last. */
  readonly resting: number
}

/** Of the resting ones that rest longest, so many at most are chosen from by chance. */
const MOST_RESTING_CHOICE = 256

/**
 * The addresses of a pool. Those that nobody had for a while go first, in order. One that was given back rests: it is
 * taken only when nothing else is free, the one that has rested longest first.
 */
export class SharedPool {
  readonly #space: AddressSpace
  readonly #restFor: number
  /** Leased and resting ones, by number. */
  readonly #busy: BusySet
  /** When resting ones were given back, in that order. */
  readonly #resting = new Map<number, number>()

  /** `addresses`: what it gives out. `restFor`: how long one that was given back goes last, in the unit of the clock. */
  constructor(family: Family, addresses: RangeSet, restFor: number) {
    this.#space = new AddressSpace(family, addresses)
    this.#restFor = restFor
    this.#busy = new BusySet(this.#space.numbered)
  }

  /** Whether it gives this address out. */
  has(address: Ip): boolean {
    return this.#space.numberOf(address) !== undefined
  }

  /** Whether nobody has it, as far as is known here. */
  isFree(address: Ip): boolean {
    const number = this.#space.numberOf(address)
    return number !== undefined && (!this.#busy.has(number) || this.#resting.has(number))
  }

  /** Somebody has it; twice is fine. False for addresses of others. */
  mark(address: Ip): boolean {
    const number = this.#space.numberOf(address)
    if (number === undefined) return false
    if (!this.#resting.delete(number)) this.#busy.add(number)
    return true
  }

  /** Nobody has it any more; it rests from then on. Of no effect for what nobody has. */
  release(address: Ip, now: number): void {
    const number = this.#space.numberOf(address)
    if (number !== undefined && this.#busy.has(number) && !this.#resting.has(number)) this.#resting.set(number, now)
  }

  /**
   * A free address, which stays free until it is marked: the first, or, with a `spread` above 1, one of about so many
   * that come next, by `chance` from 0 to below 1. Undefined when everything is leased.
   */
  pick(now: number, spread = 1, chance = 0): Ip | undefined {
    this.#wake(now)
    const first = this.#busy.nextFree(0)
    const number = first === undefined ? this.#rested(spread, chance) : this.#near(first, Math.floor(spread * chance))
    return number === undefined ? undefined : this.#space.addressOf(number)
  }

  counts(): PoolCounts {
    const resting = this.#resting.size
    return { total: this.#space.size, leased: this.#busy.count - resting, resting }
  }

  /** Those that somebody has, in no order. Nothing may be marked or released meanwhile. */
  *leased(): IterableIterator<Ip> {
    for (const number of this.#busy) if (!this.#resting.has(number)) yield this.#space.addressOf(number)
  }

  /** Those that were given back and since when, the one that has rested longest first. */
  *resting(): IterableIterator<readonly [Ip, number]> {
    for (const [number, since] of this.#resting) yield [this.#space.addressOf(number), since]
  }

  /** A free number some way behind the first one; round the end where there is none. */
  #near(first: number, further: number): number {
    return this.#busy.nextFree((first + further) % this.#space.numbered) ?? first
  }

  #rested(spread: number, chance: number): number | undefined {
    const choice = Math.min(spread, this.#resting.size, MOST_RESTING_CHOICE)
    let skip = Math.floor(choice * chance)
    for (const number of this.#resting.keys()) {
      if (skip === 0) return number
      skip -= 1
    }
    return undefined
  }

  /** Those that have rested long enough are like any other. All rest equally long: the first are done first. */
  #wake(now: number): void {
    for (const [number, since] of this.#resting) {
      if (since + this.#restFor > now) break
      this.#resting.delete(number)
      this.#busy.delete(number)
    }
  }
}
