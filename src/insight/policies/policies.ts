/**
 * Every policy: whom it selects, what its rules did, and whether it is in force.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { isWhole, type NetworkSet, networkSetKey } from '../../network/model/network-set.ts'
import {
  comparePolicies,
  DIRECTIONS,
  type Direction,
  POLICY_KINDS,
  type Policy,
  type PolicyAction,
  type PolicyProblem,
  type PolicyRef,
  policyKey,
  type Tier,
} from '../../network/model/policy.ts'
import { hashKey, parseCookie } from '../../network/pipeline/cookie.ts'
import { isolationKey, ruleKey } from '../../network/policy/rule-names.ts'
import { matchesPodSet, matchesSet } from '../../network/policy/selector.ts'
import { fieldOf } from '../explain/field-of.ts'
import { type ClusterView, type RegistryView, registryOf } from '../view.ts'

/** A policy as it is in force. */
export interface PolicyLook extends PolicyRef {
  readonly tier: Tier
  readonly priority: number
  /** Of Calico's policies: the lowest counts first. Absent: after all that have one. */
  readonly order?: number
  /** Pods that it selects. */
  readonly pods: number
  readonly rules: readonly RuleLook[]
  /** Directions in which its pods may only do what rules allow. */
  readonly isolates: readonly Direction[]
  readonly state: PolicyState
  /** What nobody understands or can do, and fails closed. */
  readonly problems: readonly PolicyProblem[]
  /** Nodes with such pods whose flows do not have it yet. */
  readonly missing: readonly string[]
  /** Of a policy with a selector that cannot be read: who goes on with what it said before, and where nobody knows that. */
  readonly unread?: { readonly kept: readonly string[]; readonly closed: readonly string[] }
}

/** One rule. */
export interface RuleLook {
  readonly direction: Direction
  readonly index: number
  readonly action: PolicyAction
  readonly name?: string
  /** Packets of the nodes that answered, since their flows were installed. */
  readonly packets: bigint
}

/** `problems`: in force, and closed where it is not understood. `pending`: some node does not have it yet. */
export type PolicyState = 'applied' | 'unused' | 'pending' | 'problems'

/** All policies. */
export interface PolicyLooks {
  readonly policies: readonly PolicyLook[]
  /** Objects that are there and cannot be read at all, a sentence each. */
  readonly unreadable: readonly string[]
}

const ORDER: readonly Tier[] = ['admin', 'namespace', 'baseline', 'firewall']

/** Every policy, those that count first in front. Throws `INSIGHT_REGISTRY_UNREACHABLE`. */
export function lookAtPolicies(view: ClusterView): PolicyLooks {
  const registry = registryOf(view)
  const nodes = view.nodes.map(nodeLook)
  const ordered = [...registry.policies].sort(
    (a, b) => ORDER.indexOf(a.tier) - ORDER.indexOf(b.tier) || comparePolicies(a, b),
  )
  const isPolicy = (line: string): boolean => POLICY_KINDS.some((kind) => line.startsWith(`${kind} `))
  return {
    policies: ordered.map((policy) => policyLook(policy, registry, nodes)),
    unreadable: (registry.unreadable ?? []).filter(isPolicy),
  }
}

interface NodeLook {
  readonly node: string
  readonly attached: ReadonlySet<string>
  /** DNS names that it resolved. */
  readonly names: ReadonlySet<string>
  /** Packets by the hash of a fragment's key. */
  readonly counts: ReadonlyMap<bigint, bigint>
  readonly keys: ReadonlySet<string>
  /** Policies as they were, by key: what they say now cannot be read. */
  readonly kept: ReadonlyMap<string, Policy>
}

function nodeLook(facts: NodeFacts): NodeLook {
  const { status, installed, fragments, leases, names, wires, underlay, keptPolicies = [] } = facts
  const counts = new Map<bigint, bigint>()
  // Bridges of ours on the physical network have the same rules, and decide by them, too.
  for (const { flow, packets } of [...installed, ...wires.flatMap((wire) => wire.installed)]) {
    const hash = parseCookie(flow.cookie)?.hash
    if (hash !== undefined) counts.set(hash, (counts.get(hash) ?? 0n) + packets)
  }
  return {
    node: status.node,
    attached: new Set([
      ...leases.map(({ endpoint }) => `${endpoint.namespace}/${endpoint.pod}`),
      ...underlay.filter(({ guard }) => guard !== 'others').map(({ namespace, pod }) => `${namespace}/${pod}`),
    ]),
    names: new Set(names.map(([name]) => name)),
    counts,
    keys: new Set(fragments.map(({ key }) => key)),
    kept: new Map(keptPolicies.map((policy) => [policyKey(policy), policy])),
  }
}

function policyLook(written: Policy, registry: RegistryView, nodes: readonly NodeLook[]): PolicyLook {
  const { pods, policies, namespaces } = registry
  const key = policyKey(written)
  const keepers = written.isUnread === true ? nodes.filter(({ kept }) => kept.has(key)) : []
  // Where somebody goes on with what it said before, that is what there is to see of it.
  const policy = keepers[0]?.kept.get(key) ?? written
  const labels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]))
  const selected = pods.filter((pod) => matchesPodSet(policy.subject, pod, labels.get(pod.namespace)))
  const missing = nodes
    .filter(({ attached, node }) =>
      selected.some((pod) => pod.node === node && attached.has(`${pod.namespace}/${pod.name}`)),
    )
    .filter((node) => !has(node, keepers.includes(node) ? policy : written))
    .map(({ node }) => node)
  const homes = nodes.filter(({ node }) => selected.some((pod) => pod.node === node))
  const problems = [
    ...(written.problems ?? []),
    ...rivals(policy, policies),
    ...unresolved(policy, homes),
    ...unreadSets(policy, registry),
  ]
  const { kind, namespace, name, tier, priority, order } = policy
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    tier,
    priority,
    ...(order === undefined ? {} : { order }),
    pods: selected.length,
    rules: DIRECTIONS.flatMap((direction) => rulesOf(policy, direction, nodes)),
    isolates: tier === 'namespace' ? DIRECTIONS.filter((direction) => policy[direction] !== undefined) : [],
    state: stateOf(problems, missing, selected.length),
    problems,
    missing,
    ...(written.isUnread === true
      ? {
          unread: {
            kept: keepers.map(({ node }) => node),
            closed: nodes.filter((one) => !keepers.includes(one)).map(({ node }) => node),
          },
        }
      : {}),
  }
}

function rulesOf(policy: Policy, direction: Direction, nodes: readonly NodeLook[]): readonly RuleLook[] {
  return (policy[direction] ?? []).map(({ action, name }, index) => {
    const hash = hashKey(ruleKey(policyKey(policy), direction, index))
    const packets = nodes.reduce((sum, { counts }) => sum + (counts.get(hash) ?? 0n), 0n)
    return { direction, index, action, ...(name === undefined ? {} : { name }), packets }
  })
}

/** Whether a node with such pods has a policy, as far as that can be told. */
function has({ keys }: NodeLook, policy: Policy): boolean {
  // Of pods that a NetworkPolicy isolates the baseline says nothing: then no flow of theirs has it.
  if (policy.tier === 'baseline') return true
  return DIRECTIONS.flatMap((direction) => keysOf(policy, direction)).every((key) => keys.has(key))
}

function keysOf(policy: Policy, direction: Direction): readonly string[] {
  const rules = policy[direction]
  if (rules === undefined) return []
  const key = policyKey(policy)
  const isolation = policy.tier === 'namespace' ? [isolationKey(key, direction)] : []
  return [...isolation, ...rules.map((_, index) => ruleKey(key, direction, index))]
}

/** Which of several egress firewalls of a namespace counts is not said: nothing may leave. */
function rivals(policy: Policy, all: readonly Policy[]): readonly PolicyProblem[] {
  const { tier, namespace, name } = policy
  if (tier !== 'firewall') return []
  const others = all.filter((one) => one.tier === tier && one.namespace === namespace && one.name !== name)
  if (others.length === 0) return []
  const reason = `namespace ${namespace} has more than one egress firewall: nothing of it may leave the cluster`
  return [{ field: 'metadata.namespace', reason }]
}

/** DNS names that a node with such pods has no address for: an allow is for nobody then, a deny for everybody. */
function unresolved(policy: Policy, homes: readonly NodeLook[]): readonly PolicyProblem[] {
  return (policy.egress ?? []).flatMap(({ peers = [] }, index) =>
    peers.flatMap((peer, at) => {
      if (peer.type !== 'name') return []
      const without = homes.filter(({ names }) => !names.has(peer.name)).map(({ node }) => node)
      if (without.length === 0) return []
      const field = fieldOf(policy, { direction: 'egress', index, peer: at })
      return [{ field, reason: `${peer.name} has no address on ${without.join(', ')}` }]
    }),
  )
}

/** Network sets that rules select and of which something cannot be read. */
function unreadSets(policy: Policy, { sets = [], namespaces }: RegistryView): readonly PolicyProblem[] {
  const unread = sets.filter((set) => !isWhole(set))
  if (unread.length === 0) return []
  const labels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]))
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap(({ action, peers = [] }, index) =>
      peers.flatMap((peer, at) => {
        if (peer.type !== 'sets') return []
        const field = fieldOf(policy, { direction, index, peer: at })
        const selected = unread.filter((set) => matchesSet(peer.where, set, labels.get(set.namespace ?? '')))
        return selected.map((set) => ({ field, reason: unreadWords(set, action) }))
      }),
    ),
  )
}

function unreadWords(set: NetworkSet, action: PolicyAction): string {
  const [{ field, reason } = { field: '', reason: '' }] = set.problems ?? []
  const then = action === 'allow' ? 'that is left out' : 'it denies everybody'
  return `${networkSetKey(set)}: ${field}: ${reason}; where an agent does not know what the set last held, ${then}`
}

function stateOf(problems: readonly PolicyProblem[], missing: readonly string[], pods: number): PolicyState {
  if (problems.length > 0) return 'problems'
  if (missing.length > 0) return 'pending'
  return pods === 0 ? 'unused' : 'applied'
}
