/**
 * What administrators say of BGP, an object each: whoever reads them all makes one cluster of it
 * (`../fabric/bgp/model.ts`). Selectors are Calico's, as texts.
 * @module
 */
import type { Cidr, Ip } from './address.ts'

/** Names a password: `<secret>/<key>`. Nothing of the password itself. */
export type PasswordName = string

/** How often two ends say that they are there, and how many missing words end a session. */
export interface BfdTimes {
  /** In milliseconds. */
  readonly interval: number
  readonly multiplier: number
}

/** What holds for all nodes. The one called `default` counts. */
export interface BgpConfiguration {
  readonly name: string
  /** Whether every two nodes that reflect nothing are joined; absent: they are. */
  readonly mesh?: boolean
  readonly asNumber?: number
  readonly port?: number
  /** Listen at the nodes' addresses alone. */
  readonly isStrictlyBound?: boolean
  readonly meshPassword?: PasswordName
  /** How long routes of a peer that was lost are kept, in seconds. */
  readonly meshRestart?: number
  /** Nodes of the mesh watch each other by BFD, with these times, which every session has that is watched. Absent: they do not. */
  readonly bfd?: BfdTimes
  readonly ignoredInterfaces?: readonly string[]
  /** Metrics of learned routes in kernels. */
  readonly metric4?: number
  readonly metric6?: number
  /** Networks whose routes get these communities: `65000:100`, `65000:1:2`. */
  readonly communities?: readonly { readonly cidr: Cidr; readonly add: readonly string[] }[]
  /** Networks of services' addresses that peers are to be told of. */
  readonly clusterIps?: readonly Cidr[]
  readonly externalIps?: readonly Cidr[]
  readonly loadBalancerIps?: readonly Cidr[]
  /** Peers are told of each address of a load balancer that leads somewhere, and not of the networks these are of. */
  readonly tellsEachLoadBalancer?: boolean
}

/** A peering that somebody asked for. */
export interface BgpPeering {
  readonly name: string
  /** Which nodes have it: this one, those that a selector means, or all. */
  readonly node?: string
  readonly nodeSelector?: string
  /** With whom: an address, or the nodes that a selector means. */
  readonly address?: Ip
  readonly port?: number
  readonly peerSelector?: string
  readonly asNumber?: number
  readonly localAs?: number
  readonly nextHop?: 'auto' | 'self' | 'keep'
  readonly password?: PasswordName
  readonly source?: 'node' | 'any'
  /** Seconds. */
  readonly restart?: number
  readonly keepalive?: number
  readonly allowedLocalAs?: number
  readonly ttlSecurity?: number
  readonly reachableBy?: Ip
  readonly filters?: readonly string[]
  /** Nodes that a selector means have the same peering from their side; absent: they have. */
  readonly isMutual?: boolean
  /** Its ends watch each other by BFD (RFC 5880). */
  readonly bfd?: boolean
}

/** A range that pods' addresses are of. */
export interface BgpRange {
  readonly name: string
  readonly cidr: Cidr
  /** Nobody is told of it. */
  readonly isHidden?: boolean
  /** Its packets go in tunnels of a kind; absent: in none. */
  readonly tunnel?: 'ipip' | 'vxlan'
  /** Only between nodes of different segments. */
  readonly isCrossSubnet?: boolean
  /** Whether what leaves the cluster gets the node's address; absent: unless it goes where BGP leads. */
  readonly isTranslated?: boolean
  /** No more addresses are to be given out of it. */
  readonly isDisabled?: boolean
}

/** What a node's own object says of its BGP. */
export interface NodeBgp {
  /** Where its sessions end, and how long the prefix of the network there is: at most one of each family. */
  readonly addresses: readonly { readonly address: Ip; readonly length: number }[]
  readonly asNumber?: number
  /** It reflects routes, as a member of this cluster of reflectors. */
  readonly clusterId?: Ip
  /** What of it nobody understands, for people. */
  readonly problem?: string
  /** Calico's own record of the node says it (`spec.bgp`), and no annotation. */
  readonly isRecorded?: true
}
