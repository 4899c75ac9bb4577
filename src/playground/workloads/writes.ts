/**
 * Writes that may meet what others did meanwhile. Level-triggered: the next look sees what is left to do.
 * @module
 */
import { KubeError, type KubeErrorCode } from '../../kube/errors.ts'
import type { KubeObject, OwnerReference, Resource } from '../../kube/object.ts'
import { adoption, type Claims, releasing } from './owner.ts'
import type { World } from './world.ts'

/** The result of a call, or undefined where it failed in one of these ways. */
export async function unless<T>(codes: readonly KubeErrorCode[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof KubeError && codes.includes(error.code)) return undefined
    throw error
  }
}

/** Creates an object; one of the same name that is there already is left alone, and undefined is returned. */
export function createOnce(
  { api, signal }: World,
  resource: Resource,
  object: KubeObject,
): Promise<KubeObject | undefined> {
  return unless(['KUBE_EXISTS'], api.create(resource, object, signal))
}

/** Asks for the deletion of exactly this object. True when it was there. */
export async function removeExactly({ api, signal }: World, resource: Resource, object: KubeObject): Promise<boolean> {
  const { uid } = object.metadata
  const options = uid === undefined ? {} : { uid }
  const done = api.delete(resource, placeOf(object), options, signal).then(() => true)
  return (await unless(['KUBE_NOT_FOUND', 'KUBE_CONFLICT'], done)) ?? false
}

/** Replaces the status of an object as it was read. Throws KUBE_CONFLICT when it changed since. */
export async function writeStatus(
  { api, signal }: World,
  resource: Resource,
  object: KubeObject,
  status: Readonly<Record<string, unknown>>,
): Promise<void> {
  await unless(['KUBE_NOT_FOUND'], api.replace(resource, { ...object, status }, 'status', signal))
}

/** Adopts and releases. Throws KUBE_CONFLICT when an object changed since it was read. */
export async function settleClaims(
  { api, signal }: World,
  resource: Resource,
  owner: OwnerReference,
  { adopt, release }: Pick<Claims, 'adopt' | 'release'>,
): Promise<void> {
  const patch = (object: KubeObject, body: unknown) =>
    unless(['KUBE_NOT_FOUND'], api.patch(resource, placeOf(object), 'merge', body, undefined, signal))
  for (const object of adopt) await patch(object, adoption(object, owner))
  for (const object of release) await patch(object, releasing(object, owner.uid))
}

/**
 * Runs jobs, one first and then twice as many each time: where the first fails, not all are tried in vain. Rejects with
 * the first failure once nothing is under way any more.
 */
export async function slowStart<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  let size = 1
  for (let start = 0; start < items.length; ) {
    const outcomes = await Promise.allSettled(items.slice(start, start + size).map(job))
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure !== undefined) throw failure.reason
    start += size
    size = Math.min(2 * size, MOST_AT_ONCE)
  }
}

/** Where an object is. */
export function placeOf({ metadata: { name, namespace } }: KubeObject): { name: string; namespace?: string } {
  return namespace === undefined ? { name } : { name, namespace }
}

const MOST_AT_ONCE = 16
