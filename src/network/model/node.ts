/**
 * A machine in the overlay.
 * @module
 */
import type { Cidr, Ip } from './address.ts'

/** A machine as its owner declares it. */
export interface Node {
  readonly name: string
  /** Told apart from an earlier machine of the same name by this. */
  readonly uid: string
  /** Addresses that other nodes reach it at, the preferred one of each family first. */
  readonly addresses: readonly Ip[]
}

/** A node's part of the overlay: written by the controller, read by every agent. */
export interface NodeNetwork {
  readonly node: string
  /** Empty when made by hand, for a machine that is no node: the controller leaves it alone. */
  readonly nodeUid: string
  readonly addresses: readonly Ip[]
  /** The ranges its pods get addresses from, at most one of each cluster network's family. */
  readonly ranges: readonly Cidr[]
  /** Why a range is missing, for people. */
  readonly problem?: string
  /** What the node's agent says of itself; written by that agent alone. */
  readonly status?: NodeNetworkStatus
}

/** What a node's agent says of itself. */
export interface NodeNetworkStatus {
  readonly ready: boolean
  /** Why not, for people. */
  readonly reason?: string
  /** The uplink's MTU in bytes. */
  readonly uplinkMtu: number
  readonly datapath: 'system' | 'netdev'
}
