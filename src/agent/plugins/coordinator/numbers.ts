/**
 * Names and numbers of what the coordinator makes. Tables and priorities are Spiderpool's (reference: its coordinator
 * plugin), the rest is ours: by it an agent without memory knows what it made.
 * @module
 */

import type { PodReference } from '../../../cni/index.ts'
import { linkName } from '../../attach/lease.ts'
import { macsOfPair, type Pair } from '../pair.ts'

/** The pod's end of the pair that leads to its node. */
export const POD_LINK = 'veth0'
/** The routing protocol number of routes and rules in pods and on the node. */
export const PROTOCOL = 78
export const TABLE_MAIN = 254
/** The table for what came by way of the node, and goes back there. */
export const RETURN_TABLE = 100
/** Of rules by mark and of the node's rule; rules by source come after them. */
export const RULE_PRIORITY = 1000
export const SOURCE_PRIORITY = 1001
/** Of the node's rules for guests of the overlay. */
export const GUEST_PRIORITY = 1001
/** The mark of connections that came by way of the node. */
export const MARK = 1
/** The nftables table in pods. */
export const POD_NFT_TABLE = 'weft-coordinator'

/**
 * The table of a pod's interface, for good: the numbers that Spiderpool comes to by counting links where it counts right.
 * The first interface's and the second's are one, as the first's has nothing but the way to the node.
 */
export function tableOf(ordinal: number): number {
  return RETURN_TABLE + Math.max(1, ordinal)
}

/** The node's end of a pod's pair. */
export function hostLink(containerId: string): string {
  return linkName(`${containerId}/${POD_LINK}`)
}

/** What the node's end of a pair says of itself: whose it is, for people and for an agent without memory. */
export function guestAlias(pod: PodReference | undefined, network: string): string {
  return `weft ${pod?.namespace ?? ''}/${pod?.name ?? ''} on ${network}`.slice(0, LONGEST_ALIAS)
}

/** The namespace in an alias. */
export function namespaceIn(alias: string): string | undefined {
  return /^weft ([^/\s]+)\//.exec(alias)?.[1]
}

/** In characters; namespaces' and pods' names are ASCII, and at most 63 and 253 of them. */
const LONGEST_ALIAS = 250

/** MAC addresses of both ends. */
export function pairMacs(containerId: string): Pair['macs'] {
  return macsOfPair(`${containerId}/${POD_LINK}`)
}
