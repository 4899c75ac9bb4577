import type { Bucket, Group } from '../../flow/flow.ts'
import { OPENFLOW_15 } from './action-codes.ts'
import { decodeActions } from './decode-actions.ts'
import { malformed } from './errors.ts'
import { BUCKET_WATCH_PORT, BUCKET_WEIGHT, EXPERIMENTER_PROPERTY, NTR } from './group-mod.ts'
import { decodeFieldNames } from './oxm.ts'
import { PORT } from './ports.ts'
import { Reader } from './reader.ts'

/** Reads the groups of one group description reply, canonical as `normalizeGroup` makes them. */
export function decodeGroupDesc(bytes: Uint8Array, start: number, version: number, into: Group[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const length = r.u16('group entry')
    if (length < 8) throw malformed('group entry length')
    const entry = r.sub(length - 2, 'group entry length')
    into.push(version >= OPENFLOW_15 ? decodeGroup15(entry) : decodeGroup13(entry))
  }
}

const TYPES = ['all', 'select', 'indirect', 'fast_failover'] as const

function decodeType(r: Reader): Group['type'] {
  const type = TYPES[r.u8('group type')]
  if (type === undefined) throw malformed('group type')
  r.skip(1)
  return type
}

function decodeGroup13(r: Reader): Group {
  const type = decodeType(r)
  const id = r.u32()
  const buckets: Bucket[] = []
  while (r.left > 0) {
    const length = r.u16('bucket')
    if (length < 16) throw malformed('bucket length')
    const body = r.sub(length - 2, 'bucket length')
    const weight = body.u16()
    const watchPort = body.u32()
    body.skip(8)
    buckets.push(bucketOf(buckets.length, type, weight, watchPort, decodeActions(body)))
  }
  return { id, type, buckets }
}

function decodeGroup15(r: Reader): Group {
  const type = decodeType(r)
  const id = r.u32()
  const bucketBytes = r.u16('buckets')
  r.skip(6)
  const bucketReader = r.sub(bucketBytes, 'buckets')
  const buckets: Bucket[] = []
  while (bucketReader.left > 0) buckets.push(decodeBucket15(bucketReader, type))
  const selection = decodeSelection(r)
  return { id, type, buckets, ...(selection === undefined ? {} : { selection }) }
}

function decodeBucket15(r: Reader, type: Group['type']): Bucket {
  const length = r.u16('bucket')
  if (length < 8) throw malformed('bucket length')
  const body = r.sub(length - 2, 'bucket length')
  const actionBytes = body.u16()
  const id = body.u32()
  const actions = decodeActions(body.sub(actionBytes, 'bucket actions'))
  let [weight, watchPort]: [number, number] = [1, PORT.any]
  while (body.left > 0) {
    const { type: property, value } = readProperty(body)
    if (property === BUCKET_WEIGHT) weight = value.u16()
    else if (property === BUCKET_WATCH_PORT) watchPort = value.u32()
  }
  return bucketOf(id, type, weight, watchPort, actions)
}

function bucketOf(
  id: number,
  type: Group['type'],
  weight: number,
  watchPort: number,
  actions: Bucket['actions'],
): Bucket {
  return {
    id,
    ...(type === 'select' ? { weight } : {}),
    ...(watchPort === PORT.any ? {} : { watchPort }),
    actions,
  }
}

/** A property: type, length, value, padding to eight bytes. */
export function readProperty(r: Reader): { readonly type: number; readonly value: Reader } {
  const type = r.u16('property')
  const length = r.u16('property')
  if (length < 4) throw malformed('property length')
  const value = r.sub(length - 4, 'property length')
  r.skip(Math.min(r.left, (8 - (length & 7)) & 7))
  return { type, value }
}

function decodeSelection(r: Reader): Group['selection'] {
  while (r.left > 0) {
    const { type, value } = readProperty(r)
    if (type !== EXPERIMENTER_PROPERTY || value.u32() !== NTR) continue
    value.skip(8)
    const method = value.text(16)
    value.skip(8)
    if (method !== 'hash' && method !== 'dp_hash') continue
    const fields = decodeFieldNames(value)
    return fields.length === 0 ? { method } : { method, fields }
  }
  return undefined
}

/** Counters of a group and its buckets. */
export interface GroupStats {
  readonly id: number
  readonly packets: bigint
  readonly bytes: bigint
  readonly buckets: readonly { readonly packets: bigint; readonly bytes: bigint }[]
}

/** Reads the entries of one group statistics reply. */
export function decodeGroupStats(bytes: Uint8Array, start: number, into: GroupStats[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const length = r.u16('group statistics')
    if (length < 40) throw malformed('group statistics length')
    const entry = r.sub(length - 2, 'group statistics length')
    entry.skip(2)
    const id = entry.u32()
    entry.skip(8)
    const [packets, total] = [entry.u64(), entry.u64()]
    entry.skip(8)
    const buckets: { packets: bigint; bytes: bigint }[] = []
    while (entry.left > 0) buckets.push({ packets: entry.u64(), bytes: entry.u64() })
    into.push({ id, packets, bytes: total, buckets })
  }
}
