/**
 * All cluster-wide pools of addresses with what is free in each. A change of a pool costs something when somebody asks
 * next: a hundred changes in a row are one.
 * @module
 */
import type { Ip } from '../network/model/address.ts'
import { type IpRange, isInRange } from '../network/model/ip-range.ts'
import type { AddressPool, ReservedAddresses } from '../network/model/pool.ts'
import { type RangeSet, rangeSet, sizeOf, without } from './range-set.ts'
import { type PoolCounts, SharedPool } from './shared-pool.ts'

/** How many addresses of a pool are in which state. */
export interface SharedPoolCounts extends PoolCounts {
  /** Of its own, kept by objects that reserve addresses. */
  readonly reserved: bigint
}

/** Why pools give nothing out, by name: those that contradict others, and those that cannot be understood. */
export type PoolProblems = (pools: Iterable<AddressPool>) => ReadonlyMap<string, string>

/**
 * Pools, what is reserved, and what is claimed. An address is claimed once, by whoever says so first. A claim counts in the
 * pool that it was taken from; where that is gone, gives nothing out or no longer has the address, the claim is a stray,
 * and counts in whichever pool has the address by now.
 */
export class SharedPools {
  readonly #problemsOf: PoolProblems
  readonly #restFor: number
  readonly #pools = new Map<string, AddressPool>()
  /** Of pools that give something out; some of them as they were before something changed. */
  readonly #free = new Map<string, SharedPool>()
  /** Those pools, and those that are to be among them. */
  readonly #outdated = new Set<string>()
  readonly #reserved = new Map<string, readonly IpRange[]>()
  /** By the name of the pool that each was taken from. */
  readonly #strays = new Map<string, Set<Ip>>()
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
    this.#takenChanged([...(this.#pools.get(pool.name)?.occupied ?? []), ...(pool.occupied ?? [])])
    this.#pools.set(pool.name, pool)
    this.#outdated.add(pool.name)
    this.#isJudged = false
  }

  remove(name: string): void {
    const pool = this.#pools.get(name)
    if (pool === undefined) return
    this.#takenChanged(pool.occupied ?? [])
    this.#pools.delete(name)
    this.#outdated.add(name)
    this.#isJudged = false
  }

  reserve({ name, ranges }: ReservedAddresses): void {
    this.#takenChanged([...(this.#reserved.get(name) ?? []), ...ranges])
    this.#reserved.set(name, ranges)
  }

  unreserve(name: string): void {
    this.#takenChanged(this.#reserved.get(name) ?? [])
    this.#reserved.delete(name)
  }

  /** An address is somebody's; `pool` is the one it was taken from. Twice is fine. */
  claim(address: Ip, pool: string): void {
    this.#settle()
    if (this.#free.get(pool)?.mark(address) !== true) this.#stray(address, pool)
  }

  /** An address that was claimed is nobody's any more. */
  release(address: Ip, pool: string, now: number): void {
    this.#settle()
    if (this.#unstray(address, pool)) for (const free of this.#free.values()) free.release(address, now)
    else this.#free.get(pool)?.release(address, now)
  }

  /** Why a pool gives nothing out; undefined where it does, and for one that is not there. */
  problemOf(name: string): string | undefined {
    this.#settle()
    return this.#pools.get(name)?.problem ?? this.#problems.get(name)
  }

  /** A free address of a pool, as {@link SharedPool.pick} chooses it. Undefined for a pool that gives nothing out. */
  pick(name: string, now: number, spread?: number, chance?: number): Ip | undefined {
    this.#settle()
    return this.#free.get(name)?.pick(now, spread, chance)
  }

  /** Whether an address is among those that a pool gives out, whoever has it. */
  gives(name: string, address: Ip): boolean {
    this.#settle()
    const free = this.#free.get(name)
    if (free === undefined || free.has(address)) return free !== undefined
    const holds = (range: IpRange): boolean => isInRange(range, address)
    return this.#occupied().some(holds) && this.#givenOutOf(this.#pools.get(name)).some(holds)
  }

  /** Whether a pool gives this address out and nobody has it. */
  isFree(name: string, address: Ip): boolean {
    this.#settle()
    return this.#free.get(name)?.isFree(address) === true
  }

  /** Undefined for a pool that gives nothing out. */
  counts(name: string): SharedPoolCounts | undefined {
    this.#settle()
    const pool = this.#pools.get(name)
    const counts = this.#free.get(name)?.counts()
    if (pool === undefined || counts === undefined) return undefined
    const total = sizeOf(this.#givenOutOf(pool))
    const reserved = sizeOf(without(pool.ranges, pool.excluded)) - total
    return { ...counts, total, leased: counts.leased + Number(total - counts.total), reserved }
  }

  /** Addresses of a pool that are kept back for nobody. */
  #givenOutOf(pool: AddressPool | undefined): RangeSet {
    return without(pool?.ranges ?? [], [...(pool?.excluded ?? []), ...[...this.#reserved.values()].flat()])
  }

  /** What others gave out, from whichever pool it was. */
  #occupied(): readonly IpRange[] {
    return [...this.#pools.values()].flatMap(({ occupied }) => occupied ?? [])
  }

  /** Everything counts where it is to count by now. Of no cost where nothing changed. */
  #settle(): void {
    if (!this.#isJudged) this.#judge()
    if (this.#outdated.size === 0) return
    const names = [...this.#outdated]
    this.#outdated.clear()
    const before = new Map(names.map((name) => [name, this.#free.get(name)]))
    for (const name of names) this.#free.delete(name)
    // All are taken apart before any is put together: what one gave up, another may have.
    for (const [name, old] of before) for (const address of old?.leased() ?? []) this.#keep(address, name)
    for (const [name, old] of before) {
      const pool = this.#pools.get(name)
      const isUsable = pool !== undefined && pool.problem === undefined && !this.#problems.has(name)
      if (isUsable) this.#free.set(name, this.#freeOf(pool, old))
    }
  }

  /** A claim that counted in a pool is a stray, unless it was one already. */
  #keep(address: Ip, pool: string): void {
    for (const group of this.#strays.values()) if (group.has(address)) return
    this.#stray(address, pool)
  }

  #freeOf(pool: AddressPool, before: SharedPool | undefined): SharedPool {
    const free = new SharedPool(pool.family, without(this.#givenOutOf(pool), this.#occupied()), this.#restFor)
    for (const [address, since] of before?.resting() ?? []) {
      free.mark(address)
      free.release(address, since)
    }
    for (const [name, group] of this.#strays) {
      for (const address of group) {
        if (free.mark(address) && name === pool.name) this.#unstray(address, name)
      }
    }
    return free
  }

  #stray(address: Ip, pool: string): void {
    const group = this.#strays.get(pool)
    if (group === undefined) this.#strays.set(pool, new Set([address]))
    else group.add(address)
    for (const free of this.#free.values()) free.mark(address)
  }

  /** False where it was none. */
  #unstray(address: Ip, pool: string): boolean {
    const group = this.#strays.get(pool)
    if (group?.delete(address) !== true) return false
    if (group.size === 0) this.#strays.delete(pool)
    return true
  }

  /** Which pools are refused may be another set now. */
  #judge(): void {
    const before = this.#problems
    this.#isJudged = true
    this.#problems = this.#problemsOf(this.#pools.values())
    for (const name of this.#pools.keys()) {
      if (before.has(name) !== this.#problems.has(name)) this.#outdated.add(name)
    }
  }

  /** Addresses that no pool gives out are others now. */
  #takenChanged(ranges: readonly IpRange[]): void {
    if (ranges.length === 0) return
    for (const { name, ranges: of } of this.#pools.values()) {
      const own = rangeSet(of)
      if (sizeOf(without(own, ranges)) !== sizeOf(own)) this.#outdated.add(name)
    }
  }
}
