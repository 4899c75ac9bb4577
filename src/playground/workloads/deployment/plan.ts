/**
 * What a Deployment needs: a ReplicaSet to make, sizes to change, numbers of revisions, old ones to forget, its status.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { claim } from '../owner.ts'
import { isActive, podOf, untilAvailable } from '../pod.ts'
import { at } from '../values.ts'
import { nextSizes } from './rollout.ts'
import {
  byAge,
  carriedAnnotations,
  newSet,
  type OwnedSet,
  ownedSet,
  REVISION,
  revisionOf,
  setOfTemplate,
} from './sets.ts'
import type { Deployment } from './spec.ts'
import { deploymentStatus, isComplete, untilDeadline } from './status.ts'

/** A change of a ReplicaSet. */
export interface SetChange {
  readonly object: KubeObject
  readonly from: number
  readonly to: number
}

/** The writes that bring a Deployment nearer to its wishes. */
export interface DeploymentPlan {
  readonly adopt: readonly KubeObject[]
  readonly release: readonly KubeObject[]
  readonly create?: KubeObject
  readonly resize: readonly SetChange[]
  /** New annotations of the set of the present template. */
  readonly annotate?: { readonly object: KubeObject; readonly annotations: Readonly<Record<string, string>> }
  readonly remove: readonly KubeObject[]
  /** The number of the present template, where the Deployment does not say so. */
  readonly revision?: number
  /** Absent when it is right as it is. */
  readonly status?: Readonly<Record<string, unknown>>
  /** Milliseconds after which time alone changes something. */
  readonly wake?: number
}

/** `setObjects` and `podObjects` are all of the namespace. */
export function planDeployment(
  deployment: Deployment,
  setObjects: readonly KubeObject[],
  podObjects: readonly KubeObject[],
  now: number,
): DeploymentPlan {
  const { object, minReadySeconds } = deployment
  const { mine, adopt, release } = claim(object, deployment.selector, setObjects)
  const pods = podObjects.map(podOf)
  const sets = mine.map((one) => ownedSet(one, pods, minReadySeconds, now))
  const present = sets.filter((set) => set.object.metadata.deletionTimestamp === undefined)
  const current = setOfTemplate(deployment, present)
  const old = sets.filter((set) => set !== current)
  const status = deploymentStatus(deployment, current, old, now)
  const uids = new Set(mine.map(({ metadata }) => metadata.uid))
  const active = pods.filter((pod) => isActive(pod) && uids.has(pod.controller))
  const wake = earliest(
    untilAvailable(active, minReadySeconds, now),
    untilDeadline(deployment, status ?? at(object, 'status'), now),
  )
  const rest = { ...(status === undefined ? {} : { status }), ...(wake === undefined ? {} : { wake }) }
  if (object.metadata.deletionTimestamp !== undefined) return { adopt, release, resize: [], remove: [], ...rest }
  const revision = revisionNow(deployment, current, old)
  const taken = new Set(setObjects.map(({ metadata }) => metadata.name))
  const sizes = nextSizes(deployment, current, old)
  const made = deployment.paused ? undefined : sizes.find(({ name }) => name === undefined)
  const annotations = current === undefined ? {} : annotationChanges(deployment, current, revision)
  return {
    adopt,
    release,
    resize: sets.flatMap((set) => {
      const size = sizes.find(({ name }) => name === set.name)
      return size === undefined ? [] : [{ object: set.object, from: set.replicas, to: size.replicas }]
    }),
    remove: isComplete(deployment, current, old) ? forgotten(deployment, old) : [],
    ...(made === undefined ? {} : { create: newSet(deployment, taken, made.replicas, revision) }),
    ...(current === undefined || Object.keys(annotations).length === 0
      ? {}
      : { annotate: { object: current.object, annotations } }),
    ...(current === undefined || revisionOf(object) === revision ? {} : { revision }),
    ...rest,
  }
}

/** Whether a plan has anything to write. */
export function isDone(plan: DeploymentPlan): boolean {
  const { adopt, release, create, resize, annotate, remove, revision, status } = plan
  const lists = adopt.length + release.length + resize.length + remove.length
  return lists === 0 && [create, annotate, revision, status].every((one) => one === undefined)
}

/** A template that comes back gets a new number, as one that is new does. */
function revisionNow(deployment: Deployment, current: OwnedSet | undefined, old: readonly OwnedSet[]): number {
  const highest = Math.max(0, ...old.map(({ revision }) => revision))
  if (current !== undefined && (current.revision > highest || deployment.paused)) return current.revision
  return highest + 1
}

function annotationChanges(
  deployment: Deployment,
  current: OwnedSet,
  revision: number,
): Readonly<Record<string, string>> {
  const before = current.object.metadata.annotations ?? {}
  const renumbered = current.revision !== revision
  const earlier = [before[HISTORY], current.revision > 0 ? String(current.revision) : undefined]
    .filter(Boolean)
    .join(',')
  const wanted: Record<string, string> = {
    ...carriedAnnotations(deployment),
    ...(renumbered ? { [REVISION]: String(revision) } : {}),
    ...(renumbered && earlier !== '' ? { [HISTORY]: earlier } : {}),
  }
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => before[key] !== value))
}

/** Sets without pods beyond the history that is kept, oldest first. */
function forgotten({ historyLimit }: Deployment, old: readonly OwnedSet[]): readonly KubeObject[] {
  const idle = old.filter(
    ({ object, replicas, present, settled }) =>
      replicas === 0 && present === 0 && settled && object.metadata.deletionTimestamp === undefined,
  )
  const excess = Math.max(0, idle.length - historyLimit)
  const order = [...idle].sort((a, b) => a.revision - b.revision || byAge(a, b))
  return order.slice(0, excess).map(({ object }) => object)
}

const HISTORY = 'deployment.kubernetes.io/revision-history'

function earliest(...waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
