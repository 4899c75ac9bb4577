/**
 * A ReplicaSet as its controllers read it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type LabelSelector, labelSelector, selects } from '../selector.ts'
import { templateLabels } from '../template.ts'
import { at, count } from '../values.ts'

/** A ReplicaSet's wishes. */
export interface ReplicaSet {
  readonly object: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly replicas: number
  readonly minReadySeconds: number
  readonly selector: LabelSelector
  readonly template: unknown
}

/** Undefined for one whose selector is missing, not understood, or does not select its own pods. */
export function replicaSetOf(object: KubeObject): ReplicaSet | undefined {
  const selector = labelSelector(at(object, 'spec', 'selector'))
  const template = at(object, 'spec', 'template')
  if (selector === undefined || selector.requirements.length === 0) return undefined
  if (!selects(selector, templateLabels(template))) return undefined
  return {
    object,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    replicas: count(at(object, 'spec', 'replicas')) ?? 1,
    minReadySeconds: count(at(object, 'spec', 'minReadySeconds')) ?? 0,
    selector,
    template,
  }
}
