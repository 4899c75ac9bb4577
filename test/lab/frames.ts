/**
 * Frames as nobody should send them, byte by byte.
 * @module
 */
import { internetChecksum as checksum } from '../../src/linux/checksum.ts'
import { parseIp } from '../../src/linux/ip.ts'

/** Ethertypes. */
export const ETH = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const
const UDP = 17
const ICMPV6 = 58

/** One packet's addresses. */
export interface Addresses {
  readonly from: string
  readonly to: string
}

/** An Ethernet frame of at least 60 bytes. */
export function ethernet(from: string, to: string, type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(Math.max(60, 14 + payload.length))
  frame.set(macBytes(to), 0)
  frame.set(macBytes(from), 6)
  frame.set(u16(type), 12)
  frame.set(payload, 14)
  return frame
}

/** A tag of IEEE 802.1Q before an ethertype: the payload of a frame of type 0x8100. */
export function vlanTag(vlan: number, type: number, payload: Uint8Array): Uint8Array {
  return join(u16(vlan), u16(type), payload)
}

/** An ARP message (operation 1 asks, 2 answers) with bytes behind it. */
export function arp(
  operation: number,
  sender: { readonly mac: string; readonly ip: string },
  target: { readonly mac: string; readonly ip: string },
  trailer: Uint8Array,
): Uint8Array {
  const head = Uint8Array.of(0, 1, 8, 0, 6, 4, 0, operation)
  return join(head, macBytes(sender.mac), parseIp(sender.ip), macBytes(target.mac), parseIp(target.ip), trailer)
}

/** An IPv4 packet; `fragment` is the word of flags and offset. */
export function ipv4({ from, to }: Addresses, protocol: number, payload: Uint8Array, fragment = 0): Uint8Array {
  const head = join(Uint8Array.of(0x45, 0), u16(20 + payload.length), u16(0x7766), u16(fragment))
  const header = join(head, Uint8Array.of(64, protocol), u16(0), parseIp(from), parseIp(to))
  header.set(u16(checksum(header)), 10)
  return join(header, payload)
}

/** An IPv6 packet. */
export function ipv6({ from, to }: Addresses, next: number, payload: Uint8Array, hops = 255): Uint8Array {
  const head = join(Uint8Array.of(0x60, 0, 0, 0), u16(payload.length), Uint8Array.of(next, hops))
  return join(head, parseIp(from), parseIp(to), payload)
}

/** A UDP datagram with its checksum. */
export function udp(
  addresses: Addresses,
  ports: { readonly from: number; readonly to: number },
  data: Uint8Array,
): Uint8Array {
  const message = join(u16(ports.from), u16(ports.to), u16(8 + data.length), u16(0), data)
  message.set(u16(checksum(pseudo(addresses, UDP, message)) || 0xffff), 6)
  return message
}

/** An ICMP message without its identifier's meaning: `rest` follows type, code and checksum. */
export function icmp(type: number, code: number, rest: Uint8Array): Uint8Array {
  const message = join(Uint8Array.of(type, code, 0, 0), rest)
  message.set(u16(checksum(message)), 2)
  return message
}

/** An ICMPv6 message in its IPv6 packet. */
export function icmpv6(addresses: Addresses, type: number, rest: Uint8Array): Uint8Array {
  const message = join(Uint8Array.of(type, 0, 0, 0), rest)
  message.set(u16(checksum(pseudo(addresses, ICMPV6, message))), 2)
  return ipv6(addresses, ICMPV6, message)
}

/** An option of neighbour discovery: type, length in units of eight bytes, contents. */
export function ndOption(type: number, contents: Uint8Array): Uint8Array {
  const units = Math.ceil((2 + contents.length) / 8)
  const option = new Uint8Array(units * 8)
  option.set([type, units])
  option.set(contents, 2)
  return option
}

/** A VXLAN packet's UDP data: header with the VNI, and the inner frame. */
export function vxlan(vni: number, inner: Uint8Array): Uint8Array {
  return join(Uint8Array.of(8, 0, 0, 0, vni >> 16, (vni >> 8) & 0xff, vni & 0xff, 0), inner)
}

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':').map((part) => Number.parseInt(part, 16)))
}

export function join(...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)))
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

function pseudo({ from, to }: Addresses, protocol: number, message: Uint8Array): Uint8Array {
  const four = !from.includes(':')
  const tail = four ? join([0, protocol], u16(message.length)) : join([0, 0], u16(message.length), [0, 0, 0, protocol])
  const covered = join(parseIp(from), parseIp(to), tail, message)
  return covered.length % 2 === 0 ? covered : join(covered, [0])
}
