/**
 * What a StatefulSet needs next: revisions, pods to make and to remove, its status.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { STATEFUL_SETS } from '../../../kube/resources.ts'
import { claim, ownedBy } from '../owner.ts'
import { hasEnded, isAvailable, type Pod, podOf, untilAvailable } from '../pod.ts'
import { podFrom } from '../template.ts'
import { type Revisions, revisionsOf, templateOf } from './revisions.ts'
import { ordinalOf, type StatefulSet } from './spec.ts'
import { statefulSetStatus } from './status.ts'

/** The label that says which revision a pod was made of. */
const REVISION_LABEL = 'controller-revision-hash'

/** The writes that bring a StatefulSet nearer to its wishes. */
export interface StatefulSetPlan {
  readonly adopt: readonly KubeObject[]
  readonly release: readonly KubeObject[]
  readonly revisions: Revisions
  readonly create: readonly KubeObject[]
  readonly remove: readonly Pod[]
  /** Absent when it is right as it is. */
  readonly status?: Readonly<Record<string, unknown>>
  /** Milliseconds after which time alone changes something. */
  readonly wake?: number
}

/** `podObjects` and `revisionObjects` are all of the namespace. */
export function planStatefulSet(
  set: StatefulSet,
  podObjects: readonly KubeObject[],
  revisionObjects: readonly KubeObject[],
  now: number,
): StatefulSetPlan {
  const named = podObjects.filter(({ metadata }) => ordinalOf(set, metadata.name) !== undefined)
  const { mine, adopt, release } = claim(set.object, set.selector, named)
  const pods = new Map(mine.map((object) => [ordinalOf(set, object.metadata.name) ?? -1, podOf(object)]))
  const inUse = new Set([...pods.values()].map(({ labels }) => labels[REVISION_LABEL] ?? ''))
  const revisions = revisionsOf(set, revisionObjects, inUse)
  const stopped = set.wantsVolumes || set.object.metadata.deletionTimestamp !== undefined
  const status = statefulSetStatus(set, [...pods.values()], revisions, now)
  const wake = untilAvailable([...pods.values()], set.minReadySeconds, now)
  return {
    adopt,
    release,
    revisions,
    ...(stopped ? { create: [], remove: [] } : nextPods(set, pods, revisions, now)),
    ...(status === undefined ? {} : { status }),
    ...(wake === undefined ? {} : { wake }),
  }
}

/** Whether a plan has anything to write. */
export function isDone({ adopt, release, revisions, create, remove, status }: StatefulSetPlan): boolean {
  const lists = adopt.length + release.length + create.length + remove.length + revisions.forget.length
  return lists === 0 && !revisions.create && revisions.renumber === undefined && status === undefined
}

interface NextPods {
  readonly create: readonly KubeObject[]
  readonly remove: readonly Pod[]
}

/** Pods by number. One step at a time unless parallel: lower ones first up, higher ones first down. */
function nextPods(set: StatefulSet, pods: ReadonlyMap<number, Pod>, revisions: Revisions, now: number): NextPods {
  const create: KubeObject[] = []
  const remove: Pod[] = []
  const isHealthy = (pod: Pod | undefined): pod is Pod =>
    pod !== undefined && isAvailable(pod, set.minReadySeconds, now)
  const wanted = Array.from({ length: set.replicas }, (_, index) => set.start + index)
  for (const ordinal of wanted) {
    const pod = pods.get(ordinal)
    if (pod === undefined) create.push(podOfOrdinal(set, ordinal, revisions))
    else if (!pod.terminating && (hasEnded(pod) || (!isHealthy(pod) && isOutdated(set, pod, ordinal, revisions)))) {
      // An outdated pod that does not serve is no loss: waiting for it would block the way to a template that works.
      remove.push(pod)
    }
    if (!set.parallel && !isHealthy(pod)) return { create, remove }
  }
  const spare = [...pods].filter(([ordinal]) => ordinal < set.start || ordinal >= set.start + set.replicas)
  spare.sort(([a], [b]) => b - a)
  if (set.parallel) remove.push(...spare.map(([, pod]) => pod).filter(({ terminating }) => !terminating))
  else if (spare.length > 0)
    return { create, remove: spare.slice(0, 1).flatMap(([, pod]) => (pod.terminating ? [] : pod)) }
  const healthy = wanted.every((ordinal) => isHealthy(pods.get(ordinal)))
  const outdated = wanted.findLast((ordinal) => {
    const pod = pods.get(ordinal)
    return pod !== undefined && isOutdated(set, pod, ordinal, revisions)
  })
  const next = outdated === undefined ? undefined : pods.get(outdated)
  if (healthy && next !== undefined) remove.push(next)
  return { create, remove }
}

/** A rolling update is to replace this pod. */
function isOutdated(set: StatefulSet, pod: Pod, ordinal: number, { update }: Revisions): boolean {
  if (set.onDelete || ordinal < set.start + set.partition) return false
  return pod.labels[REVISION_LABEL] !== update.metadata.name
}

function podOfOrdinal(set: StatefulSet, ordinal: number, { update, current }: Revisions): KubeObject {
  const revision = !set.onDelete && ordinal < set.start + set.partition ? current : update
  const name = `${set.name}-${ordinal}`
  return podFrom(templateOf(revision), {
    namespace: set.namespace,
    name,
    owner: ownedBy(STATEFUL_SETS, set.object),
    labels: {
      [REVISION_LABEL]: revision.metadata.name,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    },
    hostname: name,
    ...(set.serviceName === undefined ? {} : { subdomain: set.serviceName }),
  })
}
