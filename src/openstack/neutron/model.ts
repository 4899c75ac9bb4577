/**
 * Neutron's objects, as far as they matter to pods' networks. Names follow its API. What an account may not see is absent.
 * @module
 */

/** An address of a port. */
export interface FixedIp {
  readonly subnetId: string
  readonly address: string
}

/** What a port may send from beside its own addresses: an address or a range, and the MAC where it is another one. */
export interface AddressPair {
  readonly address: string
  readonly mac?: string
}

/** A part of a trunk. */
export interface Subport {
  readonly portId: string
  /** `vlan` or `inherit`. */
  readonly segmentation: string
  /** VLAN, 1 to 4094. */
  readonly vlan: number
}

export interface Port {
  readonly id: string
  readonly name: string
  readonly networkId: string
  readonly projectId: string | undefined
  readonly mac: string
  readonly fixedIps: readonly FixedIp[]
  /** `ACTIVE`, `DOWN`, `BUILD`, `ERROR`, `N/A`. */
  readonly status: string
  readonly isAdminUp: boolean
  readonly deviceId: string
  readonly deviceOwner: string
  readonly securityGroups: readonly string[]
  readonly addressPairs: readonly AddressPair[]
  readonly hasPortSecurity: boolean | undefined
  readonly revision: number | undefined
  readonly tags: readonly string[]
  readonly description: string
  /** For administrators: `unbound`, `ovs`, `binding_failed`, … */
  readonly vifType: string | undefined
  readonly hostId: string | undefined
  /** The trunk that the port carries. */
  readonly trunk: { readonly id: string; readonly subports: readonly Subport[] } | undefined
}

/** What a port is made of. */
export interface PortSpec {
  readonly networkId: string
  readonly name: string
  readonly deviceId?: string
  readonly deviceOwner?: string
  readonly description?: string
  readonly mac?: string
  /** Absent: one address of each family that the network has. */
  readonly fixedIps?: readonly { readonly subnetId?: string; readonly address?: string }[]
  /** Absent: the project's default group. */
  readonly securityGroups?: readonly string[]
  readonly hasPortSecurity?: boolean
  readonly addressPairs?: readonly AddressPair[]
  /** Needs ML2's extension driver `tag_ports_during_bulk_creation`. With OVN, Neutron 21 has it and names no extension of it. */
  readonly tags?: readonly string[]
  readonly hostId?: string
  readonly profile?: Readonly<Record<string, unknown>>
}

/** What changes about a port. Lists replace lists as a whole. */
export type PortChange = Partial<Omit<PortSpec, 'networkId' | 'tags'>>

/** So many ids fit into one call: servers take addresses and headers of 4 KiB together. */
export const MOST_IDS = 50

/** Which ports. Everything that is given has to be true; an empty filter is refused. */
export interface PortFilter {
  /** Any of them; at most {@link MOST_IDS}. */
  readonly ids?: readonly string[]
  readonly name?: string
  readonly networkId?: string
  readonly deviceId?: string
  readonly deviceOwner?: string
  readonly mac?: string
  readonly address?: string
  readonly subnetId?: string
  /** All of them. */
  readonly tags?: readonly string[]
  readonly projectId?: string
}

export interface Network {
  readonly id: string
  readonly name: string
  readonly projectId: string | undefined
  readonly subnets: readonly string[]
  readonly mtu: number | undefined
  readonly status: string
  readonly isAdminUp: boolean
  readonly isShared: boolean
  readonly isExternal: boolean
  readonly hasPortSecurity: boolean | undefined
  readonly description: string
  readonly tags: readonly string[]
  readonly revision: number | undefined
}

export interface Subnet {
  readonly id: string
  readonly name: string
  readonly networkId: string
  readonly family: 4 | 6
  readonly cidr: string
  readonly gateway: string | undefined
  readonly hasDhcp: boolean
  readonly nameservers: readonly string[]
  readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[]
  readonly pools: readonly { readonly start: string; readonly end: string }[]
  /** `slaac` and its like: then no address may be asked for. */
  readonly ipv6AddressMode: string | undefined
  readonly tags: readonly string[]
  readonly revision: number | undefined
}

export interface Trunk {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly portId: string
  /** `ACTIVE`, `DOWN`, `BUILD`, `DEGRADED`, `ERROR`. */
  readonly status: string
  readonly isAdminUp: boolean
  readonly subports: readonly Subport[]
  readonly tags: readonly string[]
  readonly revision: number | undefined
}

export interface SecurityGroup {
  readonly id: string
  readonly name: string
  readonly projectId: string | undefined
  /** Another project lets the account's use it. */
  readonly isShared: boolean
  readonly description: string
  readonly tags: readonly string[]
}

/** What a group lets through. Absent: any. */
export interface SecurityGroupRule {
  readonly direction: 'ingress' | 'egress'
  readonly family: 4 | 6
  readonly protocol?: string
  readonly ports?: { readonly first: number; readonly last: number }
  readonly remotePrefix?: string
  readonly remoteGroupId?: string
}

export interface Route {
  readonly destination: string
  readonly nexthop: string
}

export interface Router {
  readonly id: string
  readonly name: string
  readonly projectId: string | undefined
  readonly status: string
  readonly isAdminUp: boolean
  readonly routes: readonly Route[]
  readonly tags: readonly string[]
  readonly revision: number | undefined
}

/** What a project may have and has of one kind. */
export interface Quota {
  /** Undefined: as many as it likes. */
  readonly limit: number | undefined
  readonly used: number
  readonly reserved: number
}
