import type { Flow, Match } from '../../flow/flow.ts'
import { encodeInstructions } from './encode-actions.ts'
import { OFPT } from './message-types.ts'
import { encodeMatch } from './oxm.ts'
import { PORT } from './ports.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

const COMMAND = { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 } as const
const NO_BUFFER = 0xffffffff
const ALL_TABLES = 0xff
const EVERY_BIT = 0xffffffffffffffffn

/** Which flows a delete or a dump means; what is left out does not matter. */
export interface FlowFilter {
  readonly table?: number
  readonly cookie?: bigint
  /** Which bits of `cookie` count; all by default. */
  readonly cookieMask?: bigint
  readonly match?: Match
}

/**
 * A change of flows. `add` replaces the same row; `modify_strict` changes cookie-less actions of an existing row;
 * `delete_strict` removes one row; `delete` removes every flow the filter means.
 */
export type FlowMod =
  | { readonly op: 'add' | 'modify_strict'; readonly flow: Flow }
  | { readonly op: 'delete_strict'; readonly flow: Pick<Flow, 'table' | 'priority' | 'match'> }
  | { readonly op: 'delete'; readonly filter: FlowFilter }

/** Writes a flow_mod message. */
export function encodeFlowMod(w: Writer, version: number, xid: number, mod: FlowMod): void {
  const start = beginMessage(w, version, OFPT.flow_mod, xid)
  if (mod.op === 'delete') writeDelete(w, mod.filter)
  else if (mod.op === 'delete_strict') {
    writeFixed(w, 0n, 0n, mod.flow.table, COMMAND.delete_strict, mod.flow.priority)
    encodeMatch(w, mod.flow.match)
  } else {
    writeFixed(w, mod.flow.cookie, 0n, mod.flow.table, COMMAND[mod.op], mod.flow.priority)
    encodeMatch(w, mod.flow.match)
    encodeInstructions(w, mod.flow.actions, version)
  }
  endMessage(w, start)
}

function writeDelete(w: Writer, filter: FlowFilter): void {
  const { cookie = 0n, cookieMask = filter.cookie === undefined ? 0n : EVERY_BIT, table = ALL_TABLES } = filter
  writeFixed(w, cookie, cookieMask, table, COMMAND.delete, 0)
  encodeMatch(w, filter.match ?? {})
}

function writeFixed(w: Writer, cookie: bigint, mask: bigint, table: number, command: number, priority: number): void {
  w.u64(cookie).u64(mask).u8(table).u8(command).u16(0).u16(0).u16(priority)
  w.u32(NO_BUFFER).u32(PORT.any).u32(PORT.any).u16(0).u16(0)
}

/** Writes the body of a flow stats request: the filter in the layout of OpenFlow 1.3 to 1.5. */
export function encodeFlowStatsRequest(w: Writer, filter: FlowFilter): void {
  const { cookie = 0n, cookieMask = filter.cookie === undefined ? 0n : EVERY_BIT, table = ALL_TABLES } = filter
  w.u8(table).zeros(3).u32(PORT.any).u32(PORT.any).zeros(4).u64(cookie).u64(cookieMask)
  encodeMatch(w, filter.match ?? {})
}
