/**
 * Bare IPv4 packets: what the proxy looks at and changes. Pure, but for the bytes that it is given to change.
 * @module
 */
import { internetChecksum } from '../../linux/index.ts'

/** Addresses as numbers. */
export interface Ends {
  readonly source: number
  readonly destination: number
}

/** Where a packet is from and to; undefined for bytes that are no IPv4 packet. */
export function endsOf(packet: Uint8Array): Ends | undefined {
  const header = headerLength(packet)
  if (header === 0) return undefined
  const view = viewOf(packet)
  const total = view.getUint16(2)
  if (total < header || total > packet.length) return undefined
  return { source: view.getUint32(12), destination: view.getUint32(16) }
}

/** Takes one off the time to live, and keeps the checksum right. False when the packet's time is over. */
export function age(packet: Uint8Array): boolean {
  const view = viewOf(packet)
  const ttl = view.getUint8(8)
  if (ttl <= 1) return false
  view.setUint8(8, ttl - 1)
  // RFC 1624: the word that holds the time to live is 256 less, so that the checksum is 256 more.
  const sum = view.getUint16(10) + 0x100
  view.setUint16(10, (sum + (sum >> 16)) & 0xffff)
  return true
}

/** Why a packet does not arrive. */
export type Unreached = 'net-unreachable' | 'time-exceeded'

/**
 * What the sender of a packet is told (RFC 792), with the time to live that flannel gives it; undefined where nobody is to
 * be told: of errors, of all but a datagram's first piece, and where the sender is a group or nobody.
 */
export function complaint(packet: Uint8Array, why: Unreached, from: number): Uint8Array | undefined {
  const ends = endsOf(packet)
  if (ends === undefined || !isToBeTold(packet, ends)) return undefined
  const quoted = packet.subarray(0, Math.min(packet.length, headerLength(packet) + 8))
  const bytes = new Uint8Array(HEADER + ICMP + quoted.length)
  const view = viewOf(bytes)
  view.setUint8(0, 0x45)
  view.setUint16(2, bytes.length)
  view.setUint8(8, COMPLAINT_TTL)
  view.setUint8(9, IPPROTO_ICMP)
  view.setUint32(12, from)
  view.setUint32(16, ends.source)
  view.setUint16(10, internetChecksum(bytes.subarray(0, HEADER)))
  const icmp = bytes.subarray(HEADER)
  icmp[0] = why === 'net-unreachable' ? 3 : 11
  icmp.set(quoted, ICMP)
  viewOf(icmp).setUint16(2, internetChecksum(icmp))
  return bytes
}

const HEADER = 20
const ICMP = 8
const IPPROTO_ICMP = 1
const COMPLAINT_TTL = 8
/** Those that are answers to somebody's question. */
const ICMP_QUESTIONS: ReadonlySet<number> = new Set([0, 8, 13, 14])

function isToBeTold(packet: Uint8Array, { source, destination }: Ends): boolean {
  const isPiece = (viewOf(packet).getUint16(6) & 0x1fff) !== 0
  const isNobody = source === 0 || source >= 0xe0_00_00_00 || source >>> 24 === 127
  if (isPiece || isNobody || destination >= 0xe0_00_00_00) return false
  return packet[9] !== IPPROTO_ICMP || ICMP_QUESTIONS.has(packet[headerLength(packet)] ?? 3)
}

/** Bytes of the header; 0 for what is no IPv4 packet. */
function headerLength(packet: Uint8Array): number {
  const [first = 0] = packet
  const length = (first & 0xf) * 4
  return first >> 4 === 4 && length >= HEADER && length <= packet.length ? length : 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
