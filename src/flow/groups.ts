import { setName } from './field-names.ts'
import { fieldCodec } from './field-value.ts'
import type { FieldName } from './fields.ts'
import type { Bucket, Group } from './flow.ts'
import { formatActions } from './format-actions.ts'
import { normalizeActions } from './normalize-actions.ts'

/** The canonical form of a group: a weight in every bucket of a `select` group and in no other, actions canonical. */
export function normalizeGroup(group: Group): Group {
  const { id, type, buckets, selection } = group
  const fields = [...(selection?.fields ?? [])].sort((a, b) => fieldCodec(a).order - fieldCodec(b).order)
  return {
    id,
    type,
    buckets: buckets.map((bucket) => normalizeBucket(bucket, type)),
    ...(selection === undefined
      ? {}
      : { selection: fields.length === 0 ? { method: selection.method } : { method: selection.method, fields } }),
  }
}

function normalizeBucket({ id, weight, watchPort, actions }: Bucket, type: Group['type']): Bucket {
  return {
    id,
    ...(type === 'select' ? { weight: weight ?? 1 } : {}),
    ...(watchPort === undefined ? {} : { watchPort }),
    actions: normalizeActions(actions),
  }
}

/** A group as ovs-ofctl writes it, canonical: two groups are the same if this is. */
export function formatGroup(group: Group): string {
  const { id, type, buckets, selection } = normalizeGroup(group)
  const method =
    selection === undefined ? '' : `,selection_method=${selection.method}${formatFields(selection.fields ?? [])}`
  return `group_id=${id},type=${GROUP_TYPES[type]}${method}${buckets.map(formatBucket).join('')}`
}

const GROUP_TYPES = { all: 'all', select: 'select', indirect: 'indirect', fast_failover: 'ff' } as const

/** ovs-ofctl reads both forms for any number of fields, and writes these. */
function formatFields(fields: readonly FieldName[]): string {
  if (fields.length === 0) return ''
  const names = fields.map(setName)
  return names.length === 1 ? `,fields=${names[0]}` : `,fields(${names.join(',')})`
}

function formatBucket({ id, weight, watchPort, actions }: Bucket): string {
  const parts = [
    `bucket_id:${id}`,
    ...(weight === undefined || weight === 1 ? [] : [`weight:${weight}`]),
    ...(watchPort === undefined ? [] : [`watch_port:${watchPort}`]),
    `actions=${formatActions(actions)}`,
  ]
  return `,bucket=${parts.join(',')}`
}
