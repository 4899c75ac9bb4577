/**
 * A range of addresses with exceptions, in the fewest prefixes.
 * @module
 */
import {
  BITS,
  type Cidr,
  contains,
  familyOf,
  firstIp,
  formatIp,
  ipValue,
  networkAround,
  overlaps,
  prefixLength,
} from '../model/address.ts'
import type { AddressRange } from '../model/policy.ts'

/** What is left of a range. 192.168.1.0/24 without 192.168.1.1/32 are eight prefixes. */
export function without(range: Cidr, except: readonly Cidr[]): readonly Cidr[] {
  const inside = except.filter((one) => familyOf(one) === familyOf(range) && overlaps(range, one))
  if (inside.length === 0) return [range]
  const length = prefixLength(range)
  // Of two prefixes that meet, one holds the other.
  if (inside.some((one) => prefixLength(one) <= length)) return []
  return halves(range).flatMap((half) => without(half, inside))
}

function halves(range: Cidr): readonly Cidr[] {
  const family = familyOf(range)
  const length = prefixLength(range) + 1
  const first = firstIp(range)
  const second = formatIp(family, ipValue(first) | (1n << BigInt(BITS[family] - length)))
  return [networkAround(first, length), networkAround(second, length)]
}

/** As much of some networks as is in one of these ranges; all of it where they are absent. */
export function partsIn(nets: readonly Cidr[], within: readonly AddressRange[] | undefined): readonly Cidr[] {
  if (within === undefined) return nets
  const parts = nets.flatMap((net) =>
    within
      .filter(({ range }) => familyOf(range) === familyOf(net) && overlaps(range, net))
      // Of two networks that meet, one holds the other.
      .flatMap(({ range, except }) => without(prefixLength(range) >= prefixLength(net) ? range : net, except)),
  )
  return [...new Set(parts)]
}

/** Whether an address is in a range and in none of its exceptions. */
export function inRange(range: Cidr, except: readonly Cidr[], address: Parameters<typeof contains>[1]): boolean {
  return contains(range, address) && !except.some((one) => contains(one, address))
}
