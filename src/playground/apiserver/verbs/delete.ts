/**
 * Deleting objects: at once, gracefully, or when finalizers are done.
 * @module
 */
import type { KubeObject, ObjectMeta } from '../../../kube/object.ts'
import type { Context } from '../context.ts'
import type { ServedResource } from '../contract.ts'
import { conflict, forbidden } from '../http/status.ts'
import { timestamp } from '../objects/metadata.ts'
import { servedObject } from '../objects/render.ts'
import { arrayAt, numberAt, textAt, withValue } from '../objects/shape.ts'
import { collectionOf, type Entry } from '../store/change.ts'
import type { Deletion } from './options.ts'

/** What became of an object that was to be deleted. */
export interface Deleted {
  /** As it is now, or was last. */
  readonly object: KubeObject
  readonly isGone: boolean
}

/** The finalizers that stand for what happens to dependents. */
export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'
/** Keeps a definition until the objects of its kind are gone. */
export const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** Deletes an object or asks for its deletion. Throws ApiError. */
export function deleteObject(context: Context, resource: ServedResource, entry: Entry, options: Deletion): Deleted {
  const before = servedObject(resource, entry)
  checkPreconditions(resource, before, options)
  const { group, plural } = resource
  const collection = collectionOf(resource)
  if (collection === '/namespaces' && PROTECTED.has(entry.name)) {
    throw forbidden(resource, entry.name, 'this namespace may not be deleted')
  }
  const grace = graceOf(group === '' && plural === 'pods', before, options)
  const finalizers = finalizersFor(context, collection, before.metadata, options)
  const waits = finalizers.length > 0 || arrayAt(before, 'spec', 'finalizers').length > 0 || grace > 0
  const marked = mark(collection, before, { finalizers, grace, now: context.now() })
  if (options.isDryRun) return { object: marked, isGone: !waits }
  if (!waits) return { object: context.store.remove(collection, marked) ?? marked, isGone: true }
  if (Bun.deepEquals(marked, before)) return { object: before, isGone: false }
  return { object: context.store.put(collection, marked).object, isGone: false }
}

const PROTECTED = new Set(['default', 'kube-system', 'kube-public'])

function checkPreconditions(
  resource: ServedResource,
  { metadata }: KubeObject,
  { uid, resourceVersion }: Deletion,
): void {
  // The API names the kind here, not the resource.
  const about = { ...resource, plural: resource.kind }
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`
    throw conflict(about, metadata.name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`
    throw conflict(about, metadata.name, why)
  }
}

const DEFAULT_GRACE = 30

/** Seconds. Only a pod that runs somewhere is given any: the kubelet ends it and then deletes it with none. */
function graceOf(isPod: boolean, pod: KubeObject, { gracePeriodSeconds }: Deletion): number {
  if (!isPod || textAt(pod, 'spec', 'nodeName') === undefined) return 0
  const phase = textAt(pod, 'status', 'phase')
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  const asked = gracePeriodSeconds ?? numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? DEFAULT_GRACE
  const grace = asked < 0 ? 1 : asked
  // A deletion under way can be made quicker, never slower.
  return Math.min(grace, pod.metadata.deletionGracePeriodSeconds ?? grace)
}

function finalizersFor(
  context: Context,
  collection: string,
  metadata: ObjectMeta,
  options: Deletion,
): readonly string[] {
  const others = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN)
  const had = (metadata.finalizers ?? []).filter((finalizer) => !others.includes(finalizer))
  const cleanup = collection === context.resources.crds && !others.includes(CRD_CLEANUP) ? [CRD_CLEANUP] : []
  const dependents = dependentsFinalizer(options) ?? had
  return [...others, ...cleanup, ...dependents]
}

function dependentsFinalizer({ propagation }: Deletion): readonly string[] | undefined {
  if (propagation === 'Foreground') return [FOREGROUND]
  if (propagation === 'Orphan') return [ORPHAN]
  return propagation === 'Background' ? [] : undefined
}

function mark(
  collection: string,
  before: KubeObject,
  { finalizers, grace, now }: { readonly finalizers: readonly string[]; readonly grace: number; readonly now: Date },
): KubeObject {
  const { metadata } = before
  const isNew = metadata.deletionTimestamp === undefined || grace < (metadata.deletionGracePeriodSeconds ?? 0)
  const { finalizers: _finalizers, ...rest } = metadata
  const marked: ObjectMeta = {
    ...rest,
    ...(isNew ? { deletionTimestamp: timestamp(new Date(now.getTime() + grace * 1000)) } : {}),
    ...(isNew && collection !== '/namespaces' ? { deletionGracePeriodSeconds: grace } : {}),
    ...(isNew && metadata.generation !== undefined ? { generation: metadata.generation + 1 } : {}),
    ...(finalizers.length > 0 ? { finalizers } : {}),
  }
  if (collection !== '/namespaces') return { ...before, metadata: marked }
  return { ...before, ...withValue(before, ['status', 'phase'], 'Terminating'), metadata: marked }
}
