import type { Meter } from '../../flow/flow.ts'
import { malformed, unknownAction } from './errors.ts'
import { OFPT } from './message-types.ts'
import { Reader } from './reader.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

const COMMAND = { add: 0, modify: 1, delete: 2 } as const
const FLAG = { kbps: 1, pktps: 2, burst: 4, stats: 8 } as const
const BAND_DROP = 1
/** Every meter, for a delete or a dump. */
export const ALL_METERS = 0xffffffff

/** A change of meters; `delete` without an id removes all. Open vSwitch refuses these inside a bundle. */
export type MeterMod =
  | { readonly op: 'add' | 'modify'; readonly meter: Meter }
  | { readonly op: 'delete'; readonly id?: number }

/** Writes a meter_mod message: one band that drops. */
export function encodeMeterMod(w: Writer, version: number, xid: number, mod: MeterMod): void {
  const start = beginMessage(w, version, OFPT.meter_mod, xid)
  if (mod.op === 'delete') {
    w.u16(COMMAND.delete)
      .u16(0)
      .u32(mod.id ?? ALL_METERS)
  } else {
    const { id, unit, rate, burst } = mod.meter
    w.u16(COMMAND[mod.op])
      .u16(FLAG[unit] | FLAG.stats | (burst === undefined ? 0 : FLAG.burst))
      .u32(id)
    w.u16(BAND_DROP)
      .u16(16)
      .u32(rate)
      .u32(burst ?? 0)
      .u32(0)
  }
  endMessage(w, start)
}

/** Reads the meters of one meter configuration reply. Throws for bands that do not drop. */
export function decodeMeterConfig(bytes: Uint8Array, start: number, into: Meter[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const length = r.u16('meter')
    if (length < 24) throw malformed('meter length')
    const entry = r.sub(length - 2, 'meter length')
    const flags = entry.u16()
    const id = entry.u32()
    if (entry.u16() !== BAND_DROP) throw unknownAction('a meter band that does not drop')
    entry.skip(2)
    const [rate, burst] = [entry.u32(), entry.u32()]
    const unit = (flags & FLAG.pktps) === 0 ? 'kbps' : 'pktps'
    into.push({ id, unit, rate, ...((flags & FLAG.burst) === 0 ? {} : { burst }) })
  }
}

/** Counters of a meter: what came in, and what its band dropped. */
export interface MeterStats {
  readonly id: number
  readonly packets: bigint
  readonly bytes: bigint
  readonly dropped: bigint
  readonly droppedBytes: bigint
}

/** Reads the entries of one meter statistics reply. */
export function decodeMeterStats(bytes: Uint8Array, start: number, into: MeterStats[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const id = r.u32('meter statistics')
    const length = r.u16('meter statistics')
    if (length < 40) throw malformed('meter statistics length')
    const entry = r.sub(length - 6, 'meter statistics length')
    entry.skip(10)
    const [packets, total] = [entry.u64(), entry.u64()]
    entry.skip(8)
    const [dropped, droppedBytes] = entry.left >= 16 ? [entry.u64(), entry.u64()] : [0n, 0n]
    into.push({ id, packets, bytes: total, dropped, droppedBytes })
  }
}
