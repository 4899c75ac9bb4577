/**
 * Who manages an object: the reference among its owners that says `controller`.
 * @module
 */
import { decodeWith } from '../../network/model/decode.ts'
import type { PodOwner } from '../../network/model/pool.ts'
import { podOwner } from '../../network/model/validate-pod.ts'
import { at, listAt, optionalField } from '../fields.ts'
import type { MergePatch } from '../merge.ts'

/** The controller of an object; undefined for nobody, and for one whose reference cannot be read. */
export function controllerIn(object: unknown): PodOwner | undefined {
  const reference = listAt(object, 'metadata', 'ownerReferences').find((one) => at(one, 'controller') === true)
  const decoded = decodeWith(podOwner, {
    apiVersion: at(reference, 'apiVersion'),
    kind: at(reference, 'kind'),
    name: at(reference, 'name'),
    ...optionalField('uid', at(reference, 'uid')),
  })
  return decoded.ok ? decoded.value : undefined
}

/** The owners of an object that this one manages. The API takes none without a uid. */
export function ownersOf(controller: PodOwner | undefined): MergePatch {
  if (controller?.uid === undefined) return {}
  return { ownerReferences: [{ ...controller, controller: true }] }
}
