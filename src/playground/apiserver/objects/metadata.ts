/**
 * What the server makes of the objects it is sent: metadata that is the server's own, parts that only a subresource may
 * change, generations.
 * @module
 */
import { apiVersionOf, type KubeObject, type ObjectMeta } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { badRequest, conflict, invalid, modifiedSince } from '../http/status.ts'
import { type Fields, isFields } from './shape.ts'

/** Checks that a body is an object of this resource. Throws a 400. */
export function asObject(resource: ServedResource, body: unknown): KubeObject {
  const { kind } = resource
  const apiVersion = apiVersionOf(resource)
  if (!isFields(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`)
  const givenKind = body['kind'] ?? kind
  const givenVersion = body['apiVersion'] ?? apiVersion
  if (givenKind !== kind || givenVersion !== apiVersion) {
    const given = typeof givenKind === 'string' ? givenKind.slice(0, 100) : 'an object'
    const version = typeof givenVersion === 'string' ? givenVersion.slice(0, 100) : ''
    throw badRequest(`${given} in version "${version}" cannot be handled as a ${kind} in version "${apiVersion}"`)
  }
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = body
  return { apiVersion, kind, metadata: asMetadata(resource, metadata ?? {}), ...rest }
}

/** A new object's metadata as it is stored. */
export function newMetadata(
  metadata: ObjectMeta,
  { resource, now, uid }: { readonly resource: ServedResource; readonly now: Date; readonly uid: string },
): ObjectMeta {
  const { resourceVersion: _revision, deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, ...rest } = metadata
  const { generation: _generation, managedFields: _managed, selfLink: _link, ...kept } = rest
  const generation = countsGenerations(resource) ? { generation: 1 } : {}
  return tidy({ ...kept, uid, creationTimestamp: timestamp(now), ...generation })
}

/**
 * An object's metadata after an update: what is the server's own stays. Throws a 409 when the update was meant for
 * another revision or another object of this name, a 422 for a finalizer on an object that is being deleted.
 */
export function changedMetadata(resource: ServedResource, next: ObjectMeta, before: ObjectMeta): ObjectMeta {
  const { name } = before
  if (
    next.resourceVersion !== undefined &&
    next.resourceVersion !== '' &&
    next.resourceVersion !== before.resourceVersion
  ) {
    throw modifiedSince(resource, name)
  }
  if (next.uid !== undefined && next.uid !== '' && next.uid !== before.uid) {
    throw conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${next.uid}, UID in object meta: ${before.uid}`,
    )
  }
  refuseNewFinalizers(resource, next, before)
  const kept: Record<string, unknown> = { ...next }
  for (const field of SERVERS_OWN) {
    if (before[field] === undefined) delete kept[field]
    else kept[field] = before[field]
  }
  delete kept['managedFields']
  return tidy({ ...kept, name, ...(before.namespace === undefined ? {} : { namespace: before.namespace }) })
}

const SERVERS_OWN = [
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName',
  'selfLink',
] as const

/** The object with its generation one up where its meaning changed; metadata and status have none. */
export function withGeneration(resource: ServedResource, next: KubeObject, before: KubeObject): KubeObject {
  if (!countsGenerations(resource) || Bun.deepEquals(meaningOf(next), meaningOf(before))) return next
  return { ...next, metadata: { ...next.metadata, generation: (before.metadata.generation ?? 0) + 1 } }
}

/** Seconds since midnight UTC of 1970 as the API writes them. */
export function timestamp(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Groups whose objects carry no generation. Source: a kube-apiserver 1.32, asked. */
const WITHOUT_GENERATION = new Set([
  '',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'coordination.k8s.io',
  'events.k8s.io',
  'node.k8s.io',
  'scheduling.k8s.io',
])

function countsGenerations({ group }: ServedResource): boolean {
  return !WITHOUT_GENERATION.has(group)
}

function meaningOf({ metadata: _metadata, status: _status, ...rest }: KubeObject): Fields {
  return rest
}

function refuseNewFinalizers(resource: ServedResource, next: ObjectMeta, before: ObjectMeta): void {
  if (before.deletionTimestamp === undefined) return
  const added = (next.finalizers ?? []).filter((finalizer) => !(before.finalizers ?? []).includes(finalizer))
  if (added.length === 0) return
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ')
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
  throw invalid(resource, before.name, [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }])
}

/** Throws a 400 where a field of the metadata has another type than it must. */
function asMetadata(resource: ServedResource, value: unknown): ObjectMeta {
  const wrong = wrongField(value)
  if (wrong !== undefined)
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${wrong}`,
    )
  const fields = isFields(value) ? value : {}
  const { name } = fields
  return tidy({ ...fields, name: typeof name === 'string' ? name : '' })
}

function wrongField(value: unknown): string | undefined {
  if (!isFields(value)) return 'metadata is no object'
  for (const field of ['name', 'namespace', 'generateName', 'uid', 'resourceVersion']) {
    if (!isAbsent(value[field]) && typeof value[field] !== 'string') return `metadata.${field} is no string`
  }
  for (const field of ['labels', 'annotations']) {
    if (!isAbsent(value[field]) && !isTexts(value[field])) return `metadata.${field} is no map of strings`
  }
  const { finalizers, ownerReferences } = value
  if (!isAbsent(finalizers) && !(Array.isArray(finalizers) && finalizers.every((text) => typeof text === 'string'))) {
    return 'metadata.finalizers is no list of strings'
  }
  if (!isAbsent(ownerReferences) && !(Array.isArray(ownerReferences) && ownerReferences.every(isOwner))) {
    return 'metadata.ownerReferences is no list of references with apiVersion, kind, name and uid'
  }
  return undefined
}

function isOwner(value: unknown): boolean {
  return isFields(value) && ['apiVersion', 'kind', 'name', 'uid'].every((field) => typeof value[field] === 'string')
}

function isTexts(value: unknown): boolean {
  return isFields(value) && Object.values(value).every((text) => typeof text === 'string')
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

/** Without nulls and empty collections, as the API writes metadata. */
function tidy(fields: Fields & { readonly name: string }): ObjectMeta {
  const kept = Object.entries(fields).filter(([, value]) => {
    if (isAbsent(value) || value === '') return false
    if (Array.isArray(value)) return value.length > 0
    return !isFields(value) || Object.keys(value).length > 0
  })
  return { ...Object.fromEntries(kept), name: fields.name }
}
