/**
 * The table of events.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { numberAt, textAt, valueAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { NAME, text, wide } from '../columns.ts'

export const EVENTS: NonNullable<ServedResource['table']> = {
  columns: [
    text('Last Seen', 'When it last happened.'),
    text('Type', 'Normal or Warning.'),
    text('Reason', 'What happened.'),
    text('Object', 'To what.'),
    wide('Subobject', 'To which part of it.'),
    wide('Source', 'Who says so.'),
    text('Message', 'What happened, in words.'),
    wide('First Seen', 'When it first happened.'),
    wide('Count', 'How often.'),
    { ...NAME, priority: 1 },
  ],
  cells: (event, now) => {
    const first = timeAt(event, 'firstTimestamp') ?? timeAt(event, 'eventTime')
    const series = timeAt(event, 'series', 'lastObservedTime')
    const count = numberAt(event, 'series', 'count') ?? (numberAt(event, 'count') || 1)
    return [
      ageOf(series ?? timeAt(event, 'lastTimestamp') ?? first, now),
      textAt(event, 'type') ?? '',
      textAt(event, 'reason') ?? '',
      objectOf(event),
      textAt(event, 'involvedObject', 'fieldPath') ?? '',
      sourceOf(event),
      (textAt(event, 'message') ?? '').trim(),
      ageOf(first, now),
      count,
      event.metadata.name,
    ]
  },
}

function timeAt(event: KubeObject, ...path: readonly string[]): string | undefined {
  return textAt(event, ...path)
}

function objectOf(event: KubeObject): string {
  const kind = (textAt(event, 'involvedObject', 'kind') ?? '').toLowerCase()
  const name = textAt(event, 'involvedObject', 'name') ?? ''
  return name === '' ? kind : `${kind}/${name}`
}

function sourceOf(event: KubeObject): string {
  const component = textAt(event, 'source', 'component') || textAt(event, 'reportingComponent') || ''
  const host = valueAt(event, 'source', 'host') ?? textAt(event, 'reportingInstance') ?? ''
  return host === '' ? component : `${component}, ${host}`
}
