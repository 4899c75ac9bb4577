/**
 * Replacing objects and parts of them.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Context } from '../context.ts'
import type { ServedResource } from '../contract.ts'
import { badRequest } from '../http/status.ts'
import { asObject, changedMetadata, withGeneration } from '../objects/metadata.ts'
import { checkMetadata } from '../objects/names.ts'
import { inVersion, servedObject } from '../objects/render.ts'
import { withValue } from '../objects/shape.ts'
import { collectionOf, type Entry } from '../store/change.ts'

/** Which part, and whether in earnest. */
export interface UpdateOptions {
  /** Absent: everything but the status, where that is a part of its own. */
  readonly part?: 'status' | 'finalize' | undefined
  readonly isDryRun?: boolean
  /** Looks at the object before it is stored; throws what keeps it out. */
  readonly verify?: (object: KubeObject) => void
}

/** Replaces a stored object, or a part of it, by what a client sent. Throws ApiError. */
export function updateObject(
  context: Context,
  resource: ServedResource,
  entry: Entry,
  body: unknown,
  { part, isDryRun = false, verify }: UpdateOptions = {},
): KubeObject {
  const before = servedObject(resource, entry)
  const given = asObject(resource, body)
  checkPlace(entry, given)
  const metadata = changedMetadata(resource, given.metadata, before.metadata)
  const next = join(resource, before, { ...given, metadata }, part)
  checkMetadata(resource, next)
  const admitted = context.admission.admit(resource, resource.prepare(next, before), before)
  const final = plain(inVersion(resource, withGeneration(resource, admitted, before)))
  verify?.(final)
  // Writing what is there already leaves the revision alone, and no watch hears of it.
  if (Bun.deepEquals(final, before)) return before
  if (isDryRun) return final
  if (isFinished(resource, final)) {
    context.store.remove(collectionOf(resource), final)
    return final
  }
  return context.store.put(collectionOf(resource), final).object
}

/** Whether a deletion that waited for finalizers has nothing more to wait for. */
function isFinished({ group, plural }: ServedResource, { metadata, spec }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  if (group === '' && plural === 'namespaces') {
    return !(typeof spec === 'object' && spec !== null && 'finalizers' in spec && hasAny(spec.finalizers))
  }
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0
}

function hasAny(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

function join(resource: ServedResource, before: KubeObject, next: KubeObject, part: UpdateOptions['part']): KubeObject {
  if (part === 'finalize') {
    const spec = next['spec']
    const finalizers = typeof spec === 'object' && spec !== null && 'finalizers' in spec ? spec.finalizers : []
    return { ...before, ...withValue(before, ['spec', 'finalizers'], finalizers), metadata: before.metadata }
  }
  const { status: given, ...rest } = next
  const { status: kept, ...old } = before
  if (part === 'status') {
    const metadata = statusMetadata(resource, before, next)
    return { ...old, metadata, ...(given === undefined ? {} : { status: given }) }
  }
  if (!resource.subresources.includes('status')) return next
  return { ...rest, ...(kept === undefined ? {} : { status: kept }) }
}

/** Whoever writes the status of a pod or node may change its labels and annotations with it, as network plugins do. */
function statusMetadata(
  { group, plural }: ServedResource,
  { metadata }: KubeObject,
  { metadata: { labels, annotations } }: KubeObject,
): KubeObject['metadata'] {
  if (group !== '' || (plural !== 'pods' && plural !== 'nodes')) return metadata
  const { labels: _, annotations: __, ...rest } = metadata
  return {
    ...rest,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

function checkPlace(entry: Entry, { metadata }: KubeObject): void {
  if (metadata.name !== '' && metadata.name !== entry.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${entry.name})`)
  }
  if (metadata.namespace !== undefined && metadata.namespace !== entry.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

/** As it will be read again: without what JSON does not keep. */
function plain(object: KubeObject): KubeObject {
  return JSON.parse(JSON.stringify(object))
}
