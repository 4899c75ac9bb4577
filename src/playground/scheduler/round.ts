/**
 * One round of scheduling: every waiting pod is bound, or told why not.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject } from '../../kube/object.ts'
import { NODES, PODS } from '../../kube/resources.ts'
import { conditionOf, withConditions } from '../workloads/conditions.ts'
import { type Pod, podOf } from '../workloads/pod.ts'
import { at } from '../workloads/values.ts'
import type { Tell } from '../workloads/world.ts'
import { placeOf, unless } from '../workloads/writes.ts'
import { decide, isWaiting } from './decide.ts'
import { type SchedulerNode, schedulerNode } from './node.ts'

/** A round's surroundings. */
export interface Round {
  readonly api: KubeApi
  readonly tell: Tell
  readonly now: () => number
  readonly signal: AbortSignal
}

/** What is to be said about one pod. */
export type Verdict = { readonly pod: Pod; readonly node: string } | { readonly pod: Pod; readonly message: string }

/** Verdicts on waiting pods, oldest first, each counting on those before. Pods that know their verdict are left out. */
export function judge(nodes: readonly SchedulerNode[], podObjects: readonly KubeObject[]): readonly Verdict[] {
  const pods = podObjects.map(podOf)
  const waiting = pods.filter(isWaiting).sort(byAge)
  const others = pods.filter((pod) => !isWaiting(pod))
  return waiting.flatMap((pod): readonly Verdict[] => {
    const decision = decide(pod, nodes, others)
    if ('node' in decision) {
      others.push({ ...pod, node: decision.node })
      return [{ pod, ...decision }]
    }
    return isTold(pod, decision.message) ? [] : [{ pod, ...decision }]
  })
}

/**
 * Binds what can be bound. The copies only say whether there is anything to do: the verdicts that count are on a fresh
 * read of all pods, since what was bound a moment ago may not be reflected yet.
 */
export async function scheduleRound(
  round: Round,
  copies: { readonly nodes: readonly KubeObject[]; readonly pods: readonly KubeObject[] },
): Promise<void> {
  if (judge(copies.nodes.map(schedulerNode), copies.pods).length === 0) return
  const { api, signal } = round
  const nodes = (await api.list(NODES, {}, signal)).items.map(schedulerNode)
  const pods = (await api.list(PODS, {}, signal)).items
  for (const verdict of judge(nodes, pods)) {
    if (signal.aborted) return
    if ('message' in verdict) await refuse(round, verdict.pod, verdict.message)
    // A pod that went elsewhere changes what the others were told: the next round sees it.
    else if (!(await bind(round, verdict.pod, verdict.node))) return
  }
}

async function bind({ api, tell, signal }: Round, pod: Pod, node: string): Promise<boolean> {
  const { name, namespace, uid } = pod
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  }
  const bound = api.post(PODS, { name, namespace }, 'binding', binding, signal).then(() => true)
  if ((await unless(['KUBE_NOT_FOUND', 'KUBE_CONFLICT', 'KUBE_EXISTS'], bound)) !== true) return false
  tell(pod.object, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node}`)
  return true
}

async function refuse({ api, tell, now, signal }: Round, pod: Pod, message: string): Promise<void> {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const
  const conditions = withConditions(at(pod.object, 'status', 'conditions'), [condition], now())
  const { uid, resourceVersion } = pod.object.metadata
  const patch = { metadata: { uid, resourceVersion }, status: { conditions } }
  const done = api.patch(PODS, placeOf(pod.object), 'merge', patch, 'status', signal)
  if ((await unless(['KUBE_NOT_FOUND', 'KUBE_CONFLICT'], done)) !== undefined) {
    tell(pod.object, 'Warning', 'FailedScheduling', message)
  }
}

function isTold({ object }: Pod, message: string): boolean {
  const condition = conditionOf(at(object, 'status', 'conditions'), 'PodScheduled')
  return condition?.['status'] === 'False' && condition['message'] === message
}

function byAge(a: Pod, b: Pod): number {
  return a.created - b.created || (a.name < b.name ? -1 : 1)
}
