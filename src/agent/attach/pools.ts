/**
 * The addresses of this node: one pool per range, filled from the lease records. Of a family the first range with room is taken
 * from, so that later ones run empty and can be given back.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import { IpamError } from '../../ipam/errors.ts'
import { AddressPool } from '../../ipam/pool.ts'
import { type RangeNeed, type RangeUse, rangeNeed } from '../../ipam/range-need.ts'
import type { LocalRange, NodeContext } from '../../network/context.ts'
import { type Cidr, contains, familyOf, firstIp, formatIp, type Ip, ipValue } from '../../network/model/address.ts'
import type { ClosingRange } from '../../network/model/node.ts'
import type { RangeFact } from '../control/facts.ts'

/** What of a node's context its pools depend on. */
export type PoolContext = Pick<NodeContext, 'ranges' | 'self' | 'cluster'>

/** Gives out addresses of the node's ranges. */
export class AddressPools {
  readonly #restMs: number
  readonly #now: () => number
  readonly #random: () => number
  #pools: readonly AddressPool[] = []
  /** Since when this agent has known what of a pool is freed. */
  readonly #opened = new WeakMap<AddressPool, number>()
  #closing: ReadonlyMap<Cidr, number> = new Map()
  #most = 1
  #need = '{}'
  #needChanged: () => void = () => {}

  /** `restSeconds`: how long a released address rests. `now` in milliseconds. */
  constructor(restSeconds: number, now: () => number, random: () => number) {
    this.#restMs = restSeconds * 1000
    this.#now = now
    this.#random = random
  }

  /**
   * The node has these ranges, and these addresses in them are leased, and no others: what nobody has any more rests from
   * now on. Pools of ranges that stay are kept.
   */
  setRanges({ ranges, self, cluster }: PoolContext, leased: Iterable<Ip>): void {
    this.#pools = ranges.map(({ range }) => this.#pools.find((pool) => pool.range === range) ?? this.#open(range))
    this.#closing = byRange(self.closing)
    this.#most = cluster.rangesPerNode ?? 1
    const wanted = new Set(leased)
    this.release(this.#pools.flatMap((pool) => pool.leasedAddresses().filter((address) => !wanted.has(address))))
    for (const address of wanted) this.#mark(address)
    this.#noteNeed()
  }

  /** Out of these of the node's ranges nothing is given any more. */
  setClosing(closing: readonly ClosingRange[]): void {
    this.#closing = byRange(closing)
    this.#noteNeed()
  }

  /** Calls whenever {@link need} says something else because of pods. */
  onNeed(changed: () => void): void {
    this.#needChanged = changed
  }

  /** How many ranges the node needs, and which it could do without. */
  need(): RangeNeed {
    const now = this.#now()
    const uses = this.#pools.map((pool): RangeUse => {
      const since = this.#closing.get(pool.range)
      const use = { range: pool.range, capacity: pool.capacity, busy: pool.busy(now) }
      if (since === undefined) return use
      // What rested when the agent before this one ended, nobody knows any more.
      const mayRest = now < (this.#opened.get(pool) ?? now) + this.#restMs
      return { ...use, busy: mayRest ? Math.max(use.busy, 1) : use.busy, since }
    })
    return rangeNeed(uses, this.#most)
  }

  /** One address of each family. Throws `pool-exhausted` and leases nothing. */
  lease(): Ip[] {
    const leased: Ip[] = []
    for (const family of new Set(this.#pools.map(({ range }) => familyOf(range)))) {
      const open = this.#pools.filter(({ range }) => familyOf(range) === family && !this.#closing.has(range))
      const address = this.#firstFree(open)
      if (address === undefined) {
        this.release(leased)
        throw cniError('pool-exhausted', { pool: open.map(({ range }) => range).join(', ') })
      }
      leased.push(address)
    }
    this.#noteNeed()
    return leased
  }

  /** Takes addresses back; those of ranges that are no longer ours, and those nobody leased, are forgotten. */
  release(addresses: readonly Ip[]): void {
    for (const address of addresses) {
      const pool = this.#poolOf(address)
      if (pool?.isLeased(address)) pool.release(address, this.#now())
    }
    this.#noteNeed()
  }

  facts(): RangeFact[] {
    return this.#pools.map(({ range, gateway, leased, capacity }) => ({
      range,
      gateway,
      used: String(leased),
      capacity: String(capacity),
      ...(this.#closing.has(range) ? { closing: true } : {}),
    }))
  }

  /** Addresses that rest before reuse: they are nobody's, and not free. */
  resting(): Ip[] {
    return this.#pools.flatMap((pool) => pool.restingAddresses())
  }

  /** A record that somebody edited may name the gateway's address, which is nobody's to lease. */
  #mark(address: Ip): void {
    try {
      this.#poolOf(address)?.mark(address)
    } catch (error) {
      if (!(error instanceof IpamError) || error.code !== 'IPAM_RESERVED') throw error
    }
  }

  #firstFree(pools: readonly AddressPool[]): Ip | undefined {
    for (const pool of pools) {
      try {
        return pool.allocate(this.#now())
      } catch (error) {
        if (!(error instanceof IpamError) || error.code !== 'IPAM_ADDRESSES_EXHAUSTED') throw error
      }
    }
    return undefined
  }

  #noteNeed(): void {
    const need = JSON.stringify(this.need())
    if (need === this.#need) return
    this.#need = need
    this.#needChanged()
  }

  #poolOf(address: Ip): AddressPool | undefined {
    return this.#pools.find(({ range }) => contains(range, address))
  }

  /**
   * A restarted agent does not know which addresses still rest, so it starts somewhere else than its predecessor, most
   * likely: chance spreads the search over the first 2^16 addresses.
   */
  #open(range: LocalRange['range']): AddressPool {
    const { capacity } = new AddressPool(range)
    const span = capacity < 65_536n ? Number(capacity) : 65_536
    const first = firstIp(range)
    const after = formatIp(familyOf(first), ipValue(first) + BigInt(Math.floor(this.#random() * span)))
    const pool = new AddressPool(range, { rest: this.#restMs, after })
    this.#opened.set(pool, this.#now())
    return pool
  }
}

function byRange(closing: readonly ClosingRange[] = []): ReadonlyMap<Cidr, number> {
  return new Map(closing.map(({ range, since }) => [range, since]))
}
