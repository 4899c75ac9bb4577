/**
 * Which subnets a machine takes: decided from what is there, without doing anything.
 * @module
 */
import { type Cidr, familyOf, overlaps } from '../../network/model/address.ts'
import { type NetworkConfig, rangesOf } from './config.ts'
import { FlannelError } from './errors.ts'
import type { Lease, LeaseAttributes, Subnets } from './lease.ts'
import { capacityOf, freeSubnets, isOfRange, type SubnetRange } from './range.ts'

/** A lease as it is kept. */
export interface StoredLease extends Lease {
  readonly key: string
  readonly revision: number
  /** It has no end: an administrator wrote it for a machine, and whoever writes it again gives it none. */
  readonly isReservation: boolean
}

/** What a machine knows of the time before, from the files that it wrote itself. */
export interface Memory {
  readonly subnets: Subnets
  /** What it was reached at: a lease of these subnets with these addresses is its own, whatever it is reached at now. */
  readonly publicIp?: string
  readonly publicIpv6?: string
}

/** What a choice is made from. */
export interface Choosing {
  readonly config: NetworkConfig
  readonly own: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>
  readonly leases: readonly StoredLease[]
  readonly memory?: Memory | undefined
  /** From 0 up to 1. */
  readonly random: () => number
}

/** What to do. */
export type Choice =
  /** Write this lease anew, as it is: with an end if it has one. */
  | { readonly does: 'keep'; readonly lease: StoredLease }
  /** Make a new one; `instead` is an own one that does not fit the configuration any more and goes first. */
  | { readonly does: 'make'; readonly subnets: Subnets; readonly instead: StoredLease | undefined }

/** flannel looks at the first so many free ones, and takes one of them by chance: machines that start together rarely meet. */
const CANDIDATES = 100

/** The choice. Throws FLANNEL_FULL when nothing is left. */
export function chooseLease(choosing: Choosing): Choice {
  const { config, own, leases, memory, random } = choosing
  const mine = ownLease(leases, own, memory)
  if (mine !== undefined && fits(mine.subnets, config)) return { does: 'keep', lease: mine }
  const others = leases.filter((lease) => lease !== mine)
  const taken = others.flatMap(({ subnets }) => parts(subnets))
  const isFree = (subnet: Cidr): boolean => !taken.some((one) => overlaps(one, subnet))
  if (memory !== undefined && fits(memory.subnets, config) && parts(memory.subnets).every(isFree)) {
    return { does: 'make', subnets: memory.subnets, instead: mine }
  }
  const chosen = rangesOf(config).map((range) => oneOf(range, taken, others.length, random))
  const ipv4 = chosen.find((subnet) => familyOf(subnet) === 4)
  const ipv6 = chosen.find((subnet) => familyOf(subnet) === 6)
  return { does: 'make', subnets: { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }, instead: mine }
}

/** The lease with this machine's address; else the one that it had, as long as nobody else has taken it over. */
function ownLease(
  leases: readonly StoredLease[],
  { publicIp, publicIpv6 }: Choosing['own'],
  memory: Memory | undefined,
): StoredLease | undefined {
  const isSame = (a: string | undefined, b: string | undefined): boolean => a !== undefined && a === b
  const byAddress = leases.filter(({ attributes }) =>
    publicIp === undefined ? isSame(attributes.publicIpv6, publicIpv6) : attributes.publicIp === publicIp,
  )
  // Of several, a reservation: somebody meant it.
  const found = byAddress.find(({ isReservation }) => isReservation) ?? byAddress[0]
  if (found !== undefined || memory === undefined) return found
  return leases.find(
    ({ subnets, attributes }) =>
      subnets.ipv4 === memory.subnets.ipv4 &&
      subnets.ipv6 === memory.subnets.ipv6 &&
      (isSame(attributes.publicIp, memory.publicIp) || isSame(attributes.publicIpv6, memory.publicIpv6)),
  )
}

/** Whether subnets are of the families and the ranges that the configuration has. */
function fits({ ipv4, ipv6 }: Subnets, config: NetworkConfig): boolean {
  const suits = (subnet: Cidr | undefined, range: SubnetRange | undefined): boolean =>
    range === undefined ? subnet === undefined : subnet !== undefined && isOfRange(range, subnet)
  return suits(ipv4, config.ipv4?.range) && suits(ipv6, config.ipv6?.range)
}

function oneOf(range: SubnetRange, taken: readonly Cidr[], leases: number, random: () => number): Cidr {
  const free = freeSubnets(range, taken, CANDIDATES)
  const chosen = free[Math.min(free.length - 1, Math.floor(random() * free.length))]
  if (chosen !== undefined) return chosen
  const message = `out of subnets: all ${capacityOf(range)} of ${range.network} are taken by ${leases} leases`
  throw new FlannelError('FLANNEL_FULL', message, 'remove the leases of machines that are gone, or enlarge the network')
}

function parts({ ipv4, ipv6 }: Subnets): readonly Cidr[] {
  return [ipv4, ipv6].filter((subnet) => subnet !== undefined)
}
