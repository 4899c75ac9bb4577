/**
 * A Deployment as its controller reads it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type LabelSelector, labelSelector, selects } from '../selector.ts'
import { templateLabels } from '../template.ts'
import { at, count } from '../values.ts'

/** The label that tells the ReplicaSets of a Deployment apart. */
export const HASH_LABEL = 'pod-template-hash'

/** A Deployment's wishes. */
export interface Deployment {
  readonly object: KubeObject
  readonly namespace: string
  readonly name: string
  readonly replicas: number
  readonly selector: LabelSelector
  readonly template: unknown
  readonly paused: boolean
  readonly recreate: boolean
  /** Pods beyond `replicas` that a rolling update may have. */
  readonly surge: number
  /** Pods below `replicas` that a rolling update may leave available. */
  readonly unavailable: number
  readonly minReadySeconds: number
  readonly historyLimit: number
  /** Milliseconds without progress after which it has failed; absent: never. */
  readonly deadline: number | undefined
}

/** Undefined for one whose selector is missing, not understood, or does not select its own pods. */
export function deploymentOf(object: KubeObject): Deployment | undefined {
  const spec = (...path: readonly string[]): unknown => at(object, 'spec', ...path)
  const selector = labelSelector(spec('selector'))
  const template = spec('template')
  if (selector === undefined || selector.requirements.length === 0) return undefined
  if (!selects(selector, templateLabels(template))) return undefined
  const replicas = count(spec('replicas')) ?? 1
  const deadline = count(spec('progressDeadlineSeconds')) ?? 600
  return {
    object,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    replicas,
    selector,
    template,
    paused: spec('paused') === true,
    recreate: spec('strategy', 'type') === 'Recreate',
    ...rollingBounds(
      spec('strategy', 'rollingUpdate', 'maxSurge'),
      spec('strategy', 'rollingUpdate', 'maxUnavailable'),
      replicas,
    ),
    minReadySeconds: count(spec('minReadySeconds')) ?? 0,
    historyLimit: count(spec('revisionHistoryLimit')) ?? 10,
    deadline: deadline >= 2 ** 31 - 1 ? undefined : deadline * 1000,
  }
}

/**
 * Both bounds as numbers of pods: a share of surge is rounded up, one of unavailability down, and where both come to
 * nothing one pod may be unavailable, so that there is a way forward.
 */
export function rollingBounds(
  maxSurge: unknown,
  maxUnavailable: unknown,
  replicas: number,
): { readonly surge: number; readonly unavailable: number } {
  const surge = amount(maxSurge ?? '25%', replicas, Math.ceil)
  const unavailable = Math.min(amount(maxUnavailable ?? '25%', replicas, Math.floor), replicas)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

function amount(value: unknown, of: number, round: (share: number) => number): number {
  const share = typeof value === 'string' ? /^(\d{1,6})%$/.exec(value)?.[1] : undefined
  return share === undefined ? (count(value) ?? 0) : round((Number(share) * of) / 100)
}
