import { OPENFLOW_14 } from './action-codes.ts'
import { encodeFlowMod, type FlowMod } from './flow-mod.ts'
import { encodeGroupMod, type GroupMod } from './group-mod.ts'
import { OFPT } from './message-types.ts'
import { ONF } from './oxm-table.ts'
import { encodePacketOut, type PacketOut } from './packet-out.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

/** What a bundle may hold. Meters may not: Open vSwitch refuses them (17/10). */
export type BundleMessage =
  | { readonly kind: 'flow'; readonly mod: FlowMod }
  | { readonly kind: 'group'; readonly mod: GroupMod }
  | { readonly kind: 'packet'; readonly packet: Uint8Array; readonly out: PacketOut }

/** Requests of bundle_control. */
export const BUNDLE = { open: 0, commit: 4, discard: 6 } as const

const ATOMIC_ORDERED = 3
const EXT_CONTROL = 2300
const EXT_ADD = 2301

/** Writes a bundle_control request: by itself from 1.4 on, as the ONF's extension 230 on 1.3. */
export function encodeBundleControl(w: Writer, version: number, xid: number, bundle: number, request: number): void {
  const extension = version < OPENFLOW_14
  const start = beginMessage(w, version, extension ? OFPT.experimenter : OFPT.bundle_control, xid)
  if (extension) w.u32(ONF).u32(EXT_CONTROL)
  w.u32(bundle).u16(request).u16(ATOMIC_ORDERED)
  endMessage(w, start)
}

/** Writes a bundle_add with its message; both have the same xid, as the specification wants. */
export function encodeBundleAdd(w: Writer, version: number, xid: number, bundle: number, message: BundleMessage): void {
  const extension = version < OPENFLOW_14
  const start = beginMessage(w, version, extension ? OFPT.experimenter : OFPT.bundle_add, xid)
  if (extension) w.u32(ONF).u32(EXT_ADD)
  w.u32(bundle).u16(0).u16(ATOMIC_ORDERED)
  encodeBundleMessage(w, version, xid, message)
  endMessage(w, start)
}

function encodeBundleMessage(w: Writer, version: number, xid: number, message: BundleMessage): void {
  if (message.kind === 'flow') encodeFlowMod(w, version, xid, message.mod)
  else if (message.kind === 'group') encodeGroupMod(w, version, xid, message.mod)
  else encodePacketOut(w, version, xid, message.packet, message.out)
}
