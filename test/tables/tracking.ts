/**
 * What a switch knows of connections while a case table runs: for the simulator as it is, for `ofproto/trace`, which asks
 * nobody, in its own words.
 * @module
 */

import { Connections, CT_STATE } from '../../src/network/simulate/connections.ts'
import { packetOf } from '../../src/network/simulate/simulate.ts'
import { tupleOf } from '../../src/network/simulate/tuple.ts'
import type { Fields } from './packets.ts'

/** A connection that the switch knows. */
export interface Known {
  /** Its first packet. */
  readonly first: Fields
  readonly zone: number
  /** Whether its answers are allowed. */
  readonly allowed: boolean
  readonly mark?: number
}

/** Connections of which one is known, or none. */
export function connectionsWith(known: Known | undefined): Connections {
  const connections = new Connections()
  const tuple = known && tupleOf(packetOf(known.first))
  if (known === undefined || tuple === undefined) return connections
  const connection = connections.commit(BigInt(known.zone), tuple, undefined)
  connection.label = known.allowed ? 1n : 0n
  connection.mark = BigInt(known.mark ?? 0)
  return connections
}

/** The options of `ofproto/trace` that say what the first look at a packet finds. It wants `trk` in any case. */
export function tracedState(packet: Fields, known?: Known, quoted?: Fields): readonly string[] {
  const { state } = connectionsWith(known).find(BigInt(known?.zone ?? 0), packetOf(packet), quoted && packetOf(quoted))
  const names = (['new', 'est', 'rel', 'rpl', 'inv'] as const).filter((name) => (state & CT_STATE[name]) !== 0n)
  return ['--ct-next', ['trk', ...names].join(',')]
}

/** The packet with what `ofproto/trace` is to find of its connection. */
export function tracedPacket(packet: Fields, known: Known | undefined): Fields {
  if (known === undefined) return packet
  return { ...packet, ct_label: known.allowed ? 1n : 0n, ct_mark: known.mark ?? 0 }
}
