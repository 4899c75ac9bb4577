/**
 * Calls on objects and collections.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import { createObject } from '../verbs/create.ts'
import { deleteObject } from '../verbs/delete.ts'
import { listHead, listPage } from '../verbs/list.ts'
import { deletionOf, flagOf, isDryRun } from '../verbs/options.ts'
import { patchObject, patchTypeOf } from '../verbs/patch.ts'
import { entriesAt, entryOf, refuseFuture, revisionOf, selectionOf } from '../verbs/select.ts'
import { type UpdateOptions, updateObject } from '../verbs/update.ts'
import { watchStream } from '../verbs/watch.ts'
import { answerEntry, answerList, answerObject, eventText, json } from './answer.ts'
import { mediaTypeOf, parseJson, readBody, readBytes } from './body.ts'
import { methodNotAllowed, notFound } from './status.ts'
import { fieldValidation } from './validation.ts'

/** Answers a call on a collection. Throws ApiError. */
export async function answerCollection(context: Context, call: Call): Promise<Response> {
  switch (call.method) {
    case 'GET':
      return flagOf(call.query, 'watch') && call.query.has('watch') ? watch(context, call) : list(context, call)
    case 'POST':
      return await create(context, call)
    case 'DELETE':
      return await deleteCollection(context, call)
    default:
      throw methodNotAllowed()
  }
}

/** Answers a call on one object. Throws ApiError. */
export async function answerOne(context: Context, call: Call, part?: UpdateOptions['part']): Promise<Response> {
  switch (call.method) {
    case 'GET':
      return await get(context, call, part)
    case 'PUT':
    case 'PATCH':
      return await change(context, call, part)
    case 'DELETE':
      if (part === undefined) return await remove(context, call)
      throw methodNotAllowed()
    default:
      throw methodNotAllowed()
  }
}

async function get(context: Context, call: Call, part: UpdateOptions['part']): Promise<Response> {
  if (part === undefined && call.query.has('watch') && flagOf(call.query, 'watch')) return watch(context, call)
  const asked = revisionOf(call.query.get('resourceVersion'))
  if (asked !== undefined) refuseFuture(context.store, asked)
  const entry = entryOf(context, call)
  if (entry === undefined) throw notFound(call.resource, call.name ?? '')
  return answerEntry(context, call, entry)
}

function list(context: Context, call: Call): Response {
  return answerList(context, call, listPage(context, call))
}

function watch(context: Context, call: Call): Response {
  const stream = watchStream(context, call, eventText(context, call))
  return new Response(stream, { headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } })
}

async function create(context: Context, call: Call): Promise<Response> {
  const body = await readBody(call.request, context.formats)
  const validation = fieldValidation(call, body)
  const isTried = isDryRun(call.query, 'CreateOptions')
  const options = { namespace: call.namespace, isDryRun: isTried, verify: validation.verify }
  const object = createObject(context, call.resource, body, options)
  return withWarnings(answerObject(context, call, object, 201), validation.warnings)
}

async function change(context: Context, call: Call, part: UpdateOptions['part']): Promise<Response> {
  const isPatch = call.method === 'PATCH'
  const options = { part, isDryRun: isDryRun(call.query, isPatch ? 'PatchOptions' : 'UpdateOptions') }
  if (isPatch) {
    const type = patchTypeOf(mediaTypeOf(call.request))
    const patch = parseJson(await readBytes(call.request))
    return answerObject(
      context,
      call,
      patchObject(context, call.resource, stored(context, call), { type, patch }, options),
    )
  }
  const body = await readBody(call.request, context.formats)
  const { verify, warnings } = fieldValidation(call, body)
  const withChecks = part === undefined ? { ...options, verify } : options
  const object = updateObject(context, call.resource, stored(context, call), body, withChecks)
  return withWarnings(answerObject(context, call, object), warnings)
}

async function remove(context: Context, call: Call): Promise<Response> {
  const options = deletionOf(call.query, await readBody(call.request, context.formats))
  const { object, isGone } = deleteObject(context, call.resource, stored(context, call), options)
  // Pods come back as they were last, other objects as a word of success.
  if (!isGone || call.resource.kind === 'Pod') return answerObject(context, call, object)
  return json(success(call, object))
}

/** The rest of the loop gets its turn after this many. */
const BATCH = 256

async function deleteCollection(context: Context, call: Call): Promise<Response> {
  const options = deletionOf(call.query, await readBody(call.request, context.formats))
  const selection = selectionOf(call)
  const entries = entriesAt(context.store, selection, context.store.revision, '').filter((entry) =>
    selection.matches(entry),
  )
  const items: KubeObject[] = []
  for (const [index, { namespace, name }] of entries.entries()) {
    const entry = context.store.get(selection.collection, namespace, name)
    if (entry !== undefined) items.push(deleteObject(context, call.resource, entry, options).object)
    if (index % BATCH === BATCH - 1) await context.store.settled()
  }
  return json({ ...listHead(call), metadata: { resourceVersion: String(context.store.revision) }, items })
}

function success({ resource }: Call, { metadata }: KubeObject): unknown {
  const { group, plural } = resource
  const details = { name: metadata.name, ...(group === '' ? {} : { group }), kind: plural, uid: metadata.uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

function stored(context: Context, call: Call): NonNullable<ReturnType<typeof entryOf>> {
  const entry = entryOf(context, call)
  if (entry === undefined) throw notFound(call.resource, call.name ?? '')
  return entry
}

function withWarnings(response: Response, warnings: readonly string[]): Response {
  for (const warning of warnings) response.headers.append('warning', `299 - ${JSON.stringify(warning)}`)
  return response
}
