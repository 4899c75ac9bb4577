/**
 * What becomes of an agent's report.
 * @module
 */
import type { NodeNetwork } from '../../network/model/node.ts'
import { type NodeReport, sameStatus, uidOf } from './node-report.ts'

/** What the controller makes of a report. */
export type ReportDecision =
  /** There is nothing to be done. */
  | { readonly is: 'known' }
  | { readonly is: 'news'; readonly value: NodeNetwork }
  /** It cannot be true. */
  | { readonly is: 'refused'; readonly why: string }

/** Every IPv6 link carries as much (RFC 8200). Pods of all nodes get the MTU that fits the smallest uplink. */
const SMALLEST_UPLINK = 1280

/**
 * Whether a report says something new about a node. One about another Node of the same name is none, and one that would
 * cut everybody's packets to nothing is not believed: an agent's word reaches that far.
 */
export function decideReport(network: NodeNetwork, { nodeUid, status }: NodeReport): ReportDecision {
  if (nodeUid !== uidOf(network.machine)) return { is: 'known' }
  if (status.uplinkMtu < SMALLEST_UPLINK) {
    return { is: 'refused', why: `its agent says that the uplink's MTU is ${status.uplinkMtu}, which is too small` }
  }
  if (network.status !== undefined && sameStatus(network.status, status)) return { is: 'known' }
  return { is: 'news', value: { ...network, status } }
}
