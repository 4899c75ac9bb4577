/**
 * ARP for IPv4 over Ethernet (RFC 826, RFC 5227).
 * @module
 */
import { formatIp, formatMac } from '../../linux/index.ts'
import type { Ip, Mac } from '../../network/model/address.ts'
import { BROADCAST, ETH_ARP, HEADER, half, NO_MAC, packet } from './ethernet.ts'

/** What a packet says; the MAC addresses are those of the ARP packet, not of the frame. */
export interface Arp {
  readonly operation: 'request' | 'reply'
  readonly senderMac: Mac
  readonly sender: Ip
  readonly targetMac: Mac
  readonly target: Ip
}

/** Nobody's address: the sender of a probe. */
export const UNKNOWN_SENDER = '0.0.0.0' as Ip

/** Asks who has an address without saying that anybody else has it (RFC 5227 section 2.1.1). */
export function arpProbe(mac: Mac, address: Ip): Uint8Array {
  return arpQuestion(mac, UNKNOWN_SENDER, address)
}

/** Asks who has an address, in the name of one's own. */
export function arpQuestion(senderMac: Mac, sender: Ip, target: Ip): Uint8Array {
  return arpFrame({ operation: 'request', senderMac, sender, targetMac: NO_MAC, target })
}

/**
 * Says whose an address is, as a request and as a reply: there are hosts that hear only one of the two (RFC 5227
 * sections 2.3 and 3).
 */
export function arpAnnouncements(mac: Mac, address: Ip): readonly Uint8Array[] {
  const own = { senderMac: mac, sender: address, target: address }
  return [
    arpFrame({ ...own, operation: 'request', targetMac: NO_MAC }),
    arpFrame({ ...own, operation: 'reply', targetMac: mac }),
  ]
}

/** A frame to everybody. */
export function arpFrame({ operation, senderMac, sender, targetMac, target }: Arp): Uint8Array {
  const opcode = operation === 'request' ? REQUEST : REPLY
  return packet(BROADCAST, senderMac, ETH_ARP, ETHERNET, IPV4, LENGTHS, opcode, senderMac, sender, targetMac, target)
}

/** Reads a frame; undefined for whatever is not complete ARP for IPv4. */
export function readArp(frame: Uint8Array): Arp | undefined {
  const at = HEADER
  if (frame.length < at + LENGTH || half(frame, 12) !== ETH_ARP) return undefined
  if (half(frame, at) !== ETHERNET || half(frame, at + 2) !== IPV4 || half(frame, at + 4) !== LENGTHS) return undefined
  const opcode = half(frame, at + 6)
  if (opcode !== REQUEST && opcode !== REPLY) return undefined
  return {
    operation: opcode === REQUEST ? 'request' : 'reply',
    senderMac: formatMac(frame.subarray(at + 8, at + 14)) as Mac,
    sender: formatIp(frame.subarray(at + 14, at + 18)) as Ip,
    targetMac: formatMac(frame.subarray(at + 18, at + 24)) as Mac,
    target: formatIp(frame.subarray(at + 24, at + 28)) as Ip,
  }
}

const ETHERNET = 1
const IPV4 = 0x0800
/** Six bytes of hardware address, four of protocol address. */
const LENGTHS = 0x0604
const REQUEST = 1
const REPLY = 2
/** Bytes of the packet behind the Ethernet header. */
const LENGTH = 28
