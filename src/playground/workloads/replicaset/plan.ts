/**
 * What a ReplicaSet needs: pods to adopt, release, make and remove, and its status.
 *
 * Names are a function of the ReplicaSet and of the places that are free, so that a pod whose creation was not
 * answered is found by its name when it is made again.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { same, shortHash } from '../canonical.ts'
import { claim } from '../owner.ts'
import { isActive, isAvailable, type Pod, podOf, untilAvailable } from '../pod.ts'
import { at, count, fields } from '../values.ts'
import { removalOrder } from './removal-order.ts'
import type { ReplicaSet } from './spec.ts'

/** The writes that bring a ReplicaSet nearer to its wishes. */
export interface ReplicaSetPlan {
  readonly adopt: readonly KubeObject[]
  readonly release: readonly KubeObject[]
  /** Names of pods to make. */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
  /** Absent when it is right as it is. */
  readonly status?: Readonly<Record<string, unknown>>
  /** Milliseconds after which time alone changes something. */
  readonly wake?: number
}

/** `objects` are all pods of the namespace. */
export function planReplicaSet(set: ReplicaSet, objects: readonly KubeObject[], now: number): ReplicaSetPlan {
  const claims = claim(set.object, set.selector, objects)
  const mine = claims.mine.map(podOf)
  const active = mine.filter(isActive)
  const leaving = set.object.metadata.deletionTimestamp !== undefined
  const missing = leaving ? 0 : set.replicas - active.length
  const status = statusOf(set, active, now)
  const wake = untilAvailable(active, set.minReadySeconds, now)
  return {
    adopt: claims.adopt,
    release: claims.release,
    create: freeNames(set, objects, missing),
    remove: missing < 0 ? removalOrder(active, { now, ...set }).slice(0, -missing) : [],
    ...(status === undefined ? {} : { status }),
    ...(wake === undefined ? {} : { wake }),
  }
}

/** Whether a plan has anything to write. */
export function isDone({ adopt, release, create, remove, status }: ReplicaSetPlan): boolean {
  return adopt.length + release.length + create.length + remove.length === 0 && status === undefined
}

/** The name of the pod in a place, 63 characters at most: it is also its hostname. */
export function podName({ name, uid }: Pick<ReplicaSet, 'name' | 'uid'>, place: number): string {
  return `${name.slice(0, 57).replace(/[^a-z0-9]+$/, '')}-${shortHash([uid, place], 5)}`
}

function freeNames(set: ReplicaSet, objects: readonly KubeObject[], wanted: number): readonly string[] {
  const taken = new Set(objects.map(({ metadata }) => metadata.name))
  const names: string[] = []
  for (let place = 0; names.length < wanted; place++) {
    const name = podName(set, place)
    if (taken.has(name)) continue
    taken.add(name)
    names.push(name)
  }
  return names
}

function statusOf(set: ReplicaSet, active: readonly Pod[], now: number): Readonly<Record<string, unknown>> | undefined {
  const before = fields(at(set.object, 'status'))
  const templateLabels = Object.entries(fields(at(set.template, 'metadata', 'labels')))
  const status = {
    ...before,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ labels }) => templateLabels.every(([key, value]) => labels[key] === value))
      .length,
    readyReplicas: active.filter(({ readySince }) => readySince !== undefined).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.minReadySeconds, now)).length,
    observedGeneration: count(set.object.metadata.generation) ?? 0,
  }
  return same({ ...NOTHING, ...before }, status) ? undefined : status
}

/** Counts that are zero may be left out. */
const NOTHING = { replicas: 0, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 }
