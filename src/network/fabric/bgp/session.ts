/**
 * A session as one of its two sides has it.
 * @module
 */
import type { Family, Ip } from '../../model/address.ts'
import type { BgpTimers, PasswordRef } from './model.ts'

/** A BGP session of this node. */
export interface BgpSession extends BgpTimers {
  /** The protocol's name in BIRD. */
  readonly name: string
  readonly family: Family
  /** `node`: with a machine of this cluster. */
  readonly kind: 'node' | 'external'
  /** Of nodes. */
  readonly node?: string
  /** The BGPPeer it comes from; absent: the mesh. */
  readonly peer?: string
  /** Without an address: whichever the kernel takes. */
  readonly local: { readonly address?: Ip; readonly asNumber: number }
  readonly remote: { readonly address: Ip; readonly asNumber: number; readonly port?: number }
  readonly isPassive: boolean
  /** The other side is on a network of this node: no router between. */
  readonly isConnected: boolean
  readonly nextHop: 'auto' | 'self' | 'keep'
  /** What is announced of what others told: nothing (`own`), or everything (`all`), as reflectors do. */
  readonly tells: 'own' | 'all'
  /** The other side is a node that hands on what others told it. */
  readonly isReflected: boolean
  readonly password?: PasswordRef
  readonly bfd: boolean
  readonly ttlSecurity?: number
  readonly allowedLocalAs?: number
  readonly reachableBy?: Ip
  readonly filters: readonly string[]
}

/** Whether both sides are of one autonomous system. */
export function isInternal({ local, remote }: Pick<BgpSession, 'local' | 'remote'>): boolean {
  return local.asNumber === remote.asNumber
}
