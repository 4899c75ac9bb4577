import type { Action, OutputPort } from '../../flow/flow.ts'
import { OPENFLOW_15 } from './action-codes.ts'
import { encodeActions } from './encode-actions.ts'
import { OFPT } from './message-types.ts'
import { encodeMatch } from './oxm.ts'
import { PORT, portNumber } from './ports.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

/** A packet for the switch to handle as `actions` say, as if it had come in by `inPort` (the controller by default). */
export interface PacketOut {
  readonly inPort?: OutputPort
  readonly actions: readonly Action[]
}

const NO_BUFFER = 0xffffffff

/** Writes a packet_out message. */
export function encodePacketOut(w: Writer, version: number, xid: number, packet: Uint8Array, out: PacketOut): void {
  const inPort = out.inPort === undefined ? PORT.controller : portNumber(out.inPort)
  const start = beginMessage(w, version, OFPT.packet_out, xid)
  w.u32(NO_BUFFER)
  if (version < OPENFLOW_15) w.u32(inPort)
  const lengthAt = w.length
  w.u16(0).zeros(version < OPENFLOW_15 ? 6 : 2)
  if (version >= OPENFLOW_15) encodeMatch(w, { in_port: inPort })
  const actionsAt = w.length
  encodeActions(w, out.actions, version)
  w.setU16(lengthAt, w.length - actionsAt)
  w.raw(packet)
  endMessage(w, start)
}
