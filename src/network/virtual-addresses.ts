/**
 * Addresses that stand for no machine. Each means the same on every node and never leaves one.
 * @module
 */
import { type Family, type Ip, ip } from './model/address.ts'

/** Who a pod or a node seems to hear from when a service leads it back to itself. */
export const TURN_ADDRESS: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.2'), 6: ip('fd77:6566:7400::2') }

/** Where the node's own stack sends what arrived at a node port, the port kept. */
export const NODE_PORT_ADDRESS: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.3'), 6: ip('fd77:6566:7400::3') }
