/**
 * What an administrator decides for the whole cluster.
 * @module
 */
import type { Cidr, Family } from './address.ts'

/** A range that pods get addresses from. Every node gets a range of `2^hostBits` addresses out of it. */
export interface ClusterNetwork {
  readonly cidr: Cidr
  readonly hostBits: number
}

/** How packets travel between nodes. All three are the same kind of flow-based OVS port. */
export type Encapsulation =
  | { readonly type: 'vxlan'; readonly port: number }
  | { readonly type: 'geneve'; readonly port: number }
  | { readonly type: 'gre' }

/**
 * By which way packets of pods reach pods of other nodes. `direct`: by the kernel's route over the other node's own address, where
 * both share a segment. `bgp`: by the routes that a BGP daemon learned. Neither adds anything to a packet. Where a pair of
 * nodes has no such way, or not yet, its packets take the tunnel, or are refused. What is not from pod to pod always takes
 * the tunnel: it says of which tenant it is.
 */
export interface Fabric {
  readonly way: 'tunnel' | 'direct' | 'bgp'
  readonly otherwise: 'tunnel' | 'refuse'
}

/** The cluster's network configuration: one object, named `default`. */
export interface Cluster {
  /** At most one family twice or more is fine: the first network with a free range wins, per family. */
  readonly networks: readonly ClusterNetwork[]
  readonly serviceNetworks: readonly Cidr[]
  /** `multitenant`: a VNI per namespace; `subnet`: every pod reaches every pod. */
  readonly tenancy: 'multitenant' | 'subnet'
  readonly encapsulation: Encapsulation
  /** Absent: the tunnel, always. */
  readonly fabric?: Fabric
  /** How many ranges of a family a node may have, 1 to {@link MOST_RANGES}. Absent: one. */
  readonly rangesPerNode?: number
  /** The family of the addresses that tunnels run between. */
  readonly underlay: Family
  /** Who translates service addresses: `weft` in its own pipeline, or a `kube-proxy` on every node. */
  readonly services: 'weft' | 'kube-proxy'
  /** MTU of pod interfaces in bytes; absent: what fits every node's uplink. */
  readonly mtu?: number
}

/** So many ranges of a family a node can have at most. */
export const MOST_RANGES = 20

/** Namespaces that every tenant may talk to from the start. */
export const GLOBAL_NAMESPACES: readonly string[] = ['default', 'kube-system']
