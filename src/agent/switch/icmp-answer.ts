/**
 * ICMP errors that the agent sends for the switch: “fragmentation needed” (RFC 792, RFC 1191) or “packet too big”
 * (RFC 4443 section 3.2), and “port unreachable” (RFC 792, RFC 4443 section 3.1). Pure: bytes in, bytes out.
 * @module
 */
import { internetChecksum } from '../../linux/checksum.ts'
import type { Family } from '../../network/model/address.ts'

const ETHERNET = 14
const IPV4 = 20
const IPV6 = 40
const ICMP = 8
/** ICMPv4: header and eight bytes at least (RFC 792); ICMPv6: as much as fits the minimum MTU (RFC 4443 2.4 c). */
const QUOTE = { 4: 28 + 520, 6: 1280 - IPV6 - ICMP } as const

/** What a sender is told. */
export interface IcmpError {
  readonly type: { readonly [F in Family]: number }
  readonly code: { readonly [F in Family]: number }
  /** The MTU in bytes, where the message has one. */
  readonly mtu?: number
}

/** Packets larger than `mtu` bytes do not pass. */
export function tooBig(mtu: number): IcmpError {
  return { type: { 4: 3, 6: 2 }, code: { 4: 4, 6: 0 }, mtu }
}

/** Nobody answers at that port. */
export const PORT_UNREACHABLE: IcmpError = { type: { 4: 3, 6: 1 }, code: { 4: 3, 6: 4 } }

/**
 * The Ethernet frame that tells the sender of `frame` about an error, or undefined when nothing may be answered: not
 * IP, truncated, itself an ICMP error, a fragment's tail, or a multicast sender. It appears to come from the packet's
 * destination, as no router of ours has an address the sender must reach.
 */
export function icmpAnswer(frame: Uint8Array, error: IcmpError): Uint8Array | undefined {
  if (frame.length < ETHERNET + IPV4) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const ethertype = view.getUint16(12)
  if (ethertype === 0x0800) return answerIpv4(frame, view, error)
  if (ethertype === 0x86dd) return answerIpv6(frame, view, error)
  return undefined
}

function answerIpv4(frame: Uint8Array, view: DataView, error: IcmpError): Uint8Array | undefined {
  const headerLength = (view.getUint8(ETHERNET) & 0x0f) * 4
  const isTail = (view.getUint16(ETHERNET + 6) & 0x1fff) !== 0
  const isIcmpError =
    view.getUint8(ETHERNET + 9) === 1 && [3, 4, 5, 11, 12].includes(frame[ETHERNET + headerLength] ?? 3)
  if (headerLength < IPV4 || frame.length < ETHERNET + headerLength + quoted(frame[ETHERNET + 9])) return undefined
  if (isTail || isIcmpError) return undefined
  if ((frame[ETHERNET + 12] ?? 0xff) >= 0xe0) return undefined
  const quote = frame.subarray(ETHERNET, ETHERNET + QUOTE[4])
  const answer = new Uint8Array(ETHERNET + IPV4 + ICMP + quote.length)
  const out = new DataView(answer.buffer)
  ethernet(answer, frame, 0x0800)
  out.setUint8(ETHERNET, 0x45)
  out.setUint16(ETHERNET + 2, IPV4 + ICMP + quote.length)
  out.setUint8(ETHERNET + 8, 64)
  out.setUint8(ETHERNET + 9, 1)
  answer.set(frame.subarray(ETHERNET + 16, ETHERNET + 20), ETHERNET + 12)
  answer.set(frame.subarray(ETHERNET + 12, ETHERNET + 16), ETHERNET + 16)
  out.setUint16(ETHERNET + 10, internetChecksum(answer.subarray(ETHERNET, ETHERNET + IPV4)))
  const icmp = ETHERNET + IPV4
  out.setUint8(icmp, error.type[4])
  out.setUint8(icmp + 1, error.code[4])
  out.setUint16(icmp + 6, error.mtu ?? 0)
  answer.set(quote, icmp + ICMP)
  out.setUint16(icmp + 2, internetChecksum(answer.subarray(icmp)))
  return answer
}

function answerIpv6(frame: Uint8Array, view: DataView, error: IcmpError): Uint8Array | undefined {
  if (frame.length < ETHERNET + IPV6 + quoted(frame[ETHERNET + 6])) return undefined
  const isIcmpError = view.getUint8(ETHERNET + 6) === 58 && (frame[ETHERNET + IPV6] ?? 0) < 128
  const isMulticast = frame[ETHERNET + 8] === 0xff
  if (isIcmpError || isMulticast) return undefined
  const quote = frame.subarray(ETHERNET, ETHERNET + QUOTE[6])
  const answer = new Uint8Array(ETHERNET + IPV6 + ICMP + quote.length)
  const out = new DataView(answer.buffer)
  ethernet(answer, frame, 0x86dd)
  out.setUint8(ETHERNET, 0x60)
  out.setUint16(ETHERNET + 4, ICMP + quote.length)
  out.setUint8(ETHERNET + 6, 58)
  out.setUint8(ETHERNET + 7, 64)
  answer.set(frame.subarray(ETHERNET + 24, ETHERNET + 40), ETHERNET + 8)
  answer.set(frame.subarray(ETHERNET + 8, ETHERNET + 24), ETHERNET + 24)
  const icmp = ETHERNET + IPV6
  out.setUint8(icmp, error.type[6])
  out.setUint8(icmp + 1, error.code[6])
  out.setUint32(icmp + 4, error.mtu ?? 0)
  answer.set(quote, icmp + ICMP)
  out.setUint16(icmp + 2, internetChecksum(pseudoHeader(answer)))
  return answer
}

/**
 * Bytes behind the IP header that have to be there to be quoted. Eight would do for an ICMP error; but one that quotes
 * less than a whole TCP header ends ovs-vswitchd 3.1 when connection tracking translates it in user space.
 */
function quoted(protocol: number | undefined): number {
  return protocol === PROTO_TCP ? 20 : 8
}

const PROTO_TCP = 6

/** The frame goes back to where it came from. */
function ethernet(answer: Uint8Array, frame: Uint8Array, ethertype: number): void {
  answer.set(frame.subarray(6, 12), 0)
  answer.set(frame.subarray(0, 6), 6)
  answer.set([ethertype >> 8, ethertype & 0xff], 12)
}

/** ICMPv6 checksums cover source, destination, length and next header (RFC 8200 section 8.1). */
function pseudoHeader(answer: Uint8Array): Uint8Array {
  const message = answer.subarray(ETHERNET + IPV6)
  const covered = new Uint8Array(40 + message.length)
  covered.set(answer.subarray(ETHERNET + 8, ETHERNET + 40), 0)
  new DataView(covered.buffer).setUint32(32, message.length)
  covered[39] = 58
  covered.set(message, 40)
  return covered
}
