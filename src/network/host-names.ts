/**
 * Names and numbers of what Weft makes in a node's own stack, by which it is known as ours.
 * @module
 */
import { type Family, type Ip, ip, type Mac } from './model/address.ts'

/** Names of what Weft makes on a node. */
export const BRIDGE = 'br-weft'
export const GATEWAY = 'weft0'
export const TUNNEL = 'weft-tunnel'
/** In the `external_ids` of bridges on the physical network that `weft bridge create` made: there the agent guards pods. */
export const WIRE_OWNER = { key: 'weft-owner', value: 'weft-bridge' } as const
/** The nftables table that is ours, and its sets of what guests of the overlay are led to by an administrator. */
export const NFT_TABLE = 'weft'
export const HIJACKED: { readonly [F in Family]: string } = { 4: 'hijacked4', 6: 'hijacked6' }
/**
 * The link group of the node's ends of pods' veth pairs: of those on our bridge, of those on other bridges, and of those about
 * to be deleted.
 */
export const ENDPOINT_GROUP = 0x5745
export const UNDERLAY_GROUP = 0x5755
export const DOOMED_GROUP = 0x5744
/** The routing protocol number that marks our routes (see rtnetlink(7); 255 is the last, 77 is nobody's). */
export const ROUTE_PROTOCOL = 77

/** The next hop for every pod, one per family, and its MAC. Pods' addresses are behind it, nothing answers for it. */
export const NEXT_HOP: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.1'), 6: ip('fe80::77:1') }
export const NEXT_HOP_MAC = '0a:58:a9:fe:4d:01' as Mac

/** The same, for what others than the node itself send to services: by it the switch knows that it is none of the node's. */
export const OUTSIDE_HOP: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.4'), 6: ip('fe80::77:4') }
export const OUTSIDE_HOP_MAC = '0a:58:a9:fe:4d:04' as Mac
