/**
 * The ReplicaSets of a Deployment: the one of its present template, and those before it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { DEPLOYMENTS } from '../../../kube/resources.ts'
import { same, shortHash } from '../canonical.ts'
import { ownedBy } from '../owner.ts'
import { isActive, isAvailable, type Pod } from '../pod.ts'
import { withLabel, withoutLabel } from '../template.ts'
import { at, count, fields, instant, texts } from '../values.ts'
import { type Deployment, HASH_LABEL } from './spec.ts'

/** One ReplicaSet with what its pods are now. */
export interface OwnedSet {
  readonly object: KubeObject
  readonly name: string
  readonly replicas: number
  /** Pods that run or will run. Above `replicas` while it shrinks, below while it grows. */
  readonly active: number
  readonly ready: number
  /** Of those that it will keep. */
  readonly available: number
  /** Pods that have not ended, with those that are about to. */
  readonly present: number
  readonly revision: number
  readonly created: number
  /** Its controller has carried out its present wishes: no pod of earlier ones is still being made. */
  readonly settled: boolean
}

/** Counts a ReplicaSet's pods. */
export function ownedSet(object: KubeObject, pods: readonly Pod[], minReadySeconds: number, now: number): OwnedSet {
  const { metadata } = object
  const mine = pods.filter(({ controller }) => controller === metadata.uid)
  const active = mine.filter(isActive)
  const replicas = count(at(object, 'spec', 'replicas')) ?? 1
  const available = active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length
  return {
    object,
    name: metadata.name,
    replicas,
    active: active.length,
    ready: active.filter(({ readySince }) => readySince !== undefined).length,
    available: Math.min(available, replicas),
    present: mine.filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed').length,
    revision: revisionOf(object),
    created: instant(metadata.creationTimestamp) ?? 0,
    settled: (count(at(object, 'status', 'observedGeneration')) ?? 0) >= (count(metadata.generation) ?? 0),
  }
}

/** Oldest first. */
export function byAge(a: OwnedSet, b: OwnedSet): number {
  return a.created - b.created || a.revision - b.revision || (a.name < b.name ? -1 : 1)
}

/** The set whose pods are what the Deployment wants now; the oldest, should there be several. */
export function setOfTemplate(deployment: Deployment, sets: readonly OwnedSet[]): OwnedSet | undefined {
  const wanted = withoutLabel(deployment.template, HASH_LABEL)
  return [...sets]
    .sort(byAge)
    .find(({ object }) => same(withoutLabel(at(object, 'spec', 'template'), HASH_LABEL), wanted))
}

/** A ReplicaSet for the present template. Its name is a function of the template and of the names that are taken. */
export function newSet(
  deployment: Deployment,
  taken: ReadonlySet<string>,
  replicas: number,
  revision: number,
): KubeObject {
  const { name, hash } = freeName(deployment, taken)
  const selector = fields(at(deployment.object, 'spec', 'selector'))
  const template = withLabel(deployment.template, HASH_LABEL, hash)
  const { minReadySeconds } = deployment
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: deployment.namespace,
      labels: texts(at(template, 'metadata', 'labels')),
      annotations: { ...carriedAnnotations(deployment), [REVISION]: String(revision) },
      ownerReferences: [ownedBy(DEPLOYMENTS, deployment.object)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...texts(selector['matchLabels']), [HASH_LABEL]: hash } },
      template,
    },
  }
}

/** The annotation that numbers a Deployment's templates. */
export const REVISION = 'deployment.kubernetes.io/revision'

/** The number of a template; 0 when it has none. */
export function revisionOf({ metadata }: KubeObject): number {
  const text = metadata.annotations?.[REVISION] ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

/** Why the template changed, in the words of who changed it: shown by `kubectl rollout history`. */
export function carriedAnnotations({ object }: Deployment): Readonly<Record<string, string>> {
  const cause = object.metadata.annotations?.[CHANGE_CAUSE]
  return cause === undefined ? {} : { [CHANGE_CAUSE]: cause }
}

const CHANGE_CAUSE = 'kubernetes.io/change-cause'

function freeName(
  deployment: Deployment,
  taken: ReadonlySet<string>,
): { readonly name: string; readonly hash: string } {
  for (let collisions = 0; ; collisions++) {
    const hash = shortHash([withoutLabel(deployment.template, HASH_LABEL), collisions], 10)
    const name = `${deployment.name}-${hash}`
    if (!taken.has(name)) return { name, hash }
  }
}
