/**
 * IP and MAC addresses as canonical text. Text compares with `===`, prints as it is, keys a map and survives JSON;
 * arithmetic goes through bigints.
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

declare const brand: unique symbol

/** An address in its canonical text form: dotted decimal, or RFC 5952. */
export type Ip = string & { readonly [brand]: 'Ip' }
/** A network in canonical text form, host bits zero: `10.128.0.0/14`, `fd00:10::/48`. */
export type Cidr = string & { readonly [brand]: 'Cidr' }
/** A MAC address in lower case with colons. */
export type Mac = string & { readonly [brand]: 'Mac' }
/** An address family. */
export type Family = 4 | 6

/** Address bits per family. */
export const BITS: { readonly [F in Family]: number } = { 4: 32, 6: 128 }

/** The canonical form of an address, or undefined when the text is none. Zone indices (`%eth0`) are refused. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return formatIp(4, valueOfIpv4(text))
  if (isIPv6(text) && !text.includes('%')) return formatIp(6, valueOfIpv6(text))
  return undefined
}

/** Like {@link parseIp} for text that is known to be an address. Throws a TypeError otherwise. */
export function ip(text: string): Ip {
  const parsed = parseIp(text)
  if (parsed === undefined) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`)
  return parsed
}

/** The canonical form of a network, or undefined when the text is none or has host bits set. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseIp(text.slice(0, slash))
  const lengthText = text.slice(slash + 1)
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined
  const length = Number(lengthText)
  const family = familyOf(address)
  if (length > BITS[family]) return undefined
  const value = ipValue(address)
  return value === networkValue(family, value, length) ? (`${address}/${length}` as Cidr) : undefined
}

/** Like {@link parseCidr} for text that is known to be a network. Throws a TypeError otherwise. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new TypeError(`not a network in canonical form: ${JSON.stringify(text)}`)
  return parsed
}

/** The canonical form of a MAC address, or undefined when the text is none. */
export function parseMac(text: string): Mac | undefined {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ? (text.toLowerCase() as Mac) : undefined
}

/** The family of an address or network. */
export function familyOf(text: Ip | Cidr): Family {
  return text.includes(':') ? 6 : 4
}

/** An address as a number. */
export function ipValue(address: Ip): bigint {
  return familyOf(address) === 4 ? valueOfIpv4(address) : valueOfIpv6(address)
}

/** The address with this value. */
export function formatIp(family: Family, value: bigint): Ip {
  return (family === 4 ? textOfIpv4(value) : textOfIpv6(value)) as Ip
}

/** The network's length in bits. */
export function prefixLength(network: Cidr): number {
  return Number(network.slice(network.indexOf('/') + 1))
}

/** The network's first address. */
export function firstIp(network: Cidr): Ip {
  return network.slice(0, network.indexOf('/')) as Ip
}

/** The network's last address. */
export function lastIp(network: Cidr): Ip {
  const family = familyOf(network)
  const hostBits = BigInt(BITS[family] - prefixLength(network))
  return formatIp(family, ipValue(firstIp(network)) | ((1n << hostBits) - 1n))
}

/** The network of the given length around an address. */
export function networkAround(address: Ip, length: number): Cidr {
  const family = familyOf(address)
  return `${formatIp(family, networkValue(family, ipValue(address), length))}/${length}` as Cidr
}

/** Whether an address lies in a network. */
export function contains(network: Cidr, address: Ip): boolean {
  return familyOf(network) === familyOf(address) && networkAround(address, prefixLength(network)) === network
}

/** Whether two networks share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, firstIp(b)) || contains(b, firstIp(a))
}

/** The network of one address alone. */
export function hostCidr(address: Ip): Cidr {
  return `${address}/${BITS[familyOf(address)]}` as Cidr
}

/**
 * The MAC address an endpoint derives from its IPv4 address: `0a:58` and the four bytes (OpenShift SDN's and the CNI
 * plugins' convention); for IPv6 the last four bytes.
 */
export function macFromIp(address: Ip): Mac {
  const low = ipValue(address) & 0xffffffffn
  return `0a:58:${low
    .toString(16)
    .padStart(8, '0')
    .replace(/(..)(?=.)/g, '$1:')}` as Mac
}

/** The link-local address that a kernel derives from a MAC address (EUI-64, RFC 4291 appendix A). */
export function linkLocalFromMac(mac: Mac): Ip {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16))
  const [first = 0, ...rest] = bytes
  const id = [first ^ 0x02, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)]
  const value = id.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return formatIp(6, (0xfe80n << 112n) | value)
}

function networkValue(family: Family, value: bigint, length: number): bigint {
  const hostBits = BigInt(BITS[family] - length)
  return (value >> hostBits) << hostBits
}

function valueOfIpv4(text: string): bigint {
  return BigInt(numberOfIpv4(text))
}

/** Digit by digit: a million leases are read at a start. */
function numberOfIpv4(text: string): number {
  let value = 0
  let part = 0
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      value = value * 256 + part
      part = 0
    } else part = part * 10 + code - ZERO
  }
  return value * 256 + part
}

function textOfIpv4(value: bigint): string {
  const n = Number(value)
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
}

const DOT = 46
const ZERO = 48
const COLON = 58
const groups = new DataView(new ArrayBuffer(16))

/** Group by group from the left; at `::` what was read stays left and the rest is moved to the right end. */
function valueOfIpv6(text: string): bigint {
  groups.setBigUint64(0, 0n)
  groups.setBigUint64(8, 0n)
  let count = 0
  let gap = -1
  let start = 0
  for (let i = 0; i <= text.length; i += 1) {
    const code = i === text.length ? COLON : text.charCodeAt(i)
    if (code === DOT) {
      const quad = numberOfIpv4(text.slice(start))
      groups.setUint32(2 * count, quad)
      count += 2
      break
    }
    if (code !== COLON) continue
    if (i > start) {
      groups.setUint16(2 * count, Number.parseInt(text.slice(start, i), 16))
      count += 1
    } else if (i > 0 && i < text.length) gap = count
    start = i + 1
  }
  const high = groups.getBigUint64(0)
  const low = groups.getBigUint64(8)
  const value = (high << 64n) | low
  if (gap < 0) return value
  const tailBits = BigInt(16 * (count - gap))
  const head = (value >> BigInt(128 - 16 * gap)) << BigInt(128 - 16 * gap)
  return head | ((value ^ head) >> (128n - BigInt(16 * gap) - tailBits))
}

/** RFC 5952: no leading zeros, the longest run of at least two zero groups (the first of equals) as `::`. */
function textOfIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i += 1) {
    let run = 0
    while (groups[i + run] === '0') run += 1
    if (run > length) {
      start = i
      length = run
    }
    if (run > 0) i += run - 1
  }
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}
