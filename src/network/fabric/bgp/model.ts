/**
 * Who of a cluster speaks BGP with whom, and what about: what administrators decide, in the words of Calico's objects
 * (BGPConfiguration, BGPPeer, BGPFilter, IPPool), whose selectors are already names of nodes.
 * @module
 */
import type { Cidr, Family, Ip } from '../../model/address.ts'

/** Names a password that is kept elsewhere. Nothing of the password itself. */
export type PasswordRef = string

/** Times in seconds. What is absent is BIRD's own choice. */
export interface BgpTimers {
  readonly keepalive?: number
  /** How long routes of a peer that was lost are kept: 120 s when absent. */
  readonly restart?: number
}

/** What ends a session sooner than its hold time. */
export interface BfdTimers {
  /** In milliseconds. */
  readonly interval: number
  readonly multiplier: number
}

/** How every two nodes that reflect nothing are joined. */
export interface BgpMesh extends BgpTimers {
  readonly password?: PasswordRef
  readonly bfd: boolean
}

/** A machine that speaks BGP. */
export interface BgpNode {
  readonly name: string
  /** Where its sessions end, per family. */
  readonly addresses: { readonly [F in Family]?: Ip }
  /** The networks that these addresses are of, as far as known. */
  readonly networks: { readonly [F in Family]?: Cidr }
  /** Its pods' ranges: what others believe of it. */
  readonly ranges: readonly Cidr[]
  /** Absent: the cluster's. */
  readonly asNumber?: number
  /** It reflects what it learns, as a member of this cluster of reflectors (RFC 4456), and is no part of the mesh. */
  readonly clusterId?: Ip
  /** Another program than ours speaks there: nobody knows who of a pair it takes for the passive one. */
  readonly isForeign?: true
}

/** Which nodes have a peering. */
export type PeeringNodes =
  | { readonly kind: 'all' }
  | { readonly kind: 'selected'; readonly nodes: readonly string[] }
  | { readonly kind: 'node'; readonly node: string }

/** With whom. */
export type PeeringTarget =
  | { readonly kind: 'address'; readonly address: Ip; readonly port?: number; readonly asNumber: number }
  /** `isMutual`: these nodes have the same peering from their side. */
  | { readonly kind: 'nodes'; readonly nodes: readonly string[]; readonly isMutual: boolean }

/** A peering that somebody asked for. */
export interface BgpPeer extends BgpTimers {
  readonly name: string
  readonly on: PeeringNodes
  readonly to: PeeringTarget
  /** Who this side says it is, instead of the node's AS number. */
  readonly localAs?: number
  readonly nextHop: 'auto' | 'self' | 'keep'
  readonly password?: PasswordRef
  readonly bfd: boolean
  /** `any`: whatever address the kernel takes. */
  readonly source: 'node' | 'any'
  /** How many hops away the peer may be, its packets' TTL says so (RFC 5082). */
  readonly ttlSecurity?: number
  /** How often a path may have this side's own AS number. */
  readonly allowedLocalAs?: number
  /** The next hop to a peer that no route leads to. */
  readonly reachableBy?: Ip
  /** Names of filters; the first rule that matches decides. */
  readonly filters: readonly string[]
}

/** `65000:100` as two numbers of 16 bits, `65000:1:2` as three of 32. */
export type Community = readonly [number, number] | readonly [number, number, number]

/** Which routes of a family: those within a network (`in`), it alone (`equal`), or all but these. */
export interface PrefixMatch {
  readonly operator: 'equal' | 'not-equal' | 'in' | 'not-in'
  readonly cidr: Cidr
  /** Shortest and longest prefix, of `in` and `not-in`. */
  readonly lengths?: { readonly min: number; readonly max: number }
}

/** What a rule does to a route that it accepts. */
export type RouteChange =
  | { readonly kind: 'add-community'; readonly community: Community }
  /** The path begins with these, in this order. */
  | { readonly kind: 'prepend'; readonly asNumbers: readonly number[] }
  /** The metric in kernels, 1 to 2147483646. */
  | { readonly kind: 'priority'; readonly value: number }

/** A rule; what is absent matches everything. */
export interface RouteRule {
  readonly action: 'accept' | 'reject'
  readonly prefix?: PrefixMatch
  /** Only what was learned by BGP. */
  readonly isLearned?: true
  /** A pattern of interface names: `eth*`. */
  readonly outgoing?: string
  readonly peers?: 'internal' | 'external'
  readonly community?: Community
  readonly pathStart?: readonly number[]
  readonly priority?: number
  readonly changes: readonly RouteChange[]
}

/** Rules for what comes from a peer and what goes to it. */
export interface BgpFilter {
  readonly name: string
  readonly imports: { readonly [F in Family]: readonly RouteRule[] }
  readonly exports: { readonly [F in Family]: readonly RouteRule[] }
}

/** A range that nodes' ranges are taken from. */
export interface BgpPool {
  readonly cidr: Cidr
  /** Nobody is told of its ranges. */
  readonly isHidden: boolean
  /** Peers are told; but its packets go through tunnels, so that no kernel gets a route: between nodes of different segments, or all. */
  readonly encapsulated: 'never' | 'across' | 'always'
}

/** What all nodes of a cluster agree on. */
export interface BgpCluster {
  readonly asNumber: number
  readonly port: number
  /** Listen at the node's address alone, not at every one of the machine. */
  readonly isStrictlyBound: boolean
  /** Packets of pods take tunnels where no route leads: the fabric has such. */
  readonly hasTunnels: boolean
  /** Absent: nodes only have the peerings that `peers` speaks of. */
  readonly mesh?: BgpMesh
  readonly bfd: BfdTimers
  readonly nodes: readonly BgpNode[]
  readonly peers: readonly BgpPeer[]
  readonly filters: readonly BgpFilter[]
  readonly pools: readonly BgpPool[]
  /** Networks of service addresses that peers are told of. Every node's switch knows services: no kernel gets these. */
  readonly services: readonly Cidr[]
  readonly communities: readonly { readonly cidr: Cidr; readonly add: readonly Community[] }[]
  /** The metric of learned routes in kernels. */
  readonly metric: { readonly [F in Family]: number }
  /** Patterns of interfaces that are none of the network between nodes. */
  readonly ignoredInterfaces: readonly string[]
}

/** What a node alone knows of itself. */
export interface BgpSelf {
  readonly name: string
  /** Its pods' ranges. Only confirmed ones are announced: another node may still get a pending one. */
  readonly ranges: readonly { readonly cidr: Cidr; readonly isConfirmed: boolean }[]
  /** Service addresses and networks that it announces. */
  readonly services: readonly Cidr[]
}

/** Port, AS number and metric that Calico takes without a word. */
export const BGP_PORT = 179
export const DEFAULT_AS = 64_512
export const DEFAULT_METRIC = 1024
export const DEFAULT_BFD: BfdTimers = { interval: 300, multiplier: 3 }

/** Both families, in order. */
export const FAMILIES: readonly Family[] = [4, 6]
