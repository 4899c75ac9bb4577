/**
 * Who an object belongs to, and how a controller finds its own.
 * @module
 */
import { apiVersionOf, type KubeObject, type OwnerReference, type Resource } from '../../kube/object.ts'
import { type LabelSelector, selects } from './selector.ts'
import { fields, list, text, texts } from './values.ts'

/** What a controller has to do with the objects that it found. */
export interface Claims {
  /** Its own, with those that it is about to adopt. */
  readonly mine: readonly KubeObject[]
  /** Nobody's, and selected: to be adopted. */
  readonly adopt: readonly KubeObject[]
  /** Its own, and selected no longer: to be released. */
  readonly release: readonly KubeObject[]
}

/** The reference to the controller of an object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  for (const each of list(object.metadata.ownerReferences)) {
    const { apiVersion, kind, name, uid, controller } = fields(each)
    const known = text(uid)
    if (controller !== true || known === undefined) continue
    return {
      apiVersion: text(apiVersion) ?? '',
      kind: text(kind) ?? '',
      name: text(name) ?? '',
      uid: known,
      controller,
    }
  }
  return undefined
}

/** The reference by which an object belongs to its controller: the server removes it after its owner. */
export function ownedBy(resource: Resource, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** Sorts the objects of a namespace for one controller. An owner that is being deleted adopts and releases nothing. */
export function claim(owner: KubeObject, selector: LabelSelector, objects: readonly KubeObject[]): Claims {
  const leaving = owner.metadata.deletionTimestamp !== undefined
  const claims = { mine: [] as KubeObject[], adopt: [] as KubeObject[], release: [] as KubeObject[] }
  for (const object of objects) {
    const controller = controllerOf(object)?.uid
    const wanted = selects(selector, texts(object.metadata.labels))
    if (controller === owner.metadata.uid) {
      if (wanted || leaving) claims.mine.push(object)
      else claims.release.push(object)
    } else if (controller === undefined && wanted && !leaving && object.metadata.deletionTimestamp === undefined) {
      claims.mine.push(object)
      claims.adopt.push(object)
    }
  }
  return claims
}

/** The merge patch that makes an object a controller's own. It fails if the object was replaced or changed meanwhile. */
export function adoption(object: KubeObject, owner: OwnerReference): Readonly<Record<string, unknown>> {
  return ownersPatch(object, [...list(object.metadata.ownerReferences), owner])
}

/** The merge patch that lets an object go. */
export function releasing(object: KubeObject, ownerUid: string): Readonly<Record<string, unknown>> {
  return ownersPatch(
    object,
    list(object.metadata.ownerReferences).filter((one) => fields(one)['uid'] !== ownerUid),
  )
}

function ownersPatch({ metadata }: KubeObject, owners: readonly unknown[]): Readonly<Record<string, unknown>> {
  const { uid, resourceVersion } = metadata
  return { metadata: { uid, resourceVersion, ownerReferences: owners.length === 0 ? null : owners } }
}
