/**
 * A machine in the overlay.
 * @module
 */
import type { Cidr, Family, Ip } from './address.ts'
import type { NodeBgp } from './bgp.ts'
import type { Labels } from './policy.ts'

/** A machine as its owner declares it. */
export interface Node {
  readonly name: string
  /** Told apart from an earlier machine of the same name by this. */
  readonly uid: string
  /** Addresses that other nodes reach it at, the preferred one of each family first. */
  readonly addresses: readonly Ip[]
  /** Absent: none. */
  readonly labels?: Labels
  readonly bgp?: NodeBgp
}

/**
 * Whose part of the overlay it is: a node's of the cluster, or that of a host outside it, such as a load balancer, which
 * an administrator let in. Whatever an external host sends is of its VNI: 0 reaches everybody, another one only its
 * tenant.
 */
export type Machine =
  | { readonly kind: 'node'; readonly uid: string }
  | { readonly kind: 'external'; readonly vni: number }

/**
 * A machine's part of the overlay, read by every agent. Those of nodes are the controller's own; those of external hosts
 * are declared by an administrator, and the controller gives them the ranges they lack.
 */
export interface NodeNetwork {
  /** The machine's name. */
  readonly node: string
  readonly machine: Machine
  readonly addresses: readonly Ip[]
  /**
   * The ranges its pods get addresses from. The first of each family is its own for good: what stands for the whole node, such as
   * the MAC address of its gateway, comes from there. Further ones come and go with its pods.
   */
  readonly ranges: readonly Cidr[]
  /** Those of them that it gives nothing out of any more, to be taken back. Absent: none. */
  readonly closing?: readonly ClosingRange[]
  /** What is wrong with its ranges or addresses, for people. */
  readonly problem?: string
  /** Since when nothing was heard from an external host's agent, for people; written by the controller. */
  readonly silence?: string
  /** What the node's agent says of itself; written by that agent alone. */
  readonly status?: NodeNetworkStatus
}

/** A range that is to be taken back. It still leads to its node, whose pods may live there. */
export interface ClosingRange {
  readonly range: Cidr
  /** The revision at which it was closed. Who says that it is empty repeats it, so that nobody's older word counts. */
  readonly since: number
}

/** A range of a node that no pod has an address of. */
export interface UnusedRange {
  readonly range: Cidr
  /** As of {@link ClosingRange}: nobody gets an address of it any more. Absent: somebody may. */
  readonly since?: number
}

/** How often an external host's agent counts, in milliseconds. */
export const BEAT_MS = 30_000

/** What a node's agent says of itself. */
export interface NodeNetworkStatus {
  readonly ready: boolean
  /** Why not, for people. */
  readonly reason?: string
  /** The uplink's MTU in bytes. */
  readonly uplinkMtu: number
  readonly datapath: 'system' | 'netdev'
  /** It takes packets of other nodes' pods that come without a tunnel. Absent: it does not. */
  readonly direct?: true
  /** How many ranges of a family it is to have that are not closing, where that is more than one. */
  readonly wants?: { readonly [F in Family]?: number }
  /** Ranges that it could do without, and those that it does without. Absent: none. */
  readonly unused?: readonly UnusedRange[]
  /** An external host's agent counts while it lives: nobody else would notice its end. */
  readonly beat?: number
}
