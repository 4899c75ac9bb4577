/**
 * Addresses between text and the bytes the kernel takes. IPv6 text is canonical (RFC 5952).
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'
import { badArgument } from './errno.ts'

export type Family = 4 | 6

/** A prefix: address bytes (4 or 16, host bits kept) and its length in bits. */
export interface Prefix {
  readonly bytes: Uint8Array
  readonly length: number
}

/** The 4 or 16 bytes of an address, network order. Throws LINUX_ARGUMENT. */
export function parseIp(text: string): Uint8Array {
  if (isIPv4(text)) return parseIpv4(text)
  if (isIPv6(text) && !text.includes('%')) return parseIpv6(text)
  throw badArgument(`${JSON.stringify(text)} is not an IPv4 or IPv6 address`)
}

/** Text of 4 or 16 bytes; other lengths give their hexadecimal form, so that a decoder never fails on one. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  return bytes.length === 16 ? formatIpv6(bytes) : Buffer.from(bytes).toString('hex')
}

/** `10.0.0.1/24`, `fd00::/64`; without a length, the whole address. Throws LINUX_ARGUMENT. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/')
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash))
  const digits = slash < 0 ? String(bytes.length * 8) : text.slice(slash + 1)
  const length = Number(digits)
  if (!/^\d{1,3}$/.test(digits) || length > bytes.length * 8) {
    throw badArgument(`${JSON.stringify(text)} has no valid prefix length`)
  }
  return { bytes, length }
}

/** The prefix's bytes with the host bits cleared. */
export function maskPrefix(prefix: Prefix): Uint8Array {
  return prefix.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix.length - 8 * i))))
}

export function familyOf(bytes: Uint8Array): Family {
  return bytes.length === 4 ? 4 : 6
}

/** Six bytes of `02:00:00:00:00:01`. Throws LINUX_ARGUMENT. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw badArgument(`${JSON.stringify(text)} is not a MAC address`)
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16))
}

/** Lower-case, colons; any length (a tunnel's link-layer address is an IP address). */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function parseIpv4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number)
}

function parseIpv6(text: string): Uint8Array {
  const [head = '', tail] = withoutDotted(text).split('::')
  const left = groups(head)
  const right = groups(tail ?? '')
  const zeros = new Array<number>(8 - left.length - right.length).fill(0)
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]))
}

function withoutDotted(text: string): string {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  if (dotted === null) return text
  const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number)
  return `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function groups(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function formatIpv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  const mapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff
  if (mapped) return `::ffff:${bytes.subarray(12).join('.')}`
  const { start, length } = longestZeros(words)
  const hex = words.map((word) => word.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

function longestZeros(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (let i = 0; i < words.length; i++) {
    if (words[i] !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  }
  return best
}
