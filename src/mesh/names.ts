/**
 * How what is ours is named and marked.
 * @module
 */

import { WIRE_OWNER } from '../network/host.ts'
import { familyOf, type Ip, ipValue } from '../network/model/address.ts'
import type { TunnelType } from './config.ts'

/** In the `external_ids` of our bridge and of our ports. */
export const OWNER_KEY = WIRE_OWNER.key
export const OWNER = 'weft-mesh'
/** Which machine a port leads to. */
export const PEER_KEY = 'weft-peer'

/**
 * The metric of our routes in the main table: with our protocol number it tells them from those of other programs of ours. A route to the
 * same that somebody else made has another one, and both stand.
 */
export const ROUTE_PRIORITY = 77

/** Our table of nftables, and our rules in those of others. */
export const NFT_TABLE = 'weft-mesh'
export const ACCEPTANCE = { chain: 'WEFT-MESH', comment: 'weft: mesh' } as const

/** The port to a machine: at most 15 characters, `gre-c0a8f88c` for 192.168.248.140. IPv6 addresses are hashed. */
export function portName(type: TunnelType, address: Ip): string {
  const value = ipValue(address)
  const short = familyOf(address) === 4 ? value : fold(value)
  return `${type}-${short.toString(16).padStart(8, '0')}`
}

/** FNV-1a of the sixteen bytes, in 32 bits. */
function fold(value: bigint): bigint {
  let hash = 0x811c9dc5n
  for (let shift = 120n; shift >= 0n; shift -= 8n) {
    hash = ((hash ^ ((value >> shift) & 0xffn)) * 0x01000193n) & 0xffffffffn
  }
  return hash
}
