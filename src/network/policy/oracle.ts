/**
 * The oracle: what policies say about a connection, as a plain function that reads like the specification. It shares no
 * thought with the compiler but what a selector means: tests hold the one against the other. Whoever explains verdicts asks
 * it, and so does the plan about services that kube-proxy leads out.
 *
 * Semantics: networking.k8s.io/v1 NetworkPolicy; policy.networking.k8s.io's tiers; OpenShift SDN's EgressNetworkPolicy;
 * Calico's tier `default`.
 * @module
 */
import { gatewayOf } from '../../ipam/pool.ts'
import { contains, type Ip } from '../model/address.ts'
import type { Pod } from '../model/pod.ts'
import {
  comparePolicies,
  type Direction,
  type Policy,
  type PolicyProblem,
  type PolicyRef,
  type Tier,
} from '../model/policy.ts'
import { type Question, type RuleMatch, ruleMatch } from './oracle-rule.ts'
import { matchesPodSet } from './selector.ts'
import type { Connection, Decision, Party, PolicyWorld, Verdict } from './verdict.ts'

/** What becomes of a connection: it must be allowed at both of its ends. */
export function judge(world: PolicyWorld, connection: Connection): Verdict {
  const egress = judgeEgress(world, connection)
  const ingress = judgeIngress(world, connection)
  return { allowed: egress.allowed && ingress.allowed, egress, ingress }
}

/** Who uses an address. What a pod on its node's own network says, the node says. */
export function partyOf({ nodes, pods }: Pick<PolicyWorld, 'nodes' | 'pods'>, address: Ip): Party {
  for (const { node, addresses, ranges } of nodes) {
    if ([...addresses, ...ranges.map(gatewayOf)].includes(address)) return { type: 'node', node, address }
  }
  for (const pod of pods) if (pod.addresses.includes(address)) return { type: 'pod', pod, address }
  return { type: 'outside', address }
}

function judgeEgress(world: PolicyWorld, connection: Connection): Decision {
  const { source, destination } = connection
  if (source.type !== 'pod') return { allowed: true, because: 'not-a-pod' }
  if (isItself(connection)) return { allowed: true, because: 'itself' }
  const decision = judgeTiers(world, source.pod, { world, connection, direction: 'egress' })
  if (!decision.allowed || world.podNetworks.some((network) => contains(network, destination.address))) return decision
  const firewall = judgeFirewall(world, source.pod, { world, connection, direction: 'egress' })
  return firewall.allowed && decision.because !== 'no-policy' ? decision : firewall
}

function judgeIngress(world: PolicyWorld, connection: Connection): Decision {
  const { source, destination } = connection
  if (destination.type !== 'pod') return { allowed: true, because: 'not-a-pod' }
  if (isItself(connection)) return { allowed: true, because: 'itself' }
  if (source.type === 'node' && source.node === destination.pod.node) return { allowed: true, because: 'own-node' }
  return judgeTiers(world, destination.pod, { world, connection, direction: 'ingress' })
}

function isItself({ source, destination }: Connection): boolean {
  if (source.type !== 'pod' || destination.type !== 'pod') return false
  return source.pod.namespace === destination.pod.namespace && source.pod.name === destination.pod.name
}

/**
 * The admin tier, then the namespace's if it isolates the pod. Else, and where a rule of that passes it on, the baseline;
 * what none decides is allowed.
 */
function judgeTiers(world: PolicyWorld, pod: Pod, question: Question): Decision {
  const admin = firstMatch(policiesFor(world, pod, 'admin', question.direction), question)
  if (admin !== undefined && admin.action !== 'pass') return byRule(admin)
  const isolating = policiesFor(world, pod, 'namespace', question.direction)
  if (isolating.length > 0) {
    const decision = judgeNamespace(isolating, question)
    if (decision !== 'pass') return decision
  }
  const baseline = firstMatch(policiesFor(world, pod, 'baseline', question.direction), question)
  if (baseline !== undefined && baseline.action !== 'pass') return byRule(baseline)
  return { allowed: true, because: 'no-policy' }
}

/** The first rule that matches decides. Those of NetworkPolicies only allow: their order counts for nothing. */
function judgeNamespace(isolating: readonly Policy[], question: Question): Decision | 'pass' {
  const match = firstMatch(isolating, question)
  if (match === undefined) return { allowed: false, because: 'isolated', by: isolating.map(refOf) }
  return match.action === 'pass' ? 'pass' : byRule(match)
}

/** Beside the tiers, for what leaves the cluster. Which of several policies counts, nobody can say: none allows. */
function judgeFirewall(world: PolicyWorld, pod: Pod, question: Question): Decision {
  const policies = policiesFor(world, pod, 'firewall', question.direction)
  if (policies.length > 1) return closed(policies, SEVERAL)
  const match = firstMatch(policies, question)
  if (match === undefined) return { allowed: true, because: 'no-policy' }
  const { unresolved } = match
  if (unresolved === undefined) return byRule(match)
  return closed(policies, {
    field: `spec.egress[${match.rule.index}].to.dnsName`,
    reason: `${unresolved} could not be resolved, so any address may be its`,
  })
}

const SEVERAL: PolicyProblem = {
  field: 'metadata.namespace',
  reason: 'the namespace has more than one egress firewall, and which of them counts is not said',
}

function closed(policies: readonly Policy[], problem: PolicyProblem): Decision {
  return { allowed: false, because: 'firewall', by: policies.map(refOf), problem }
}

/** The policies of a tier that the pod is subject to in this direction, those that count first in front. */
function policiesFor(world: PolicyWorld, pod: Pod, tier: Tier, direction: Direction): readonly Policy[] {
  const labels = [...world.namespaces].find(({ name }) => name === pod.namespace)?.labels
  return [...world.policies]
    .filter((policy) => policy.tier === tier && policy[direction] !== undefined)
    .filter(({ subject }) => matchesPodSet(subject, pod, labels))
    .sort(comparePolicies)
}

function firstMatch(policies: readonly Policy[], question: Question): RuleMatch | undefined {
  return matches(policies, question)[0]
}

function matches(policies: readonly Policy[], question: Question): readonly RuleMatch[] {
  return policies.flatMap((policy) =>
    (policy[question.direction] ?? []).flatMap((rule, index) => ruleMatch(policy, rule, index, question) ?? []),
  )
}

function byRule({ action, rule }: RuleMatch): Decision {
  return { allowed: action === 'allow', because: 'rule', rule }
}

function refOf({ kind, namespace, name }: Policy): PolicyRef {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}
