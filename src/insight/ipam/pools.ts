/**
 * What pools have, gave and still can give.
 * @module
 */
import { optionalField } from '../../compat/fields.ts'
import { firstOf, type RangeSet, rangeSet, single, sizeOf, without } from '../../ipam/range-set.ts'
import type { Cidr, Ip } from '../../network/model/address.ts'
import { isInRange } from '../../network/model/ip-range.ts'
import { type AddressPool, NO_SUBNET, type ReservedAddresses } from '../../network/model/pool.ts'
import type { IpamView } from './view.ts'

/** One pool. */
export interface PoolLook {
  readonly name: string
  readonly family: 4 | 6
  /** Absent where it cannot be read: {@link refused} says why. */
  readonly subnet?: Cidr
  /** Without what it excludes. */
  readonly total: bigint
  readonly used: number
  /** Of the total: what reserved addresses take away. */
  readonly reserved: bigint
  readonly free: bigint
  /** The first one of these. */
  readonly next?: Ip
  /** Gives nothing out at the moment, and why. */
  readonly refused?: string
  readonly isDefault: boolean
}

/** Every pool, by name. */
export function lookAtPools(view: IpamView): readonly PoolLook[] {
  const used = Map.groupBy(view.claims, ({ value }) => value.pool)
  const occupied = occupiedIn(view)
  return [...view.pools.values()]
    .map(({ pool, problem }): PoolLook => {
      const claims = used.get(pool.name) ?? []
      const givable = givenOutOf(pool, view.reserved)
      const all = without(pool.ranges, pool.excluded)
      const claimed = claims.map(({ value }) => single(value.address))
      const free = without(givable, [...claimed, ...occupied])
      const [next] = firstOf(free, 1)
      const refused = refusalOf(pool, problem)
      return {
        name: pool.name,
        family: pool.family,
        ...optionalField('subnet', subnetOf(pool)),
        total: sizeOf(all),
        used: claims.length + Number(sizeOf(unclaimedOf(pool, view))),
        reserved: sizeOf(all) - sizeOf(givable),
        free: sizeOf(free),
        isDefault: pool.isDefault,
        ...optionalField('next', next?.first),
        ...optionalField('refused', refused),
      }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The subnet of a pool; undefined where the object has none that can be read. */
export function subnetOf({ subnet }: AddressPool): Cidr | undefined {
  return subnet === NO_SUBNET ? undefined : subnet
}

/** What Spiderpool gave out, of whichever pool: nobody is given that until it is settled. */
export function occupiedIn({ pools }: Pick<IpamView, 'pools'>): RangeSet {
  return rangeSet([...pools.values()].flatMap(({ pool }) => pool.occupied ?? []))
}

/** What Spiderpool gave out of a pool, and no claim is on. */
export function unclaimedOf({ occupied = [] }: AddressPool, { claims }: Pick<IpamView, 'claims'>): RangeSet {
  if (occupied.length === 0) return []
  return without(
    occupied,
    claims.map(({ value }) => single(value.address)),
  )
}

/** What a pool gives out. */
export function givenOutOf(pool: AddressPool, reserved: readonly ReservedAddresses[]): RangeSet {
  return without(pool.ranges, [...pool.excluded, ...reserved.flatMap(({ ranges }) => ranges)])
}

/** Why an address of a pool is not given out; undefined where it is. */
export function exceptionOf(
  address: Ip,
  { ranges, excluded }: AddressPool,
  reserved: readonly ReservedAddresses[],
): string | undefined {
  const holds = (all: AddressPool['ranges']): boolean => all.some((range) => isInRange(range, address))
  if (!holds(ranges)) return 'it is in the subnet, and not among the addresses of the pool (spec.ips)'
  if (holds(excluded)) return 'the pool excludes it (spec.excludeIPs)'
  const by = reserved.find((one) => holds(one.ranges))
  return by === undefined ? undefined : `SpiderReservedIP ${by.name} reserves it`
}

/** Why a pool gives nothing out. */
export function refusalOf({ isTerminating, isDisabled }: AddressPool, problem: string | undefined): string | undefined {
  if (isTerminating) return 'it is being deleted'
  if (isDisabled) return 'it is disabled (spec.disable)'
  return problem
}
