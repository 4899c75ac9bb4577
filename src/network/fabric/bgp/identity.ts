/**
 * What BIRD calls nodes and sessions by.
 * @module
 */
import { type Family, formatIp, type Ip, ipValue } from '../../model/address.ts'
import type { BgpNode } from './model.ts'

/** The router id: the node's IPv4 address, or a hash of its name where it has none. */
export function routerIdOf({ addresses, name }: Pick<BgpNode, 'addresses' | 'name'>): Ip {
  return addresses[4] ?? formatIp(4, BigInt(hash32(name) || 1))
}

/** Whether a node is the passive one of a pair: a clash of connections is won by the greater identifier (RFC 4271, 6.8). */
export function isPassive(own: Ip, other: Ip): boolean {
  return ipValue(own) < ipValue(other)
}

/** The name of a protocol in BIRD, by whom it speaks with alone: what a peer is for may change while the session lasts. */
export function sessionName(kind: 'node' | 'peer', family: Family, address: Ip, port?: number): string {
  const digits = family === 4 ? address.replaceAll('.', '_') : ipValue(address).toString(16).padStart(32, '0')
  return `${kind}${family}_${digits}${port === undefined ? '' : `_${port}`}`
}

/** FNV-1a of a text, 32 bits. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
