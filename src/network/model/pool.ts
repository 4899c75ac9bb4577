/**
 * Cluster-wide pools of addresses and the claims on them. A claim is the lock, the record and the only truth: counters
 * and everything that people read of who has what are derived from claims.
 * @module
 */
import { type Cidr, type Family, type Ip, parseIp } from './address.ts'
import type { IpRange } from './ip-range.ts'
import type { Labels, Selector } from './policy.ts'

/** A route that pods get with an address. */
export interface PoolRoute {
  readonly destination: Cidr
  readonly gateway: Ip
}

/** The subnet of a pool whose own cannot be read; it has a {@link AddressPool.problem}. No address is in it. */
export const NO_SUBNET = '0.0.0.0/32' as string as Cidr

/** A pool that pods of all nodes get addresses from. */
export interface AddressPool {
  readonly name: string
  readonly uid: string
  /** RFC 3339. Of two pools that contradict one another the older holds (by name where they are of one second). */
  readonly createdAt: string
  readonly family: Family
  readonly subnet: Cidr
  /** What is given out: these, without {@link excluded} and without reserved addresses. */
  readonly ranges: readonly IpRange[]
  readonly excluded: readonly IpRange[]
  readonly gateway?: Ip
  readonly routes: readonly PoolRoute[]
  /** Is taken where nothing names a pool. */
  readonly isDefault: boolean
  readonly isDisabled: boolean
  readonly isTerminating: boolean
  /** Node names; empty: {@link nodeSelector} says. */
  readonly nodes: readonly string[]
  readonly nodeSelector?: Selector
  /** Names of namespaces; empty: {@link namespaceSelector} says. */
  readonly namespaces: readonly string[]
  readonly namespaceSelector?: Selector
  readonly podSelector?: Selector
  /** Attachment definitions as they are written, `<namespace>/<name>` or `<name>`; empty: any. */
  readonly definitions: readonly string[]
  /** Labels of the object: pools made for an application are known by them. */
  readonly labels?: Labels
  /** Given out by somebody who makes no claims, such as an IPAM that was here before: no pool gives them out. */
  readonly occupied?: readonly IpRange[]
  /** What of the object cannot be understood; such a pool gives nothing out. */
  readonly problem?: string
}

/** Addresses that no pool gives out. */
export interface ReservedAddresses {
  readonly name: string
  readonly ranges: readonly IpRange[]
  /** What of the object cannot be understood; the rest of it counts. */
  readonly problem?: string
}

/** The controller of a pod at the top: a Deployment, not its ReplicaSet. */
export interface PodOwner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid?: string
}

/**
 * That an address is somebody's. Its name is made of the address ({@link claimName}): creating it is the lock. It is kept
 * without an owner reference, as no pod can own an object of the whole cluster.
 */
export interface AddressClaim {
  readonly address: Ip
  /** Length of the subnet's prefix. */
  readonly prefix: number
  readonly pool: string
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  /** The pod's interface that has it. */
  readonly ifname: string
  /** The sandbox that has it: a late DEL of an earlier one does not release it. */
  readonly containerId: string
  readonly node: string
  readonly owner?: PodOwner
  /** Outlives the pod, for the next one of the same name: pods of StatefulSets. */
  readonly isSticky: boolean
  readonly gateway?: Ip
  readonly routes: readonly PoolRoute[]
  /** No default route by way of the gateway. */
  readonly hasCleanGateway: boolean
}

/** The network that claims are in: one address is one claim of the whole cluster. */
export const CLAIM_NETWORK = 'underlay'

/** What stands for a sandbox that an IPAM before this one attached: nobody tells its id. A pod has one at a time. */
export function adoptedSandbox(podUid: string): string {
  return `${ADOPTED}${podUid}`
}

/** Whether a claim's sandbox is one that nobody here attached. */
export function isAdopted({ containerId, podUid }: Pick<AddressClaim, 'containerId' | 'podUid'>): boolean {
  return containerId === adoptedSandbox(podUid)
}

const ADOPTED = 'unknown-of-'

/** Longest of a family's words: `fd00-0000-…`, eight groups, which an object's name can hold as `::` cannot. */
export function claimName(address: Ip): string {
  return `${CLAIM_NETWORK}.${address.includes(':') ? fullIpv6(address) : address}`
}

/** The address that a claim of this name is on; undefined for the name of none. */
export function claimedAddress(name: string): Ip | undefined {
  if (!name.startsWith(`${CLAIM_NETWORK}.`)) return undefined
  const text = name.slice(CLAIM_NETWORK.length + 1)
  return parseIp(text.includes('-') ? text.replaceAll('-', ':') : text)
}

function fullIpv6(address: Ip): string {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array.from({ length: missing }, () => '0'), ...after]
    .map((group) => group.padStart(4, '0'))
    .join('-')
}
