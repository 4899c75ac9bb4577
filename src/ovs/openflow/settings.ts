import { NICIRA, OPENFLOW_14 } from './action-codes.ts'
import { NXT, OFPT } from './message-types.ts'
import { Reader } from './reader.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

/** What the switch does with fragments. `nx-match` lets flows tell them apart by `ip_frag`. */
export type FragmentMode = 'normal' | 'drop' | 'nx-match'

const FRAGMENTS: Readonly<Record<FragmentMode, number>> = { normal: 0, drop: 1, 'nx-match': 3 }
const WHOLE_PACKET = 0xffff

/** Writes set_config. Lives no longer than ovs-vswitchd: send it after every connect. */
export function encodeSetConfig(w: Writer, version: number, xid: number, mode: FragmentMode): void {
  const start = beginMessage(w, version, OFPT.set_config, xid)
  w.u16(FRAGMENTS[mode]).u16(WHOLE_PACKET)
  endMessage(w, start)
}

/** Reads the fragment mode from a whole get_config reply. */
export function decodeConfig(message: Uint8Array): FragmentMode {
  const flags = new Reader(message, 8).u16('config') & 3
  return flags === 3 ? 'nx-match' : flags === 1 ? 'drop' : 'normal'
}

/** What the switch may send unasked. */
export interface AsyncMessages {
  readonly packetIn: boolean
  readonly portStatus: boolean
}

const PACKET_IN_REASONS = 0x3f
const PORT_STATUS_REASONS = 0x7

/** Writes set_async. A management connection gets nothing unasked until this says so. */
export function encodeSetAsync(w: Writer, version: number, xid: number, wanted: AsyncMessages): void {
  const masks = [wanted.packetIn ? PACKET_IN_REASONS : 0, wanted.portStatus ? PORT_STATUS_REASONS : 0, 0]
  const start = beginMessage(w, version, OFPT.set_async, xid)
  for (const [kind, mask] of masks.entries()) {
    // 1.4 and later: one property per kind and role, slave first; before: pairs of masks, master (and equal) first.
    if (version < OPENFLOW_14) w.u32(mask).u32(0)
    else
      for (const [role, value] of [0, mask].entries())
        w.u16(2 * kind + role)
          .u16(8)
          .u32(value)
  }
  endMessage(w, start)
}

const FORMAT_PACKET_IN2 = 2

/** Writes the Nicira message that asks for packet-ins with userdata. */
export function encodeSetPacketInFormat(w: Writer, version: number, xid: number): void {
  const start = beginMessage(w, version, OFPT.experimenter, xid)
  w.u32(NICIRA).u32(NXT.set_packet_in_format).u32(FORMAT_PACKET_IN2)
  endMessage(w, start)
}

/** Tables, with how many flows they hold and how many packets looked there. */
export interface TableStats {
  readonly table: number
  readonly flows: number
  readonly lookups: bigint
  readonly matches: bigint
}

/** Reads the entries of one table statistics reply. */
export function decodeTableStats(bytes: Uint8Array, start: number, into: TableStats[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const table = r.u8('table statistics')
    r.skip(3)
    into.push({ table, flows: r.u32(), lookups: r.u64(), matches: r.u64() })
  }
}
