/**
 * Merge patches (RFC 7386) and the objects they make out of nothing.
 * @module
 */
import type { ObjectName } from '../kube/api.ts'
import { apiVersionOf, type KubeObject, type ObjectMeta, type Resource } from '../kube/object.ts'

/** A merge patch: `null` takes a field away, an object is merged, anything else replaces. */
export type MergePatch = Readonly<Record<string, unknown>>

/** The new object that a merge patch, applied to nothing, makes under a name. */
export function objectOf(resource: Resource, at: ObjectName, patch: MergePatch): KubeObject {
  const { metadata, ...fields } = withoutNulls(patch)
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { ...(metadata as Partial<ObjectMeta> | undefined), ...at },
    ...fields,
  }
}

function withoutNulls(patch: MergePatch): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null) kept[key] = isPlain(value) ? withoutNulls(value) : value
  }
  return kept
}

function isPlain(value: unknown): value is MergePatch {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Where an object that is in no namespace is kept. */
export function clusterPlace(name: string): ObjectName {
  return { name }
}

/** Where the object `<namespace>/<name>` is kept. A name without a namespace leads to where nothing can be. */
export function namespacedPlace(name: string): ObjectName {
  const slash = name.indexOf('/')
  return slash < 0 ? { namespace: '-', name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) }
}
