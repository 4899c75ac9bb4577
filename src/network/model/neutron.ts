/**
 * Pods' addresses out of OpenStack's Neutron: what an administrator asks for, what of it each node has, and what each node does with it.
 * The controller alone talks to Neutron; a node leases out of what is prepared for it (docs/adr/0038).
 * @module
 */
import type { Cidr, Ip, Mac } from './address.ts'
import type { Selector } from './policy.ts'
import type { PoolRoute } from './pool.ts'

/**
 * How a pod's packets get through the port of the VM that its node is (docs/adr/0040).
 * - `pair`: the pod's address is reserved by a port of its own, and the VM's port allows it as an address pair;
 * - `fixed`: the pod's address is one more of the VM's port itself;
 * - `trunk`: the pod's port is a part of the VM port's trunk, told apart by a VLAN.
 */
export type AddressMode = 'pair' | 'fixed' | 'trunk'

/** A network of Neutron's that pods get addresses of, as an administrator declares it. */
export interface NeutronNetwork {
  readonly name: string
  /** The network's id or name in Neutron. */
  readonly network: string
  /** Ids of those of its subnets that pods get addresses of. Absent: every one of them. */
  readonly subnets?: readonly string[]
  /** Absent: `auto`, the best that the cloud allows for each node. */
  readonly mode?: AddressMode | 'auto'
  readonly pool?: Partial<PoolSizes>
  /** Ids or names of the security groups of pods that ask for none. Absent: the project's default group. */
  readonly securityGroups?: readonly string[]
  /** Which nodes. Absent: all. */
  readonly nodes?: Selector
  readonly parent?: ParentChoice
  /** Written by the controller. */
  readonly status?: NeutronNetworkStatus
}

/** How many ports a node has of a network. */
export interface PoolSizes {
  /** So many are kept ready beyond those that pods have. */
  readonly min: number
  /** No more altogether. */
  readonly max: number
  /** So many are made by one call at most. */
  readonly batch: number
}

/** What counts where a NeutronNetwork says nothing. */
export const DEFAULT_POOL: PoolSizes = { min: 8, max: 250, batch: 8 }

/** The sizes that count for a network. One that contradicts itself is refused when it is decoded. */
export function poolSizesOf({ pool }: NeutronNetwork): PoolSizes {
  const max = pool?.max ?? Math.max(DEFAULT_POOL.max, pool?.min ?? 0)
  return { min: pool?.min ?? Math.min(DEFAULT_POOL.min, max), max, batch: pool?.batch ?? DEFAULT_POOL.batch }
}

/**
 * Which of a VM's ports carries the pods' packets. Absent: the one that has an address of the Node's. With `network` (an id or a name) the
 * one of the same VM in that network; with `mac` the one that has it, for a VM alone.
 */
export interface ParentChoice {
  readonly mac?: Mac
  readonly network?: string
}

/** How a network does, over all its nodes. */
export interface NeutronNetworkStatus {
  readonly ready: boolean
  /** A stable code of {@link problem}. */
  readonly reason?: string
  /** Which object of OpenStack is in the way, and what to do, for people. */
  readonly problem?: string
  /** The network's id. */
  readonly networkId?: string
  readonly nodes: number
  /** Ports, or addresses, that are prepared; those of them that pods have. */
  readonly ports: number
  readonly leased: number
}

/** What a node has of each network; named as its node, and written by the controller alone. */
export interface NodePorts {
  readonly node: string
  readonly pools: readonly PortPool[]
  /** What is in the way on this node: one for each network's pool at most, and one for each set of groups that pods ask for. */
  readonly problems: readonly PoolProblem[]
}

/** What is in the way of a network's pool, whether there is a pool or not. */
export interface PoolProblem {
  /** The NeutronNetwork's name. */
  readonly network: string
  /** It is in the way of those pods alone that ask for these groups. Absent: of the pool. */
  readonly groups?: readonly string[]
  /** A stable code. */
  readonly reason: string
  /** Which object of OpenStack, and what to do, for people. */
  readonly problem: string
  /** Seconds until the controller tries again. Absent: when something changes. */
  readonly retryAfter?: number
}

/** What a node has of a network. */
export interface PortPool {
  /** The NeutronNetwork's name. */
  readonly network: string
  /** The network's id in Neutron. */
  readonly networkId: string
  readonly mode: AddressMode
  readonly parent: ParentPort
  /** Of the network, in bytes: pods' interfaces have it. */
  readonly mtu: number
  readonly subnets: readonly PoolSubnet[]
  /** Ids of the security groups of ports that name none; sorted. In mode `fixed` those of the VM's port. */
  readonly groups: readonly string[]
  readonly ports: readonly PooledPort[]
}

/** The VM's own port. */
export interface ParentPort {
  readonly portId: string
  readonly mac: Mac
  /** In mode `fixed`: its addresses that are nobody's but the VM's. The others are pods'. */
  readonly own?: readonly Ip[]
  /** In mode `fixed`: so many more addresses were asked for, and what came of it is not known yet. */
  readonly asked?: number
}

/** What a pod has to know of a subnet. */
export interface PoolSubnet {
  readonly id: string
  readonly cidr: Cidr
  readonly gateway?: Ip
  readonly routes: readonly PoolRoute[]
  readonly nameservers: readonly Ip[]
}

/** A port of Neutron's that a node may give to a pod; in mode `fixed` an address of the VM's port. */
export interface PooledPort {
  /** The port's id; in mode `fixed` {@link fixedPortId}. */
  readonly id: string
  /** In modes `pair` and `fixed` packets have the VM port's: the pool's `parent.mac`. */
  readonly mac: Mac
  readonly addresses: readonly PortAddress[]
  /** In mode `trunk`, 1 to 4094. */
  readonly vlan?: number
  /** Its security groups, as they were asked for and sorted, where it has others than the pool's. */
  readonly groups?: readonly string[]
  /** It is to go: nobody gets it any more, and the node says when it agrees ({@link PortUse.given}). */
  readonly withdrawn?: true
}

/** An address of a port. */
export interface PortAddress {
  readonly address: Ip
  readonly subnetId: string
}

/** What stands for an address of a VM's port where the address is all that a pod gets. */
export function fixedPortId(parentId: string, address: Ip): string {
  return `${parentId}/${address}`
}

/** What a node's agent does with what it has; named as its node, and written by that agent alone. */
export interface PortUse {
  readonly node: string
  readonly leased: readonly PortLease[]
  readonly resting: readonly RestingPort[]
  /** Ids of withdrawn ports that nobody has any more: they may be deleted. */
  readonly given: readonly string[]
  /** What pods wait for. */
  readonly wants: readonly PortWish[]
}

/** That a pod has a port. */
export interface PortLease {
  readonly id: string
  readonly sandbox: string
  readonly ifname: string
  /** `<namespace>/<name>`, where it is known. */
  readonly pod?: string
  /** RFC 3339. */
  readonly since?: string
}

/** A port that was given back a moment ago. */
export interface RestingPort {
  readonly id: string
  /** RFC 3339: it is free from then on. */
  readonly until: string
}

/** How many ports pods wait for. */
export interface PortWish {
  /** The NeutronNetwork's name. */
  readonly network: string
  /** Ids or names of security groups, sorted. Absent: the pool's. */
  readonly groups?: readonly string[]
  readonly n: number
}

/** What is in the way of a network's pool on a node; with groups, of pods that ask for these, or else of all. */
export function poolProblemOf(
  { problems }: Pick<NodePorts, 'problems'>,
  network: string,
  groups?: readonly string[],
): PoolProblem | undefined {
  const own = problems.filter((one) => one.network === network)
  const asked = groups === undefined ? undefined : own.find((one) => one.groups?.join() === groups.join())
  return asked ?? own.find((one) => one.groups === undefined)
}
