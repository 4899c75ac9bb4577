/**
 * Patches: RFC 6902, RFC 7386 and Kubernetes' strategic merge. Pure: neither the object nor the patch is changed.
 * @module
 */
import type { PatchType } from '../../../kube/api.ts'
import { messageOfSchema } from '../builtin/index.ts'
import type { ServedResource } from '../contract.ts'
import { badRequest, unsupportedMedia } from '../http/status.ts'
import { isDeep, isFields } from './json.ts'
import { applyJsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { applyStrategicPatch } from './strategic.ts'

/**
 * The object after a patch. Throws ApiError: 400 for what is no patch, 415 for a strategic one of a custom resource, 422
 * for one that does not fit the object.
 */
export function applyPatch(type: PatchType, object: unknown, patch: unknown, resource: ServedResource): unknown {
  if (isDeep(patch) || isDeep(object)) throw badRequest('error decoding patch: it is nested too deeply')
  if (type === 'json') return applyJsonPatch(object, patch)
  if (!isFields(patch)) throw badRequest(`error decoding patch: it is ${kindOf(patch)}, not an object`)
  if (type === 'merge') return mergePatch(object, patch)
  if (resource.schema === undefined || messageOfSchema(resource.schema) === undefined)
    throw unsupportedMedia(NO_STRATEGY)
  return applyStrategicPatch(object, patch, resource.schema)
}

const NO_STRATEGY =
  'the body of the request was in an unknown format - accepted media types include: ' +
  'application/json-patch+json, application/merge-patch+json'

function kindOf(patch: unknown): string {
  return Array.isArray(patch) ? 'a list' : JSON.stringify(patch)
}
