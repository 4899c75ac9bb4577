/**
 * What the loops about claims have in common: little is kept of an object, and who came first has won.
 * @module
 */
import { KubeError } from '../../kube/errors.ts'
import type { ObjectMeta } from '../../kube/object.ts'

const KEPT = [
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'labels',
  'finalizers',
  'ownerReferences',
] as const

/** What is looked at of an object's metadata. */
export function metadataKept(metadata: ObjectMeta): ObjectMeta {
  const present = KEPT.filter((key) => metadata[key] !== undefined).map((key) => [key, metadata[key]])
  return { name: metadata.name, ...Object.fromEntries(present) }
}

const OVERTAKEN: ReadonlySet<string> = new Set(['KUBE_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND'])

/** What somebody else did meanwhile is told by the watch; in a namespace that is going nothing new can be. */
export function unlessOvertaken(error: unknown): undefined {
  if (isOvertaken(error)) return undefined
  if (error instanceof KubeError && error.code === 'KUBE_FORBIDDEN' && error.message.includes('being terminated'))
    return undefined
  throw error
}

/** Whether a call found another state than it was made for. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof KubeError && OVERTAKEN.has(error.code)
}
