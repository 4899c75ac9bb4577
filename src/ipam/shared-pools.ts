/**
 * All cluster-wide pools of addresses with what is free in each. A pool costs something only when it is asked for
 * something: a hundred changes in a row are one.
 * @module
 */
import type { Ip } from '../network/model/address.ts'
import type { IpRange } from '../network/model/ip-range.ts'
import type { AddressPool, ReservedAddresses } from '../network/model/pool.ts'
import { rangeSet, sizeOf, without } from './range-set.ts'
import { type PoolCounts, SharedPool } from './shared-pool.ts'

/** How many addresses of a pool are in which state. */
export interface SharedPoolCounts extends PoolCounts {
  /** Of its own, kept by objects that reserve addresses. */
  readonly reserved: bigint
}

/** Why pools give nothing out, by name: those that contradict others, and those that cannot be understood. */
export type PoolProblems = (pools: Iterable<AddressPool>) => ReadonlyMap<string, string>

/** Pools, what is reserved, and what is claimed. An address is claimed once, by whoever says so first. */
export class SharedPools {
  readonly #problemsOf: PoolProblems
  readonly #restFor: number
  readonly #pools = new Map<string, AddressPool>()
  /** Of pools that somebody asked for something since they last changed. */
  readonly #free = new Map<string, SharedPool>()
  /** Of pools that changed since: what rested there rests on. */
  readonly #before = new Map<string, SharedPool>()
  readonly #reserved = new Map<string, readonly IpRange[]>()
  /** By the name of the pool that each was taken from, which may be gone. */
  readonly #claimed = new Map<string, Set<Ip>>()
  #problems: ReadonlyMap<string, string> = new Map()
  /** Pools changed, and nobody has asked since which of them are refused. */
  #isJudged = true

  /** `restFor`: how long an address that was given back goes last, in the unit of the clock. */
  constructor(problemsOf: PoolProblems, restFor: number) {
    this.#problemsOf = problemsOf
    this.#restFor = restFor
  }

  get(name: string): AddressPool | undefined {
    return this.#pools.get(name)
  }

  values(): Iterable<AddressPool> {
    return this.#pools.values()
  }

  put(pool: AddressPool): void {
    this.#pools.set(pool.name, pool)
    this.#isJudged = false
    this.#forget(pool.name)
  }

  remove(name: string): void {
    this.#pools.delete(name)
    this.#isJudged = false
    this.#free.delete(name)
    this.#before.delete(name)
  }

  reserve({ name, ranges }: ReservedAddresses): void {
    this.#reservedChanged([...(this.#reserved.get(name) ?? []), ...ranges])
    this.#reserved.set(name, ranges)
  }

  unreserve(name: string): void {
    this.#reservedChanged(this.#reserved.get(name) ?? [])
    this.#reserved.delete(name)
  }

  /** An address is somebody's; `pool` is the one it was taken from. Twice is fine. */
  claim(address: Ip, pool: string): void {
    const group = this.#claimed.get(pool)
    if (group === undefined) this.#claimed.set(pool, new Set([address]))
    else group.add(address)
    for (const free of this.#holders(address, pool)) free.mark(address)
  }

  /** An address that was claimed is nobody's any more. */
  release(address: Ip, pool: string, now: number): void {
    const group = this.#claimed.get(pool)
    if (group?.delete(address) !== true) return
    if (group.size === 0) this.#claimed.delete(pool)
    for (const free of this.#holders(address, pool)) free.release(address, now)
  }

  /** Why a pool gives nothing out; undefined where it does, and for one that is not there. */
  problemOf(name: string): string | undefined {
    this.#judge()
    return this.#pools.get(name)?.problem ?? this.#problems.get(name)
  }

  /** A free address of a pool, as {@link SharedPool.pick} chooses it. Undefined for a pool that gives nothing out. */
  pick(name: string, now: number, spread?: number, chance?: number): Ip | undefined {
    return this.#usable(name)?.pick(now, spread, chance)
  }

  /** Whether a pool gives this address out. */
  gives(name: string, address: Ip): boolean {
    return this.#usable(name)?.has(address) === true
  }

  /** Whether a pool gives this address out and nobody has it. */
  isFree(name: string, address: Ip): boolean {
    return this.#usable(name)?.isFree(address) === true
  }

  /** Undefined for a pool that is not there. */
  counts(name: string): SharedPoolCounts | undefined {
    const pool = this.#pools.get(name)
    if (pool === undefined) return undefined
    const counts = this.#freeOf(pool).counts()
    return { ...counts, reserved: sizeOf(without(pool.ranges, pool.excluded)) - counts.total }
  }

  #usable(name: string): SharedPool | undefined {
    const pool = this.#pools.get(name)
    return pool === undefined || this.problemOf(name) !== undefined ? undefined : this.#freeOf(pool)
  }

  /** Where a claim counts: in its own pool, or, where that is of no use any more, in whichever has the address. */
  #holders(address: Ip, name: string): Iterable<SharedPool> {
    if (this.#free.size === 0) return []
    if (!this.#pools.has(name) || this.problemOf(name) !== undefined) return this.#free.values()
    const own = this.#free.get(name)
    if (own === undefined) return []
    return own.has(address) ? [own] : this.#free.values()
  }

  #freeOf(pool: AddressPool): SharedPool {
    const known = this.#free.get(pool.name)
    if (known !== undefined) return known
    const taken = [...pool.excluded, ...[...this.#reserved.values()].flat()]
    const free = new SharedPool(pool.family, without(pool.ranges, taken), this.#restFor)
    for (const [address, since] of this.#before.get(pool.name)?.resting() ?? []) {
      free.mark(address)
      free.release(address, since)
    }
    for (const [name, group] of this.#claimed) {
      const isOthers = name !== pool.name && this.#pools.has(name) && this.problemOf(name) === undefined
      if (!isOthers) for (const address of group) free.mark(address)
    }
    this.#before.delete(pool.name)
    this.#free.set(pool.name, free)
    return free
  }

  /** Which pools are refused may be another set now: whose claims count where, too. */
  #judge(): void {
    if (this.#isJudged) return
    const before = this.#problems
    this.#isJudged = true
    this.#problems = this.#problemsOf(this.#pools.values())
    const isSame = before.size === this.#problems.size && [...before.keys()].every((name) => this.#problems.has(name))
    if (!isSame) for (const name of [...this.#free.keys()]) this.#forget(name)
  }

  #reservedChanged(ranges: readonly IpRange[]): void {
    for (const name of [...this.#free.keys()]) {
      const own = rangeSet(this.#pools.get(name)?.ranges ?? [])
      if (sizeOf(without(own, ranges)) !== sizeOf(own)) this.#forget(name)
    }
  }

  #forget(name: string): void {
    const free = this.#free.get(name)
    if (free === undefined) return
    this.#before.set(name, free)
    this.#free.delete(name)
  }
}
