/**
 * Paths on the API server that lead where they say.
 * @module
 */
import type { ObjectName } from './api.ts'
import { KubeError } from './errors.ts'
import { pathOf, type Resource } from './object.ts'

/** The path of a collection, of one namespace or all. Throws `KUBE_INVALID`. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  return pathOf(resource, namespace === undefined ? undefined : segment(namespace))
}

/** The path of an object or a part of it. Throws `KUBE_INVALID`. */
export function objectPath(resource: Resource, at: ObjectName, subresource?: string): string {
  return pathOf(resource, requiredNamespace(resource, at), segment(at.name), subresource)
}

/** The namespace of an object that must have one; undefined where there are none. Throws `KUBE_INVALID`. */
export function requiredNamespace(resource: Resource, at: Pick<ObjectName, 'namespace'>): string | undefined {
  if (!resource.namespaced) return undefined
  if (at.namespace !== undefined) return segment(at.namespace)
  throw new KubeError('KUBE_INVALID', `a ${resource.kind} without a namespace`, 'name its namespace')
}

/** No object can have a name that would lead to another path (k8s.io/apimachinery, `IsValidPathSegmentName`). */
function segment(name: string): string {
  const isOne = name !== '' && name.length <= 253 && name !== '.' && name !== '..' && !/[/%]/.test(name)
  if (isOne && name.isWellFormed()) return name
  throw new KubeError('KUBE_INVALID', `no object can have the name ${JSON.stringify(name.slice(0, 80))}`, 'correct it')
}
