/**
 * The addresses of this node: one pool per range, filled from the lease records.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import { IpamError } from '../../ipam/errors.ts'
import { AddressPool } from '../../ipam/pool.ts'
import type { LocalRange } from '../../network/context.ts'
import { contains, familyOf, firstIp, formatIp, type Ip, ipValue } from '../../network/model/address.ts'
import type { RangeFact } from '../control/facts.ts'

/** Gives out addresses of the node's ranges. */
export class AddressPools {
  readonly #restMs: number
  readonly #now: () => number
  readonly #random: () => number
  #pools: readonly AddressPool[] = []

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
  setRanges(ranges: readonly LocalRange[], leased: Iterable<Ip>): void {
    this.#pools = ranges.map(({ range }) => this.#pools.find((pool) => pool.range === range) ?? this.#open(range))
    const wanted = new Set(leased)
    this.release(this.#pools.flatMap((pool) => pool.leasedAddresses().filter((address) => !wanted.has(address))))
    for (const address of wanted) this.#mark(address)
  }

  /** One address of each range. Throws `pool-exhausted` and leases nothing. */
  lease(): Ip[] {
    const leased: Ip[] = []
    try {
      for (const pool of this.#pools) leased.push(pool.allocate(this.#now()))
      return leased
    } catch (error) {
      this.release(leased)
      if (!(error instanceof IpamError) || error.code !== 'IPAM_ADDRESSES_EXHAUSTED') throw error
      const full = this.#pools[leased.length]
      throw cniError('pool-exhausted', { pool: full?.range ?? '' })
    }
  }

  /** Takes addresses back; those of ranges that are no longer ours, and those nobody leased, are forgotten. */
  release(addresses: readonly Ip[]): void {
    for (const address of addresses) {
      const pool = this.#poolOf(address)
      if (pool?.isLeased(address)) pool.release(address, this.#now())
    }
  }

  facts(): RangeFact[] {
    return this.#pools.map(({ range, gateway, leased, capacity }) => ({
      range,
      gateway,
      used: String(leased),
      capacity: String(capacity),
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
    return new AddressPool(range, { rest: this.#restMs, after })
  }
}
