import type { Bucket, Group } from '../../flow/flow.ts'
import { OPENFLOW_15 } from './action-codes.ts'
import { encodeActions } from './encode-actions.ts'
import { OpenFlowError } from './errors.ts'
import { OFPT } from './message-types.ts'
import { encodeAllOnes } from './oxm.ts'
import { PORT } from './ports.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

const COMMAND = { add: 0, modify: 1, delete: 2, insert_bucket: 3, remove_bucket: 5 } as const
const TYPE = { all: 0, select: 1, indirect: 2, fast_failover: 3 } as const
const BUCKET_ALL = 0xffffffff
const BUCKET_LAST = 0xfffffffe
/** Every group, for a delete. */
export const ALL_GROUPS = 0xfffffffc
const NO_GROUP = 0xffffffff

/** The experimenter that brought selection methods to groups. */
export const NTR = 0x0000154d
/** Property types. */
export const BUCKET_WEIGHT = 0
export const BUCKET_WATCH_PORT = 1
export const EXPERIMENTER_PROPERTY = 0xffff

/** A change of groups. `delete` without an id removes all; buckets can be inserted and removed from OpenFlow 1.5 on. */
export type GroupMod =
  | { readonly op: 'add' | 'modify'; readonly group: Group }
  | { readonly op: 'delete'; readonly id?: number }
  | { readonly op: 'insert_bucket'; readonly group: Pick<Group, 'id' | 'type'>; readonly bucket: Bucket }
  | { readonly op: 'remove_bucket'; readonly group: Pick<Group, 'id' | 'type'>; readonly bucket: number }

/** Writes a group_mod message. */
export function encodeGroupMod(w: Writer, version: number, xid: number, mod: GroupMod): void {
  const start = beginMessage(w, version, OFPT.group_mod, xid)
  if (version >= OPENFLOW_15) writeBody15(w, version, mod)
  else writeBody13(w, version, mod)
  endMessage(w, start)
}

function writeBody13(w: Writer, version: number, mod: GroupMod): void {
  if (mod.op === 'insert_bucket' || mod.op === 'remove_bucket') {
    throw unsupported('single buckets cannot be changed', 'modify the whole group')
  }
  const group = mod.op === 'delete' ? undefined : mod.group
  w.u16(COMMAND[mod.op])
    .u8(TYPE[group?.type ?? 'all'])
    .u8(0)
    .u32(mod.op === 'delete' ? (mod.id ?? ALL_GROUPS) : mod.group.id)
  if (group?.selection !== undefined) throw unsupported('a selection method cannot be given', 'leave it out')
  for (const bucket of group?.buckets ?? []) writeBucket13(w, version, bucket, group?.type === 'select')
}

function writeBucket13(w: Writer, version: number, bucket: Bucket, select: boolean): void {
  const start = w.length
  w.u16(0)
    .u16(select ? (bucket.weight ?? 1) : 0)
    .u32(bucket.watchPort ?? PORT.any)
    .u32(NO_GROUP)
    .u32(0)
  encodeActions(w, bucket.actions, version)
  w.setU16(start, w.length - start)
}

function writeBody15(w: Writer, version: number, mod: GroupMod): void {
  const id = mod.op === 'delete' ? (mod.id ?? ALL_GROUPS) : mod.group.id
  w.u16(COMMAND[mod.op])
    .u8(TYPE[mod.op === 'delete' ? 'all' : mod.group.type])
    .u8(0)
    .u32(id)
  const lengthAt = w.length
  w.u16(0).u16(0).u32(commandBucket(mod))
  const start = w.length
  for (const bucket of bucketsOf(mod)) writeBucket15(w, version, bucket, 'group' in mod && mod.group.type === 'select')
  w.setU16(lengthAt, w.length - start)
  if (mod.op === 'add' || mod.op === 'modify') writeSelection(w, mod.group)
}

function commandBucket(mod: GroupMod): number {
  if (mod.op === 'insert_bucket') return BUCKET_LAST
  return mod.op === 'remove_bucket' ? mod.bucket : BUCKET_ALL
}

function bucketsOf(mod: GroupMod): readonly Bucket[] {
  if (mod.op === 'insert_bucket') return [mod.bucket]
  return mod.op === 'add' || mod.op === 'modify' ? mod.group.buckets : []
}

function writeBucket15(w: Writer, version: number, bucket: Bucket, select: boolean): void {
  const start = w.length
  w.u16(0).u16(0).u32(bucket.id)
  encodeActions(w, bucket.actions, version)
  w.setU16(start + 2, w.length - start - 8)
  if (select) {
    w.u16(BUCKET_WEIGHT)
      .u16(8)
      .u16(bucket.weight ?? 1)
      .u16(0)
  }
  if (bucket.watchPort !== undefined) w.u16(BUCKET_WATCH_PORT).u16(8).u32(bucket.watchPort)
  w.setU16(start, w.length - start)
}

function writeSelection(w: Writer, { selection }: Group): void {
  if (selection === undefined) return
  const start = w.length
  w.u16(EXPERIMENTER_PROPERTY).u16(0).u32(NTR).u32(1).u32(0).text(selection.method, 16).u64(0n)
  for (const field of selection.fields ?? []) encodeAllOnes(w, field)
  w.setU16(start + 2, w.length - start)
  w.align8(start)
}

function unsupported(cause: string, remedy: string): OpenFlowError {
  return new OpenFlowError('OPENFLOW_GROUP_UNSUPPORTED', `${cause} below OpenFlow 1.5`, remedy)
}
