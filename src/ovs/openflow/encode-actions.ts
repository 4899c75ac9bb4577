import type { Action, Subfield } from '../../flow/flow.ts'
import { NICIRA, NXAC2, NXAST, OFPAT, OFPIT, OPENFLOW_15 } from './action-codes.ts'
import { encodeCt } from './encode-ct.ts'
import { OpenFlowError } from './errors.ts'
import { encodeHeader, encodeValue } from './oxm.ts'
import { PORT, portNumber, portNumber16 } from './ports.ts'
import type { Writer } from './writer.ts'

/**
 * Writes a flow's actions as instructions: all in one apply_actions, `goto` as goto_table, and on versions below 1.5
 * a leading `meter` as an instruction of its own.
 */
export function encodeInstructions(w: Writer, actions: readonly Action[], version: number): void {
  const { meter, body, table } = splitInstructions(actions, version)
  if (meter !== undefined) w.u16(OFPIT.meter).u16(8).u32(meter)
  if (body.length > 0) {
    const start = w.length
    w.u16(OFPIT.apply_actions).u16(0).u32(0)
    encodeActions(w, body, version)
    w.setU16(start + 2, w.length - start)
  }
  if (table !== undefined) w.u16(OFPIT.goto_table).u16(8).u8(table).zeros(3)
}

type Instructions = { readonly meter?: number; readonly body: readonly Action[]; readonly table?: number }

function splitInstructions(actions: readonly Action[], version: number): Instructions {
  const first = actions[0]
  const last = actions.at(-1)
  const meter = version < OPENFLOW_15 && first?.op === 'meter' ? first.meter : undefined
  const table = last?.op === 'goto' ? last.table : undefined
  if (meter === undefined && table === undefined) return { body: actions }
  return {
    ...(meter === undefined ? {} : { meter }),
    ...(table === undefined ? {} : { table }),
    body: actions.slice(meter === undefined ? 0 : 1, table === undefined ? undefined : -1),
  }
}

/** Writes a list of actions. Throws OpenFlowError for what the version cannot say. */
export function encodeActions(w: Writer, actions: readonly Action[], version: number): void {
  for (const action of actions) encodeAction(w, action, version)
}

function encodeAction(w: Writer, action: Action, version: number): void {
  switch (action.op) {
    case 'output':
      encodeOutput(w, action)
      return
    case 'set':
      encodeSet(w, action, version)
      return
    case 'move':
      encodeMove(w, action, version)
      return
    case 'resubmit':
      encodeResubmit(w, action)
      return
    case 'ct':
      encodeCt(w, action, (exec) => encodeActions(w, exec, version))
      return
    case 'clone':
      encodeClone(w, action.actions, version)
      return
    case 'controller':
      encodeController(w, action)
      return
    case 'output_reg':
      nicira(w, 24, NXAST.output_reg).u16(offsetAndBits(action.from))
      encodeHeader(w, action.from.field)
      w.u16(0xffff).zeros(6)
      return
    case 'check_pkt_larger':
      nicira(w, 24, NXAST.check_pkt_larger).u16(action.size).u16(action.to.offset)
      encodeHeader(w, action.to.field)
      w.zeros(6)
      return
    default:
      encodeSimple(w, action, version)
  }
}

type Encoded =
  | 'output'
  | 'set'
  | 'move'
  | 'resubmit'
  | 'ct'
  | 'clone'
  | 'controller'
  | 'output_reg'
  | 'check_pkt_larger'

function encodeSimple(w: Writer, action: Exclude<Action, { op: Encoded }>, version: number): void {
  switch (action.op) {
    case 'group':
      w.u16(OFPAT.group).u16(8).u32(action.group)
      return
    case 'meter':
      if (version < OPENFLOW_15) throw misplaced('a meter that is not the first action', 'put the meter first')
      w.u16(OFPAT.meter).u16(8).u32(action.meter)
      return
    case 'conjunction':
      nicira(w, 16, NXAST.conjunction)
        .u8(action.clause - 1)
        .u8(action.of)
        .u32(action.id)
      return
    case 'push_vlan':
      w.u16(OFPAT.push_vlan).u16(8).u16(action.ethertype).u16(0)
      return
    case 'pop_vlan':
      w.u16(OFPAT.pop_vlan).u16(8).u32(0)
      return
    case 'dec_ttl':
      w.u16(OFPAT.dec_nw_ttl).u16(8).u32(0)
      return
    case 'ct_clear':
      nicira(w, 16, NXAST.ct_clear).zeros(6)
      return
    case 'note':
      encodeNote(w, action.data)
      return
    case 'goto':
      throw misplaced('a goto that is not the last action of a flow', 'use resubmit')
  }
}

/** The header of a Nicira action of known length. */
function nicira(w: Writer, length: number, subtype: number): Writer {
  return w.u16(OFPAT.experimenter).u16(length).u32(NICIRA).u16(subtype)
}

function offsetAndBits({ offset, bits }: Subfield): number {
  return (offset << 6) | (bits - 1)
}

function encodeOutput(w: Writer, { port, maxLength }: Extract<Action, { op: 'output' }>): void {
  if (maxLength === undefined) w.u16(OFPAT.output).u16(16).u32(portNumber(port)).u16(0).zeros(6)
  else nicira(w, 16, NXAST.output_trunc).u16(portNumber16(port)).u32(maxLength)
}

/** Masked values fit set_field from 1.5 on; before, Nicira's reg_load2 has the same shape. */
function encodeSet(w: Writer, action: Extract<Action, { op: 'set' }>, version: number): void {
  const start = w.length
  if (action.mask === undefined || version >= OPENFLOW_15) w.u16(OFPAT.set_field).u16(0)
  else nicira(w, 0, NXAST.reg_load2)
  encodeValue(w, action.field, action.value, action.mask)
  w.align8(start)
  w.setU16(start + 2, w.length - start)
}

/** Open vSwitch takes its own reg_move below 1.5 only, and the standard's copy_field from there on. */
function encodeMove(w: Writer, { from, to }: Extract<Action, { op: 'move' }>, version: number): void {
  const start = w.length
  if (version < OPENFLOW_15) nicira(w, 24, NXAST.reg_move).u16(from.bits).u16(from.offset).u16(to.offset)
  else w.u16(OFPAT.copy_field).u16(0).u16(from.bits).u16(from.offset).u16(to.offset).u16(0)
  encodeHeader(w, from.field)
  encodeHeader(w, to.field)
  w.align8(start)
  w.setU16(start + 2, w.length - start)
}

function encodeResubmit(w: Writer, { table, ct }: Extract<Action, { op: 'resubmit' }>): void {
  nicira(w, 16, ct === true ? NXAST.resubmit_table_ct : NXAST.resubmit_table)
    .u16(PORT.in_port & 0xffff)
    .u8(table)
    .zeros(3)
}

function encodeClone(w: Writer, actions: readonly Action[], version: number): void {
  const start = w.length
  nicira(w, 0, NXAST.clone).zeros(6)
  encodeActions(w, actions, version)
  w.setU16(start + 2, w.length - start)
}

/** Without userdata and meter the older action says the same, and Open vSwitch dumps it so. */
function encodeController(w: Writer, action: Extract<Action, { op: 'controller' }>): void {
  const { maxLength, userdata, meter } = action
  if (userdata === '' && meter === undefined) {
    nicira(w, 16, NXAST.controller).u16(maxLength).u16(0).u8(REASON_ACTION).u8(0)
    return
  }
  const start = w.length
  nicira(w, 0, NXAST.controller2).zeros(6)
  w.u16(NXAC2.max_len).u16(6).u16(maxLength).zeros(2)
  if (userdata !== '') {
    const length = 4 + userdata.length / 2
    w.u16(NXAC2.userdata).u16(length).hex(userdata).align8(start)
  }
  if (meter !== undefined) w.u16(NXAC2.meter_id).u16(8).u32(meter)
  w.setU16(start + 2, w.length - start)
}

const REASON_ACTION = 1

function encodeNote(w: Writer, data: string): void {
  const start = w.length
  nicira(w, 0, NXAST.note).hex(data)
  w.align8(start)
  w.setU16(start + 2, w.length - start)
}

function misplaced(cause: string, remedy: string): OpenFlowError {
  return new OpenFlowError('OPENFLOW_ACTION_MISPLACED', `${cause} cannot be sent`, remedy)
}
