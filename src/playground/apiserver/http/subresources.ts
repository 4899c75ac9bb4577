/**
 * Parts of objects that have an address of their own.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import type { Subresource } from '../contract.ts'
import { timestamp } from '../objects/metadata.ts'
import { servedObject } from '../objects/render.ts'
import { arrayAt, isFields, textAt, valueAt, withValue } from '../objects/shape.ts'
import { podLog } from '../streams/log.ts'
import { deleteObject } from '../verbs/delete.ts'
import { deletionOf, isDryRun } from '../verbs/options.ts'
import { patchTypeOf } from '../verbs/patch.ts'
import { replacedScale, scaleOf } from '../verbs/scale.ts'
import { entryOf } from '../verbs/select.ts'
import { updateObject } from '../verbs/update.ts'
import { json } from './answer.ts'
import { mediaTypeOf, parseJson, readBody, readBytes } from './body.ts'
import { answerOne } from './objects.ts'
import { badRequest, conflict, methodNotAllowed, noSuchPath, notFound } from './status.ts'

/** Answers a call on a part of an object. Throws ApiError. */
export async function answerSubresource(context: Context, call: Call): Promise<Response> {
  const { resource, subresource } = call
  const served: readonly string[] = resource.subresources
  if (subresource === undefined || !served.includes(subresource)) throw noSuchPath()
  return await ANSWERS[subresource as Subresource](context, call)
}

type Answer = (context: Context, call: Call) => Promise<Response>

const ANSWERS: Readonly<Record<Subresource, Answer>> = {
  status: (context, call) => answerOne(context, call, 'status'),
  finalize: (context, call) => answerOne(context, call, 'finalize'),
  scale: answerScale,
  binding: bind,
  eviction: evict,
  log: podLog,
  exec: refusePlain,
  attach: refuseAttach,
}

async function refusePlain(): Promise<Response> {
  throw badRequest('this server speaks WebSocket here (v5.channel.k8s.io), not SPDY: use kubectl 1.30 or later')
}

async function refuseAttach(): Promise<Response> {
  throw badRequest('attach is not served here: use kubectl exec, or kubectl logs')
}

async function answerScale(context: Context, call: Call): Promise<Response> {
  const { method, resource } = call
  if (method === 'GET') return json(scaleOf(resource, servedObject(resource, stored(context, call))))
  if (method !== 'PUT' && method !== 'PATCH') throw methodNotAllowed()
  const isPatch = method === 'PATCH'
  const type = isPatch ? patchTypeOf(mediaTypeOf(call.request)) : undefined
  const body = isPatch ? parseJson(await readBytes(call.request)) : await readBody(call.request, context.formats)
  const entry = stored(context, call)
  const before = servedObject(resource, entry)
  const scale = type === undefined ? body : context.formats.applyPatch(type, scaleOf(resource, before), body, resource)
  const options = { isDryRun: isDryRun(call.query, 'UpdateOptions') }
  return json(
    scaleOf(resource, updateObject(context, resource, entry, replacedScale(resource, before, scale), options)),
  )
}

async function bind(context: Context, call: Call): Promise<Response> {
  if (call.method !== 'POST') throw methodNotAllowed()
  const body = await readBody(call.request, context.formats)
  const name = textAt(body, 'metadata', 'name')
  if (name !== call.name) throw badRequest('name in URL does not match name in Binding object')
  const node = textAt(body, 'target', 'name')
  if (node === undefined || node === '') throw badRequest('a Binding needs the name of a node as target.name')
  const entry = stored(context, call)
  const pod = servedObject(call.resource, entry)
  const about = { ...call.resource, plural: 'pods/binding' }
  const has = textAt(pod, 'spec', 'nodeName')
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(about, entry.name, `pod ${entry.name} is being deleted, cannot be assigned to a host`)
  }
  if (has !== undefined && has !== '') {
    throw conflict(about, entry.name, `pod ${entry.name} is already assigned to node "${has}"`)
  }
  const bound = withValue(pod, ['spec', 'nodeName'], node)
  const scheduled = { ...pod, ...bound, ...withValue(bound, ['status', 'conditions'], conditions(pod, context.now())) }
  if (!isDryRun(call.query, 'CreateOptions')) context.store.put('/pods', { ...scheduled, metadata: pod.metadata })
  return json(SUCCESS, 201)
}

function conditions(pod: KubeObject, now: Date): readonly unknown[] {
  const others = arrayAt(pod, 'status', 'conditions').filter(
    (condition) => textAt(condition, 'type') !== 'PodScheduled',
  )
  return [...others, { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(now) }]
}

async function evict(context: Context, call: Call): Promise<Response> {
  if (call.method !== 'POST') throw methodNotAllowed()
  const body = await readBody(call.request, context.formats)
  const options = valueAt(body, 'deleteOptions')
  deleteObject(
    context,
    call.resource,
    stored(context, call),
    deletionOf(call.query, isFields(options) ? options : undefined),
  )
  return json(SUCCESS, 201)
}

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

function stored(context: Context, call: Call): NonNullable<ReturnType<typeof entryOf>> {
  const entry = entryOf(context, call)
  if (entry === undefined) throw notFound(call.resource, call.name ?? '')
  return entry
}
