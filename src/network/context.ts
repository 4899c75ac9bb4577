/**
 * What every fragment of a node's plan may look at: the cluster's configuration and the node's own place in it.
 * @module
 */
import { gatewayOf } from '../ipam/pool.ts'
import { isDirect } from './fabric/way.ts'
import { type Cidr, cidr, contains, type Family, familyOf, type Ip, type Mac, macFromIp } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { NodeNetwork } from './model/node.ts'
import { GLOBAL_VNI } from './model/tenant.ts'
import { CLOSED, type Outside, openServices } from './outside.ts'

/** A node's own range of one family. */
export interface LocalRange {
  readonly family: Family
  readonly range: Cidr
  /** The node's own address in it; the pods' gateway. */
  readonly gateway: Ip
}

/** The cluster and this node's place in it. */
export interface NodeContext {
  readonly cluster: Cluster
  readonly self: NodeNetwork
  readonly ranges: readonly LocalRange[]
  /** The MAC address that pods see as everybody's: the gateway port's. */
  readonly routerMac: Mac
  /** MTU of pod interfaces, in bytes. */
  readonly mtu: number
  /** The largest packet that fits into the tunnel, in bytes; less than the MTU where pods' packets do without it. */
  readonly tunnelMtu: number
  /** `system` is the kernel's datapath, `netdev` the userspace one. */
  readonly datapath: 'system' | 'netdev'
  /** Whether packets of other nodes' pods are let in without a tunnel: also a while after the cluster wanted it. */
  readonly takesDirect: boolean
  /** What is open to machines outside. */
  readonly outside: Outside
}

/** What of a context is as the cluster says, unless it is given. */
export type ContextOptions = Partial<Pick<NodeContext, 'tunnelMtu' | 'datapath' | 'takesDirect' | 'outside'>>

/** The context of a node, or undefined while it has no range. */
export function nodeContext(
  cluster: Cluster,
  self: NodeNetwork,
  mtu: number,
  { tunnelMtu = mtu, datapath = 'netdev', takesDirect = isDirect(cluster), outside = CLOSED }: ContextOptions = {},
): NodeContext | undefined {
  const ranges = self.ranges.map(localRange)
  const [first] = ranges
  if (first === undefined) return undefined
  return { cluster, self, ranges, routerMac: macFromIp(first.gateway), mtu, tunnelMtu, datapath, takesDirect, outside }
}

/** The first range of each family: what stands for the node as a whole comes from there. */
export function mainRanges({ ranges }: Pick<NodeContext, 'ranges'>): readonly LocalRange[] {
  return ranges.filter(({ family }, index) => ranges.findIndex((one) => one.family === family) === index)
}

/** A range with the node's own address. */
export function localRange(range: Cidr): LocalRange {
  return { family: familyOf(range), range, gateway: gatewayOf(range) }
}

/** The pod networks of one family. */
export function podNetworks(cluster: Cluster, family: Family): readonly Cidr[] {
  return cluster.networks.map((network) => network.cidr).filter((network) => familyOf(network) === family)
}

/** The service networks of one family. */
export function serviceNetworks(cluster: Cluster, family: Family): readonly Cidr[] {
  return cluster.serviceNetworks.filter((network) => familyOf(network) === family)
}

/** The networks of one family that services have addresses in: the cluster's own, and those that are open to machines outside. */
export function calledNetworks({ cluster, outside }: NodeContext, family: Family): readonly Cidr[] {
  const open = openServices(outside).filter((network) => familyOf(network) === family)
  return [...new Set([...serviceNetworks(cluster, family), ...open])]
}

/** The address that tunnels to this node end at, or undefined when it has none of the underlay's family. */
export function tunnelAddress(
  { underlay }: Pick<Cluster, 'underlay'>,
  { addresses }: Pick<NodeNetwork, 'addresses'>,
): Ip | undefined {
  return addresses.find((address) => familyOf(address) === underlay)
}

/** The VNI that the machine's own stack speaks with: a node is everybody's. */
export function ownVni({ self: { machine } }: NodeContext): number {
  return machine.kind === 'external' ? machine.vni : GLOBAL_VNI
}

/** Whether an address belongs to the overlay. */
export function isPodAddress(cluster: Cluster, address: Ip): boolean {
  return cluster.networks.some((network) => contains(network.cidr, address))
}

/** Multicast and broadcast of each family. */
export const MULTICAST: { readonly [F in Family]: readonly Cidr[] } = {
  4: [cidr('224.0.0.0/4'), cidr('255.255.255.255/32')],
  6: [cidr('ff00::/8')],
}

/** A host's own addresses. */
export const LOOPBACK: { readonly [F in Family]: Cidr } = { 4: cidr('127.0.0.0/8'), 6: cidr('::1/128') }

/** Link-local IPv6. */
export const LINK_LOCAL_V6: Cidr = cidr('fe80::/10')
