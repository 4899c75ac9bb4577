/**
 * What a packet grows by on its way, for everything here that sends packets in packets.
 * @module
 */
import type { Family } from '../model/address.ts'

/** How a packet is wrapped: `keyed-gre` is GRE with a key (RFC 2890), `udp` flannel's, which has no header of its own. */
export type Wrapping = 'vxlan' | 'geneve' | 'gre' | 'keyed-gre' | 'udp'

const OUTER_IP: { readonly [F in Family]: number } = { 4: 20, 6: 40 }
const ETHERNET = 14
const UDP = 8

/** Bytes between the outer IP header and the packet: RFC 7348, RFC 8926 (without options), RFC 2784 and 2890. */
const BETWEEN: { readonly [W in Wrapping]: number } = {
  vxlan: UDP + 8 + ETHERNET,
  geneve: UDP + 8 + ETHERNET,
  gre: 4 + ETHERNET,
  'keyed-gre': 8 + ETHERNET,
  udp: UDP,
}

/** Bytes that are added to an IP packet, over an outer packet of this family: 50 for VXLAN over IPv4. */
export function overheadOf(wrapping: Wrapping, outer: Family): number {
  return OUTER_IP[outer] + BETWEEN[wrapping]
}
