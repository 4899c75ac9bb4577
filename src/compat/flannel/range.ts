/**
 * The subnets that a network is cut into: which there are, how many, and which of them is which.
 * @module
 */
import {
  BITS,
  type Cidr,
  type Family,
  familyOf,
  firstIp,
  formatIp,
  type Ip,
  ipValue,
  lastIp,
  networkAround,
  prefixLength,
} from '../../network/model/address.ts'
import { configFault } from './errors.ts'

/** Equal subnets of a network, from one to another. */
export interface SubnetRange {
  readonly network: Cidr
  /** Of a subnet, in bits. */
  readonly length: number
  /** The first address of the first subnet. */
  readonly first: Ip
  /** The first address of the last subnet. */
  readonly last: Ip
}

/** What an administrator says of a range; what is absent follows from the network. */
export interface RangeWish {
  readonly network: Cidr
  readonly length?: number | undefined
  readonly first?: Ip | undefined
  readonly last?: Ip | undefined
}

/** What the fields of one family are called, and its limits: the longest network, and the longest subnet. */
const FAMILIES: { readonly [F in Family]: Limits } = {
  4: { prefix: '', longestNetwork: 28, longestSubnet: 30, usualSubnet: 24, usualUpTo: 22 },
  6: { prefix: 'IPv6', longestNetwork: 124, longestSubnet: 126, usualSubnet: 64, usualUpTo: 62 },
}

interface Limits {
  readonly prefix: string
  readonly longestNetwork: number
  readonly longestSubnet: number
  readonly usualSubnet: number
  readonly usualUpTo: number
}

/** The range that is meant. Throws FLANNEL_CONFIG, which names the value that would be right. */
export function subnetRange({ network, length: wanted, first, last }: RangeWish): SubnetRange {
  const { prefix, longestNetwork, longestSubnet, usualSubnet, usualUpTo } = FAMILIES[familyOf(network)]
  const own = prefixLength(network)
  if (own > longestNetwork) {
    const remedy = `choose one of /${longestNetwork} or larger`
    throw configFault(`${prefix}Network ${network} is too small to be cut into subnets`, remedy)
  }
  const length = wanted ?? (own <= usualUpTo ? usualSubnet : own + 2)
  const shortest = own + 2
  if (length < shortest || length > longestSubnet) {
    const remedy = `choose ${shortest} to ${longestSubnet}, for example ${Math.max(shortest, Math.min(usualSubnet, longestSubnet))}`
    throw configFault(`${prefix}SubnetLen ${length} does not fit ${prefix}Network ${network}`, remedy)
  }
  const size = sizeOf(familyOf(network), length)
  const family = familyOf(network)
  const base = ipValue(firstIp(network))
  const end = firstIp(networkAround(lastIp(network), length))
  // flannel leaves the first subnet out unless it is asked for.
  const from = checkedEdge(`${prefix}SubnetMin`, first, network, length) ?? formatIp(family, base + size)
  const to = checkedEdge(`${prefix}SubnetMax`, last, network, length) ?? end
  if (ipValue(from) > ipValue(to)) {
    throw configFault(`${prefix}SubnetMin ${from} is behind ${prefix}SubnetMax ${to}`, 'swap them, or leave both out')
  }
  return { network, length, first: from, last: to }
}

/** How many subnets a range has. */
export function capacityOf({ network, length, first, last }: SubnetRange): bigint {
  return (ipValue(last) - ipValue(first)) / sizeOf(familyOf(network), length) + 1n
}

/** Whether a subnet is one of a range's. */
export function isOfRange({ network, length, first, last }: SubnetRange, subnet: Cidr): boolean {
  if (familyOf(subnet) !== familyOf(network) || prefixLength(subnet) !== length) return false
  const value = ipValue(firstIp(subnet))
  return value >= ipValue(first) && value <= ipValue(last)
}

/**
 * The first free subnets of a range, at most so many: those that share no address with what is taken, which may be of any
 * length. The steps are as many as there are leases, however large the network is.
 */
export function freeSubnets(range: SubnetRange, taken: readonly Cidr[], most: number): readonly Cidr[] {
  const { network, length, first, last } = range
  const family = familyOf(network)
  const size = sizeOf(family, length)
  const free: Cidr[] = []
  let value = ipValue(first)
  const takeUntil = (end: bigint): void => {
    for (; value + size <= end && free.length < most; value += size) {
      free.push(`${formatIp(family, value)}/${length}` as Cidr)
    }
  }
  const blocks = taken
    .filter((one) => familyOf(one) === family)
    .map((one) => ({ from: ipValue(firstIp(one)), to: ipValue(lastIp(one)) }))
    .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const end = ipValue(last) + size
  for (const { from, to } of blocks) {
    if (from >= end) break
    takeUntil(from)
    // The next subnet that begins behind it.
    const behind = to - (to % size) + size
    if (behind > value) value = behind
  }
  takeUntil(end)
  return free
}

function checkedEdge(field: string, edge: Ip | undefined, network: Cidr, length: number): Ip | undefined {
  if (edge === undefined) return undefined
  const subnet = networkAround(edge, length)
  const isInside = familyOf(edge) === familyOf(network) && networkAround(edge, prefixLength(network)) === network
  if (!isInside)
    throw configFault(`${field} ${edge} is not in ${network}`, `choose a subnet of ${network}, or leave it out`)
  if (firstIp(subnet) !== edge) {
    throw configFault(`${field} ${edge} is no subnet of /${length}, but an address in one`, `write ${firstIp(subnet)}`)
  }
  return edge
}

function sizeOf(family: Family, length: number): bigint {
  return 1n << BigInt(BITS[family] - length)
}
