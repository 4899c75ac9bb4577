/**
 * Answers in the form that a client wants: objects, tables of them, their metadata alone.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import type { TableOptions } from '../formats.ts'
import { textOf } from '../objects/render.ts'
import { type Entry, objectOf } from '../store/change.ts'
import { listHead, type Page } from '../verbs/list.ts'
import { statusOf } from './status.ts'

/** What is shown of an object. */
export type Form = 'object' | 'table' | 'metadata'

/** The first form of an `Accept` header that the server has. */
function formOf(accept: string): Form {
  for (const range of accept.split(',')) {
    const parameters = new Map(
      range.split(';').map((part) => [part.split('=')[0]?.trim() ?? '', part.split('=')[1]?.trim()]),
    )
    const as = parameters.get('as')
    if (as === undefined) return 'object'
    if (as === 'Table' && parameters.get('v') === 'v1') return 'table'
    if ((as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') && parameters.get('v') === 'v1') {
      return 'metadata'
    }
  }
  return 'object'
}

/** Answers with one object. */
export function answerObject(context: Context, call: Call, object: KubeObject, status = 200): Response {
  const form = formOf(call.accept)
  if (form === 'table') return json(tableOf(context, call, [object], metaOf(object)), status)
  return json(form === 'metadata' ? partial(object) : object, status)
}

/** Answers with one stored object, whose text is there already. */
export function answerEntry(context: Context, call: Call, entry: Entry): Response {
  if (formOf(call.accept) !== 'object') return answerObject(context, call, objectOf(entry))
  return new Response(textOf(call.resource, entry), JSON_ANSWER)
}

/** Answers with a list; a long one in pieces, so that others get their turn. */
export function answerList(context: Context, call: Call, { entries, metadata }: Page): Response {
  const form = formOf(call.accept)
  if (form === 'table') return json(tableOf(context, call, entries.map(objectOf), metadata))
  const head = { ...(form === 'metadata' ? PARTIAL_LIST : listHead(call)), metadata }
  const text =
    form === 'metadata'
      ? (entry: Entry) => JSON.stringify(partial(objectOf(entry)))
      : (entry: Entry) => textOf(call.resource, entry)
  return new Response(listBody(JSON.stringify(head), entries, text), JSON_ANSWER)
}

/** How the entries of a watch are written. */
export function eventText(context: Context, call: Call): (entry: Entry) => string {
  const form = formOf(call.accept)
  if (form === 'object') return (entry) => textOf(call.resource, entry)
  if (form === 'metadata') return (entry) => JSON.stringify(partial(objectOf(entry)))
  return (entry) => {
    const object = objectOf(entry)
    return JSON.stringify(tableOf(context, call, [object], metaOf(object)))
  }
}

/** Answers with a value. */
export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { ...JSON_ANSWER, status })
}

/** Answers with an error. */
export function refusal(error: unknown): Response {
  const status = statusOf(error)
  const wait = status.code === 429 || status.code === 504 ? { 'retry-after': '1' } : {}
  return new Response(JSON.stringify(status), { status: status.code, headers: { ...JSON_ANSWER.headers, ...wait } })
}

const JSON_ANSWER = { headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } }
const PARTIAL = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
const PARTIAL_LIST = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }
/** Entries in one piece of a list. */
const BATCH = 256

function listBody(
  head: string,
  entries: readonly Entry[],
  text: (entry: Entry) => string,
): ReadableStream<Uint8Array> | string {
  const start = `${head.slice(0, -1)},"items":[`
  if (entries.length <= BATCH) return `${start}${entries.map(text).join(',')}]}`
  let sent = 0
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(start)),
    pull: async (controller) => {
      const batch = entries
        .slice(sent, sent + BATCH)
        .map(text)
        .join(',')
      const separator = sent === 0 ? '' : ','
      sent += BATCH
      controller.enqueue(encoder.encode(`${separator}${batch}${sent < entries.length ? '' : ']}'}`))
      if (sent >= entries.length) controller.close()
      await new Promise((resolve) => setImmediate(resolve))
    },
  })
}

const encoder = new TextEncoder()

function tableOf(
  context: Context,
  call: Call,
  objects: readonly KubeObject[],
  listMeta: TableOptions['listMeta'],
): unknown {
  const asked = call.query.get('includeObject')
  const includeObject = asked === 'None' || asked === 'Object' ? asked : 'Metadata'
  return context.formats.toTable(call.resource, objects, { now: context.now(), includeObject, listMeta })
}

function metaOf({ metadata }: KubeObject): TableOptions['listMeta'] {
  return metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }
}

function partial({ metadata }: KubeObject): unknown {
  return { ...PARTIAL, metadata }
}
