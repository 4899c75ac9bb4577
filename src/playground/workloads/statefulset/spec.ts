/**
 * A StatefulSet as its controller reads it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type LabelSelector, labelSelector, selects } from '../selector.ts'
import { templateLabels } from '../template.ts'
import { at, count, list, text } from '../values.ts'

/** A StatefulSet's wishes. */
export interface StatefulSet {
  readonly object: KubeObject
  readonly namespace: string
  readonly name: string
  readonly replicas: number
  /** The number of the first pod. */
  readonly start: number
  readonly selector: LabelSelector
  readonly template: unknown
  /** The headless service that names its pods. */
  readonly serviceName: string | undefined
  /** All pods at once rather than one after the other. */
  readonly parallel: boolean
  /** Pods take a new template only when somebody deletes them. */
  readonly onDelete: boolean
  /** Pods of lower numbers keep the template they have. */
  readonly partition: number
  readonly minReadySeconds: number
  readonly historyLimit: number
  /** It wants volumes of its own, which there are none of here. */
  readonly wantsVolumes: boolean
}

/** Undefined for one whose selector is missing, not understood, or does not select its own pods. */
export function statefulSetOf(object: KubeObject): StatefulSet | undefined {
  const spec = (...path: readonly string[]): unknown => at(object, 'spec', ...path)
  const selector = labelSelector(spec('selector'))
  const template = spec('template')
  if (selector === undefined || selector.requirements.length === 0) return undefined
  if (!selects(selector, templateLabels(template))) return undefined
  const start = count(spec('ordinals', 'start')) ?? 0
  return {
    object,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    replicas: count(spec('replicas')) ?? 1,
    start,
    selector,
    template,
    serviceName: text(spec('serviceName')),
    parallel: spec('podManagementPolicy') === 'Parallel',
    onDelete: spec('updateStrategy', 'type') === 'OnDelete',
    partition: count(spec('updateStrategy', 'rollingUpdate', 'partition')) ?? 0,
    minReadySeconds: count(spec('minReadySeconds')) ?? 0,
    historyLimit: count(spec('revisionHistoryLimit')) ?? 10,
    wantsVolumes: list(spec('volumeClaimTemplates')).length > 0,
  }
}

/** The number of a pod of this set, by its name. */
export function ordinalOf({ name }: Pick<StatefulSet, 'name'>, podName: string): number | undefined {
  if (!podName.startsWith(`${name}-`)) return undefined
  const digits = podName.slice(name.length + 1)
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined
}
