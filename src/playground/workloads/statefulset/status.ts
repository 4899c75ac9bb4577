/**
 * What a StatefulSet says about itself.
 * @module
 */
import { same } from '../canonical.ts'
import { withConditions, withoutCondition } from '../conditions.ts'
import { hasEnded, isActive, isAvailable, type Pod } from '../pod.ts'
import { at, count, fields } from '../values.ts'
import type { Revisions } from './revisions.ts'
import type { StatefulSet } from './spec.ts'

/** Why a set with volumes gets no pods, as the condition and the event say it. */
export const VOLUMES_REFUSED = 'volumeClaimTemplates are not supported here: there are no volumes; use emptyDir instead'

/** The status that is right now, or undefined when it is already there. */
export function statefulSetStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  now: number,
): Readonly<Record<string, unknown>> | undefined {
  const before = { ...NOTHING, ...fields(at(set.object, 'status')) }
  const living = pods.filter((pod) => !hasEnded(pod))
  const active = pods.filter(isActive)
  const ofRevision = (name: string): number =>
    active.filter(({ labels }) => labels['controller-revision-hash'] === name).length
  const updateRevision = revisions.update.metadata.name
  const updatedReplicas = ofRevision(updateRevision)
  const readyReplicas = active.filter(({ readySince }) => readySince !== undefined).length
  const isComplete = [living.length, updatedReplicas, readyReplicas].every((one) => one === set.replicas)
  const currentRevision = isComplete ? updateRevision : revisions.current.metadata.name
  const status = {
    ...before,
    replicas: living.length,
    readyReplicas,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.minReadySeconds, now)).length,
    currentReplicas: ofRevision(currentRevision),
    updatedReplicas,
    currentRevision,
    updateRevision,
    observedGeneration: count(set.object.metadata.generation) ?? 0,
    conditions: conditionsOf(set, before.conditions, now),
  }
  return same(before, status) ? undefined : status
}

const NOTHING = {
  replicas: 0,
  readyReplicas: 0,
  availableReplicas: 0,
  currentReplicas: 0,
  updatedReplicas: 0,
  conditions: [] as unknown,
}

function conditionsOf(set: StatefulSet, before: unknown, now: number): readonly unknown[] {
  if (!set.wantsVolumes) return withoutCondition(before, 'Refused')
  const refused = { type: 'Refused', status: 'True', reason: 'VolumesUnsupported', message: VOLUMES_REFUSED } as const
  return withConditions(before, [refused], now)
}
