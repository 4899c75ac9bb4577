/**
 * Addresses that stand for no machine. Each means the same on every node and never leaves one.
 * @module
 */
import { type Family, type Ip, ip } from './model/address.ts'

/** Who a pod or a node seems to hear from when a service leads it back to itself. */
export const TURN_ADDRESS: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.2'), 6: ip('fd77:6566:7400::2') }

/** Where the node's own stack sends what arrived at a node port, the port kept. */
export const NODE_PORT_ADDRESS: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.3'), 6: ip('fd77:6566:7400::3') }

/**
 * What a node sends back into the pod that it came from, for that pod to send it by its own interface (unnumbered-ptp), goes by
 * this hop and has this source: answers come back to the node by it.
 */
export const BACK_HOP: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.5'), 6: ip('fe80::77:5') }
export const BACK_SOURCE: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.6'), 6: ip('fd77:6566:7400::6') }

/** What a node has on its ends of pods' legs, in IPv6: by it its stack's messages about them are known. */
export const LEG_ADDRESS: Ip = ip('fe80::77:7')
