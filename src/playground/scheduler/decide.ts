/**
 * Which node a pod goes to.
 * @module
 */
import { hasEnded, type Pod } from '../workloads/pod.ts'
import { type Labels, meets } from '../workloads/selector.ts'
import { at, text } from '../workloads/values.ts'
import type { SchedulerNode, Taint } from './node.ts'
import { isAbout, type Wishes, wishesOf } from './wishes.ts'

/** A node, or why there is none, in the words that `kubectl describe` shows. */
export type Decision = { readonly node: string } | { readonly message: string }

/**
 * Chooses among the nodes that meet all wishes: the one with fewest pods of the same owner, then with fewest pods, then
 * by name. `pods` are all pods of the cluster; those that are bound count, as do those about to end.
 */
export function decide(pod: Pod, nodes: readonly SchedulerNode[], pods: readonly Pod[]): Decision {
  const wishes = wishesOf(pod.object)
  if (wishes.unsupported.length > 0) {
    return { message: `this scheduler does not support ${[...new Set(wishes.unsupported)].join(', ')}` }
  }
  if (nodes.length === 0) return { message: 'no nodes available to schedule pods' }
  const placed = byNode(pods)
  const isFirst = pods.every((one) => one.node === undefined || hasEnded(one) || !wishes.near.some(aboutPod(one)))
  const verdicts = nodes.map((node) => {
    const neighbours = placed.get(node.name) ?? []
    return { node, neighbours, reason: objection(pod, wishes, node, neighbours, isFirst) }
  })
  const possible = verdicts.filter(({ reason }) => reason === undefined)
  const ranked = possible.map(({ node, neighbours }) => ({
    name: node.name,
    siblings: neighbours.filter((one) => pod.controller !== undefined && one.controller === pod.controller).length,
    load: neighbours.length,
  }))
  ranked.sort((a, b) => a.siblings - b.siblings || a.load - b.load || (a.name < b.name ? -1 : 1))
  const [best] = ranked
  if (best !== undefined) return { node: best.name }
  return { message: `0/${nodes.length} nodes are available: ${summary(verdicts.map(({ reason = '' }) => reason))}.` }
}

/** Whether a pod waits for this scheduler. */
export function isWaiting(pod: Pod): boolean {
  if (pod.node !== undefined || pod.terminating || hasEnded(pod)) return false
  const gates = at(pod.object, 'spec', 'schedulingGates')
  const scheduler = text(at(pod.object, 'spec', 'schedulerName')) ?? 'default-scheduler'
  return scheduler === 'default-scheduler' && !(Array.isArray(gates) && gates.length > 0)
}

function objection(
  pod: Pod,
  wishes: Wishes,
  node: SchedulerNode,
  neighbours: readonly Pod[],
  isFirst: boolean,
): string | undefined {
  if (node.unschedulable) return 'node(s) were unschedulable'
  if (!node.ready) return 'node(s) were not ready'
  const taint = node.taints.find((one) => !wishes.tolerations.some((toleration) => tolerates(toleration, one)))
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value}}`
  if (!isWantedNode(wishes, node.labels)) return "node(s) didn't match Pod's node affinity/selector"
  const lacking = wishes.resources.find((name) => !node.resources.has(name))
  if (lacking !== undefined) return `Insufficient ${lacking}`
  if (wishes.apart.some((term) => neighbours.some((one) => isAbout(term, one.namespace, one.labels)))) {
    return "node(s) didn't match pod anti-affinity rules"
  }
  if (neighbours.some((one) => wishesOf(one.object).apart.some(aboutPod(pod)))) {
    return "node(s) didn't satisfy existing pods anti-affinity rules"
  }
  const lonely = wishes.near.some((term) => !neighbours.some((one) => isAbout(term, one.namespace, one.labels)))
  // The first of a group that wants to be together has nobody to join.
  const startsGroup = isFirst && wishes.near.every(aboutPod(pod))
  return lonely && !startsGroup ? "node(s) didn't match pod affinity rules" : undefined
}

function isWantedNode({ nodeSelector, nodeTerms }: Wishes, labels: Labels): boolean {
  const selected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  return selected && (nodeTerms === undefined || nodeTerms.some((term) => term.every((one) => meets(one, labels))))
}

function tolerates(toleration: unknown, taint: Taint): boolean {
  const key = text(at(toleration, 'key'))
  const effect = text(at(toleration, 'effect'))
  if (effect !== undefined && effect !== taint.effect) return false
  if (at(toleration, 'operator') === 'Exists') return key === undefined || key === taint.key
  return key === taint.key && (text(at(toleration, 'value')) ?? '') === taint.value
}

function aboutPod({ namespace, labels }: Pod): (term: Wishes['near'][number]) => boolean {
  return (term) => isAbout(term, namespace, labels)
}

function byNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const placed = new Map<string, Pod[]>()
  for (const pod of pods) {
    if (pod.node === undefined || hasEnded(pod)) continue
    const there = placed.get(pod.node)
    if (there === undefined) placed.set(pod.node, [pod])
    else there.push(pod)
  }
  return placed
}

/** `2 node(s) were unschedulable, 1 node(s) were not ready`. */
function summary(reasons: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, times]) => `${times} ${reason}`)
    .sort()
    .join(', ')
}
