/**
 * Who has followed the database, and how far.
 * @module
 */
import { everyRow } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { read, rowsOf } from '../settle.ts'

/** How far they are. The numbers move only when somebody asks (`ovn-nbctl --wait=sb sync`). */
export interface Following {
  readonly wanted: number
  /** By ovn-northd. */
  readonly translated: number
  /** By every chassis. */
  readonly onChassis: number
  readonly isFollowed: boolean
}

/** Reads it. A database that nobody has initialised has asked for nothing. */
export async function followingOf(nbd: Northbound): Promise<Following> {
  const { globals } = await read(nbd, { globals: rowsOf('NB_Global', everyRow, ['nb_cfg', 'sb_cfg', 'hv_cfg']) })
  const { nb_cfg: wanted, sb_cfg: translated, hv_cfg: onChassis } = globals[0] ?? { nb_cfg: 0, sb_cfg: 0, hv_cfg: 0 }
  return { wanted, translated, onChassis, isFollowed: translated >= wanted }
}
