/**
 * Guests of the overlay: pods on the physical network, whose packets to overlay pods and services enter the switch by way
 * of their node's own stack. The stack gives them its own address, as answers have to find back; whose they are they say by the
 * Ethernet address they are sent to, which holds the VNI of their tenant. Nobody has these addresses, and only the node's
 * routes for guests lead to them.
 * @module
 */
import { type Family, formatIp, type Ip, type Mac } from './model/address.ts'

/** The link group of the node's ends of guests' links. */
export const GUEST_GROUP = 0x5743
/** The first three bytes say "a guest", the rest is the VNI. */
export const GUEST_MACS = { value: '0a:57:00:00:00:00', mask: 'ff:ff:ff:00:00:00' } as const

/** What guests of a tenant send to. */
export function guestMac(vni: number): Mac {
  return `0a:57:00${vni.toString(16).padStart(6, '0').replace(/../g, ':$&')}` as Mac
}

/**
 * The next hop of guests of a tenant on the gateway port. It never is in a packet; 240.0.0.0/4 is given to nobody (RFC 1112
 * section 4), so that a VNI fits in.
 */
export function guestHop(family: Family, vni: number): Ip {
  const base = family === 4 ? 0xf000_0000n : 0xfe80_0000_0000_0000_0000_0000_5700_0000n
  return formatIp(family, base | BigInt(vni))
}

/** The routing table of guests of a tenant. */
export function guestTable(vni: number): number {
  return GUEST_TABLES + vni
}

/** The VNI whose guests' table it is. */
export function vniOfTable(table: number): number | undefined {
  return table >= GUEST_TABLES && table <= GUEST_TABLES + 0xff_ffff ? table - GUEST_TABLES : undefined
}

/** Tables from here on are guests'. */
export const GUEST_TABLES = 0x5700_0000
