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
import { NetIndex } from './net-index.ts'

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
  const ranges = new NetIndex(
    within.map(({ range, except }) => ({ net: range, holes: new NetIndex(except.map((net) => ({ net }))) })),
  )
  const parts = new Set<Cidr>()
  for (const net of nets) {
    for (const { net: range, holes } of ranges.meeting(net)) {
      // Of two networks that meet, one holds the other.
      const inner = prefixLength(range) >= prefixLength(net) ? range : net
      const inside = [...holes.meeting(inner)].map((hole) => hole.net)
      for (const part of without(inner, inside)) parts.add(part)
    }
  }
  return [...parts]
}

/** Whether an address is in a range and in none of its exceptions. */
export function inRange(range: Cidr, except: readonly Cidr[], address: Parameters<typeof contains>[1]): boolean {
  return contains(range, address) && !except.some((one) => contains(one, address))
}
