/**
 * Bytes of frames, written in the order in which they stand on the wire.
 * @module
 */
import { parseIp as ipBytes, parseMac as macBytes } from '../../linux/index.ts'
import { type Ip, ipValue, type Mac } from '../../network/model/address.ts'

export const ETH_ARP = 0x0806
export const ETH_IPV6 = 0x86dd
export const BROADCAST = 'ff:ff:ff:ff:ff:ff' as Mac
export const NO_MAC = '00:00:00:00:00:00' as Mac
/** Bytes of an Ethernet header without tags. */
export const HEADER = 14

/** A part of a packet; numbers are 16 bits in network order. */
export type Part = number | Mac | Ip | Uint8Array

/** Parts one after another. */
export function packet(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...bytesOf(part)]))
}

function bytesOf(part: number | string | Uint8Array): Uint8Array {
  if (typeof part === 'number') return Uint8Array.of(part >> 8, part & 0xff)
  if (typeof part !== 'string') return part
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(part) ? macBytes(part) : ipBytes(part)
}

/** The 16 bits in network order at this place; undefined beyond the end. */
export function half(bytes: Uint8Array, at: number): number | undefined {
  const [high, low] = [bytes[at], bytes[at + 1]]
  return high === undefined || low === undefined ? undefined : (high << 8) | low
}

/** Whether a host can have it: neither a group's nor none. */
export function isHostMac(mac: Mac): boolean {
  return mac !== NO_MAC && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0
}

/** The last bytes of an address, for what is made of them. */
export function tailOf(address: Ip, bits: number): bigint {
  return ipValue(address) & ((1n << BigInt(bits)) - 1n)
}
