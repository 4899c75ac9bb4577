/**
 * The Kubernetes API's words for where objects are kept and what every object has.
 * @module
 */

/** A resource as the API names it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Lower-case plural, as in the URL. */
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/** What the API server keeps about every object. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly generateName?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  readonly [other: string]: unknown
}

/** Who an object belongs to: it goes when its owners are gone. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Any object of the API. What is beside the metadata is decoded by whoever uses it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

/** The uid that the server gave; empty before. */
export function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? ''
}

/** `group/version`, or the version alone in the core group. */
export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

/** The path of a collection, or of one object in it, below the server's address. */
export function pathOf(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  const below = subresource === undefined ? '' : `/${subresource}`
  return `${base}${scope}/${resource.plural}${object}${below}`
}
