/**
 * Which pods of a ReplicaSet go first.
 * @module
 */
import { isAvailable, type Pod } from '../pod.ts'
import { at, list } from '../values.ts'

/** What the order depends on beside the pods. */
export interface RemovalTerms {
  readonly now: number
  readonly minReadySeconds: number
}

/**
 * Pods in the order in which they are best spared: not on a node, not running, not ready, not yet available, cheaper to
 * delete by annotation, on a node with more of them, ready for a shorter time, restarted more often, younger.
 */
export function removalOrder(pods: readonly Pod[], terms: RemovalTerms): readonly Pod[] {
  const perNode = new Map<string | undefined, number>()
  for (const { node } of pods) perNode.set(node, (perNode.get(node) ?? 0) + 1)
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, terms, perNode.get(pod.node) ?? 0) }))
  ranked.sort((a, b) => compareRanks(a.rank, b.rank) || (a.pod.name < b.pod.name ? -1 : 1))
  return ranked.map(({ pod }) => pod)
}

/** Numbers compared one after the other; the smaller goes first. */
function rankOf(pod: Pod, { now, minReadySeconds }: RemovalTerms, neighbours: number): readonly number[] {
  return [
    pod.node === undefined ? 0 : 1,
    PHASES.indexOf(pod.phase),
    pod.readySince === undefined ? 0 : 1,
    isAvailable(pod, minReadySeconds, now) ? 1 : 0,
    deletionCost(pod),
    -neighbours,
    -(pod.readySince ?? 0),
    -restarts(pod),
    -pod.created,
  ]
}

/** An unknown phase is -1 and goes first. */
const PHASES: readonly string[] = ['Pending', 'Unknown', 'Running']

function deletionCost({ object }: Pod): number {
  const cost = Number(object.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
  return Number.isInteger(cost) ? cost : 0
}

function restarts({ object }: Pod): number {
  const counts = list(at(object, 'status', 'containerStatuses')).map((one) => at(one, 'restartCount'))
  return counts.reduce((most: number, one) => (typeof one === 'number' ? Math.max(most, one) : most), 0)
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, i) => value !== b[i])
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0)
}
