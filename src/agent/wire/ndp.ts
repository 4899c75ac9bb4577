/**
 * Neighbour discovery: solicitations and advertisements (RFC 4861), duplicate address detection (RFC 4862) with nonces
 * (RFC 7527).
 * @module
 */
import { formatMac, internetChecksum } from '../../linux/index.ts'
import { formatIp, type Ip, ip, type Mac } from '../../network/model/address.ts'
import { ETH_IPV6, HEADER, half, type Part, packet, tailOf } from './ethernet.ts'

/** What a message says. */
export interface Neighbour {
  readonly kind: 'solicitation' | 'advertisement'
  /** The packet's source; {@link UNSPECIFIED} in duplicate address detection. */
  readonly source: Ip
  readonly target: Ip
  /** Of the sender: its link-layer address option, else the frame's source. */
  readonly mac: Mac
  /** Hexadecimal. Absent: none was given. */
  readonly nonce?: string
}

export const UNSPECIFIED = ip('::')
export const ALL_NODES = ip('ff02::1')
/** Bytes of a nonce, so that its option has 8. */
export const NONCE_BYTES = 6

/** The group that the holder of an address listens to (RFC 4291 section 2.7.1). */
export function solicitedNode(address: Ip): Ip {
  return formatIp(6, SOLICITED_NODE | tailOf(address, 24))
}

/** The Ethernet address of an IPv6 group (RFC 2464 section 7). */
export function multicastMac(group: Ip): Mac {
  const tail = tailOf(group, 32).toString(16).padStart(8, '0')
  return `33:33:${tail.replace(/(..)(?=.)/g, '$1:')}` as Mac
}

/** Asks whether anybody has an address, on nobody's behalf. */
export function dadSolicitation(mac: Mac, address: Ip, nonce: Uint8Array): Uint8Array {
  const option = packet((NONCE << 8) | 1, nonce)
  return message(mac, UNSPECIFIED, solicitedNode(address), [SOLICITATION << 8, 0, 0, 0, address, option])
}

/** Asks who has an address, in the name of one's own. */
export function solicitation(mac: Mac, source: Ip, target: Ip): Uint8Array {
  const option = packet((SOURCE_MAC << 8) | 1, mac)
  return message(mac, source, solicitedNode(target), [SOLICITATION << 8, 0, 0, 0, target, option])
}

/** Says to everybody whose an address is, over what they knew (RFC 4861 section 7.2.6). */
export function announcement(mac: Mac, address: Ip): Uint8Array {
  const option = packet((TARGET_MAC << 8) | 1, mac)
  return message(mac, address, ALL_NODES, [ADVERTISEMENT << 8, 0, OVERRIDE, 0, address, option])
}

/** Reads a frame; undefined for what is no valid message (RFC 4861 sections 7.1.1 and 7.1.2). */
export function readNeighbour(frame: Uint8Array): Neighbour | undefined {
  const kind = kindOf(frame)
  if (kind === undefined) return undefined
  const end = ICMP + (half(frame, HEADER + 4) ?? 0)
  if (end > frame.length || end < ICMP + FIXED) return undefined
  const body = frame.subarray(ICMP, end)
  const [source, destination] = [addressAt(frame, HEADER + 8), addressAt(frame, HEADER + 24)]
  if (internetChecksum(packet(pseudoHeader(source, destination, body.length), body)) !== 0) return undefined
  const target = addressAt(body, 8)
  const options = optionsOf(body.subarray(FIXED))
  if (options === undefined || isGroup(target)) return undefined
  const macOption = options.get(kind === 'solicitation' ? SOURCE_MAC : TARGET_MAC)
  // Nobody's question has no address to be answered at.
  if (kind === 'solicitation' && source === UNSPECIFIED && macOption !== undefined) return undefined
  const nonce = options.get(NONCE)
  return {
    kind,
    source,
    target,
    mac: formatMac((macOption ?? frame.subarray(6, 12)).subarray(0, 6)) as Mac,
    ...(nonce === undefined ? {} : { nonce: Buffer.from(nonce).toString('hex') }),
  }
}

const SOLICITED_NODE = 0xff0200000000000000000001ff000000n
const ICMPV6 = 58
const HOP_LIMIT = 255
const SOLICITATION = 135
const ADVERTISEMENT = 136
const OVERRIDE = 0x2000
const SOURCE_MAC = 1
const TARGET_MAC = 2
const NONCE = 14
/** Bytes of the message before its options. */
const FIXED = 24
/** Where ICMPv6 begins behind an IPv6 header without extensions. */
const ICMP = HEADER + 40
const MOST_OPTIONS = 16

function message(mac: Mac, source: Ip, destination: Ip, parts: readonly Part[]): Uint8Array {
  const body = packet(...parts)
  const checksum = internetChecksum(packet(pseudoHeader(source, destination, body.length), body))
  body.set(packet(checksum), 2)
  const ethernet = packet(multicastMac(destination), mac, ETH_IPV6)
  const header = packet(0x6000, 0, body.length, (ICMPV6 << 8) | HOP_LIMIT, source, destination)
  return packet(ethernet, header, body)
}

/** RFC 8200 section 8.1. */
function pseudoHeader(source: Ip, destination: Ip, length: number): Uint8Array {
  return packet(source, destination, 0, length, 0, ICMPV6)
}

/** No router changed it: its hop limit is the highest. */
function kindOf(frame: Uint8Array): Neighbour['kind'] | undefined {
  if (frame.length < ICMP + FIXED || half(frame, 12) !== ETH_IPV6 || (frame[HEADER] ?? 0) >> 4 !== 6) return undefined
  if (frame[HEADER + 6] !== ICMPV6 || frame[HEADER + 7] !== HOP_LIMIT || frame[ICMP + 1] !== 0) return undefined
  if (frame[ICMP] === SOLICITATION) return 'solicitation'
  return frame[ICMP] === ADVERTISEMENT ? 'advertisement' : undefined
}

/** Values by type, the first of each; undefined where a length is none. */
function optionsOf(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const options = new Map<number, Uint8Array>()
  let at = 0
  for (let count = 0; at < bytes.length && count < MOST_OPTIONS; count += 1) {
    const length = (bytes[at + 1] ?? 0) * 8
    if (length === 0 || at + length > bytes.length) return undefined
    const type = bytes[at] ?? 0
    if (!options.has(type)) options.set(type, bytes.subarray(at + 2, at + length))
    at += length
  }
  return options
}

function addressAt(bytes: Uint8Array, at: number): Ip {
  return formatIp(6, BigInt(`0x${Buffer.from(bytes.subarray(at, at + 16)).toString('hex')}`))
}

function isGroup(address: Ip): boolean {
  return address.startsWith('ff') && address.indexOf(':') === 4
}
