/**
 * What the table measures: every pair, and what should come out of it. Pure.
 * @module
 */
import { localRange } from '../network/context.ts'
import { contains, type Family, familyOf, type Ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Pod } from '../network/model/pod.ts'
import { addressOf, podKey, shouldReach, type World } from './expect.ts'

/** The kinds of pairs. */
export type CheckKind = 'pod-pod' | 'node-pod' | 'remote-pod' | 'pod-node' | 'pod-outside'

/** One pair to be measured in both families by ping and TCP, and what should come out. */
export interface Check {
  readonly kind: CheckKind
  readonly from: string
  readonly to: string
  /** The network namespace that packets start from of this pod or node. */
  readonly place: Place
  readonly targets: readonly Ip[]
  readonly expected: boolean
  /** The name that the answering server gives. */
  readonly answers: string
  /** The addresses that the server should see, one per family: a pod's own inside the cluster, its node's outside. */
  readonly seenAs: readonly Ip[]
}

/** Where packets start from. */
export type Place = { readonly type: 'pod'; readonly key: string } | { readonly type: 'node'; readonly name: string }

/** The model, its nodes and the host outside. */
export interface Surroundings extends World {
  readonly nodes: readonly NodeNetwork[]
  readonly outside: readonly Ip[]
}

/** What came of one probe. */
export interface ProbeResult {
  readonly family: Family
  readonly protocol: 'ping' | 'tcp'
  readonly reached: boolean
  /** What the TCP server said: its name and the address it sees. */
  readonly server?: string
  readonly client?: string
}

/** A check with what came of it; `problems` is empty when everything is as it should be. */
export interface Verdict {
  readonly check: Check
  readonly probes: readonly ProbeResult[]
  readonly problems: readonly string[]
}

/** Everything to be measured: among pods of the overlay. */
export function planChecks(around: Surroundings): readonly Check[] {
  const pods = around.pods.filter((pod) => isOnOverlay(around, pod))
  return [
    ...pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => podToPod(around, from, to))),
    ...pods.flatMap((pod) => rowsOf(around, pod)),
  ]
}

/** Pods that no check is about: tenants say nothing of who reaches whom on another network than the overlay. */
export function unmeasuredPods(around: Surroundings): readonly Pod[] {
  return around.pods.filter((pod) => !isOnOverlay(around, pod))
}

function isOnOverlay({ cluster }: World, { addresses }: Pod): boolean {
  const isOurs = (address: Ip): boolean =>
    cluster.networks.some(({ cidr }) => familyOf(cidr) === familyOf(address) && contains(cidr, address))
  return addresses.every(isOurs)
}

/** What a check's probes say about it. */
export function judge(check: Check, probes: readonly ProbeResult[]): Verdict {
  return { check, probes, problems: probes.flatMap((probe) => problemsOf(check, probe)) }
}

function podToPod(around: Surroundings, from: Pod, to: Pod): Check {
  return {
    kind: 'pod-pod',
    from: podKey(from),
    to: podKey(to),
    place: { type: 'pod', key: podKey(from) },
    targets: to.addresses,
    expected: shouldReach(around, from.namespace, to.namespace),
    answers: podKey(to),
    seenAs: from.addresses,
  }
}

function rowsOf(around: Surroundings, pod: Pod): readonly Check[] {
  const own = around.nodes.find(({ node }) => node === pod.node)
  // The next node in line, so that every node takes its turn.
  const other = around.nodes[(around.nodes.findIndex(({ node }) => node === pod.node) + 1) % around.nodes.length]
  if (own === undefined) return []
  return [
    nodeToPod('node-pod', own, pod),
    ...(other === undefined || other === own ? [] : [nodeToPod('remote-pod', other, pod)]),
    fromPod('pod-node', pod, { to: own.node, targets: own.addresses, seenAs: pod.addresses }),
    fromPod('pod-outside', pod, { to: 'outside', targets: around.outside, seenAs: own.addresses }),
  ]
}

function nodeToPod(kind: CheckKind, node: NodeNetwork, pod: Pod): Check {
  return {
    kind,
    from: node.node,
    to: podKey(pod),
    place: { type: 'node', name: node.node },
    targets: pod.addresses,
    expected: true,
    answers: podKey(pod),
    seenAs: node.ranges.map((range) => localRange(range).gateway),
  }
}

function fromPod(kind: CheckKind, pod: Pod, rest: Pick<Check, 'to' | 'targets' | 'seenAs'>): Check {
  const place: Place = { type: 'pod', key: podKey(pod) }
  return { kind, from: podKey(pod), place, expected: true, answers: rest.to, ...rest }
}

function problemsOf(check: Check, { family, protocol, reached, server, client }: ProbeResult): readonly string[] {
  const what = `${check.from} → ${check.to} ${protocol} IPv${family}`
  if (reached !== check.expected) {
    return [`${what}: ${reached ? 'answered, although it must not' : 'no answer, although there should be one'}`]
  }
  if (!reached || protocol === 'ping') return []
  if (server !== check.answers) return [`${what}: ${server ?? 'somebody'} answered instead of ${check.answers}`]
  const expectedClient = addressOf(check.seenAs, family)
  if (client !== expectedClient)
    return [`${what}: seen as ${client ?? 'nobody'} instead of ${expectedClient ?? 'nobody'}`]
  return []
}

/** The families in which a check has a target. */
export function familiesOf({ targets }: Check): readonly Family[] {
  return [...new Set(targets.map(familyOf))]
}
