/**
 * Stored objects as they are served.
 * @module
 */
import { apiVersionOf, type KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { type Entry, objectOf } from '../store/change.ts'

/** The text of a stored object in this version. Versions differ in name alone: there is no conversion. */
export function textOf(resource: ServedResource, { text }: Entry): string {
  const head = `{"apiVersion":${JSON.stringify(apiVersionOf(resource))},"kind":${JSON.stringify(resource.kind)},`
  if (text.startsWith(head)) return text
  return JSON.stringify({ ...JSON.parse(text), apiVersion: apiVersionOf(resource), kind: resource.kind })
}

/** A stored object in this version. */
export function servedObject(resource: ServedResource, entry: Entry): KubeObject {
  return inVersion(resource, objectOf(entry))
}

/** An object in this version, with the fields first that tell what it is. */
export function inVersion({ group, version, kind }: ServedResource, object: KubeObject): KubeObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object
  return { apiVersion: apiVersionOf({ group, version }), kind, metadata, ...rest }
}
