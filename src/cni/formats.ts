/**
 * The textual forms the contract is made of: names, interface names, addresses, MACs.
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'
import { asText, type Json, ShapeError } from './json.ts'

/** Linux refuses longer interface names (IFNAMSIZ less the terminator), in bytes. */
const MAX_IFNAME = 15

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const ETHERNET_MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

/** A network name or container identifier, as the specification has them. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/** What is wrong with an interface name; nothing if it is good. */
export function ifnameFault(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (new TextEncoder().encode(name).length > MAX_IFNAME) return `must not be longer than ${MAX_IFNAME} bytes`
  if (name === '.' || name === '..') return 'must not be . or ..'
  // Templates of the kernel, and the sysctl folders beside those of links.
  if (name.includes('%') || name === 'all' || name === 'default') return 'must not be all, default or a template with %'
  if (/[/:\s\p{Cc}]/u.test(name)) return 'must not contain a slash, a colon, white space or control characters'
  return undefined
}

/** A Kubernetes namespace name (RFC 1123 label). */
export function isNamespaceName(text: string): boolean {
  return DNS_LABEL.test(text)
}

/** 4 or 6 for an address without zone and prefix length; undefined for anything else. */
function addressFamily(text: string): 4 | 6 | undefined {
  if (isIPv4(text)) return 4
  return isIPv6(text) && !text.includes('%') ? 6 : undefined
}

/** 4 or 6 for `address/prefix length`; undefined for anything else. */
export function cidrFamily(text: string): 4 | 6 | undefined {
  const slash = text.indexOf('/')
  const family = addressFamily(text.slice(0, Math.max(slash, 0)))
  const length = text.slice(slash + 1)
  if (family === undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined
  return Number(length) <= (family === 4 ? 32 : 128) ? family : undefined
}

/** Reads an address. */
export function asAddress(item: Json, path: string): string {
  const text = asText(item, path)
  if (addressFamily(text) === undefined) throw new ShapeError(path, 'must be an IPv4 or IPv6 address')
  return text
}

/** Reads an address with its prefix length. */
export function asCidr(item: Json, path: string): string {
  const text = asText(item, path)
  if (cidrFamily(text) === undefined) throw new ShapeError(path, 'must be an address with a prefix length')
  return text
}

/** Reads an address with or without prefix length. */
export function asAddressOrCidr(item: Json, path: string): string {
  const text = asText(item, path)
  if (addressFamily(text) ?? cidrFamily(text)) return text
  throw new ShapeError(path, 'must be an IPv4 or IPv6 address, with or without a prefix length')
}

/** Reads the MAC address of one Ethernet card; answers in lower case. */
export function asUnicastMac(item: Json, path: string): string {
  const mac = asText(item, path).replaceAll('-', ':').toLowerCase()
  if (!ETHERNET_MAC.test(mac)) throw new ShapeError(path, 'must be a MAC address such as 0a:58:0a:01:00:05')
  const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
  if (isGroup || mac === '00:00:00:00:00:00') throw new ShapeError(path, 'must be a unicast MAC address')
  return mac
}
