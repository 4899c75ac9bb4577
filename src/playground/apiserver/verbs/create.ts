/**
 * Creating objects.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Context } from '../context.ts'
import type { ServedResource } from '../contract.ts'
import { ApiError } from '../contract.ts'
import { alreadyExists, badRequest, expired } from '../http/status.ts'
import { asObject, newMetadata } from '../objects/metadata.ts'
import { checkMetadata, generatedName } from '../objects/names.ts'
import { inVersion } from '../objects/render.ts'
import { collectionOf } from '../store/change.ts'

/** Where and how. */
export interface CreateOptions {
  readonly namespace: string
  readonly isDryRun?: boolean
  /** Looks at the object before it is stored; throws what keeps it out. */
  readonly verify?: (object: KubeObject) => void
}

/** Creates an object from what a client sent. Throws ApiError. */
export function createObject(
  context: Context,
  resource: ServedResource,
  body: unknown,
  { namespace, isDryRun = false, verify }: CreateOptions,
): KubeObject {
  const given = named(context, resource, placed(resource, asObject(resource, body), namespace))
  if (given.metadata.resourceVersion !== undefined) throw revisionSet()
  checkMetadata(resource, given)
  const collection = collectionOf(resource)
  const { name } = given.metadata
  // The namespace is judged first: that is what a client can do something about.
  context.admission.checkNamespace(resource, given)
  if (context.store.get(collection, namespace, name) !== undefined) throw alreadyExists(resource, name)
  const metadata = newMetadata(given.metadata, { resource, now: context.now(), uid: context.uuid() })
  const fresh = hasStatus(resource) ? withoutStatus({ ...given, metadata }) : { ...given, metadata }
  const prepared = inVersion(resource, context.admission.admit(resource, resource.prepare(fresh, undefined), undefined))
  verify?.(prepared)
  return isDryRun ? prepared : context.store.put(collection, prepared).object
}

/** Throws what cannot be created again in the same breath. */
function revisionSet(): ApiError {
  return new ApiError(500, '', 'resourceVersion should not be set on objects to be created')
}

function placed(resource: ServedResource, object: KubeObject, namespace: string): KubeObject {
  const { namespace: given = namespace, ...metadata } = object.metadata
  if (given !== namespace) {
    if (!resource.namespaced) return { ...object, metadata }
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  return { ...object, metadata: namespace === '' ? metadata : { ...metadata, namespace } }
}

const TRIES = 8

function named(context: Context, resource: ServedResource, object: KubeObject): KubeObject {
  const { name, generateName, namespace = '' } = object.metadata
  if (name !== '' || generateName === undefined) return object
  for (let tries = 0; tries < TRIES; tries += 1) {
    const tried = generatedName(generateName, Math.random)
    if (context.store.get(collectionOf(resource), namespace, tried) !== undefined) continue
    return { ...object, metadata: { ...object.metadata, name: tried } }
  }
  throw expired('no free name was found: try again')
}

/** Kinds whose status is another's to write start without one; only nodes bring theirs when they register. */
function hasStatus({ group, kind, subresources }: ServedResource): boolean {
  return subresources.includes('status') && !(group === '' && kind === 'Node')
}

function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object
  return rest
}
