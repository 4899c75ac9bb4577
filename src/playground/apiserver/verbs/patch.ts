/**
 * Patching objects and parts of them.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Context } from '../context.ts'
import type { ServedResource } from '../contract.ts'
import { unsupportedMedia } from '../http/status.ts'
import { servedObject } from '../objects/render.ts'
import type { Entry } from '../store/change.ts'
import { type UpdateOptions, updateObject } from './update.ts'

/** How a patch is written. */
export type PatchType = 'json' | 'merge' | 'strategic'

/** The type that a request's media type stands for. Throws a 415. */
export function patchTypeOf(mediaType: string): PatchType {
  const type = TYPES.get(mediaType)
  if (type !== undefined) return type
  if (mediaType === 'application/apply-patch+yaml' || mediaType === 'application/apply-patch+cbor') {
    throw unsupportedMedia('this server has no server-side apply: use kubectl apply without --server-side')
  }
  throw unsupportedMedia(
    `the body of the request was in an unknown format - accepted media types include: ${[...TYPES.keys()].join(', ')}`,
  )
}

const TYPES: ReadonlyMap<string, PatchType> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
])

/** Changes a stored object, or a part of it, as a patch says. Throws ApiError. */
export function patchObject(
  context: Context,
  resource: ServedResource,
  entry: Entry,
  { type, patch }: { readonly type: PatchType; readonly patch: unknown },
  options: UpdateOptions,
): KubeObject {
  const before = servedObject(resource, entry)
  const next = context.formats.applyPatch(type, before, patch, resource)
  return updateObject(context, resource, entry, next, options)
}
