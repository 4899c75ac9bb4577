/**
 * Compilers that are broken on purpose. Each of them must be caught by the cases: a table that catches none of them proves
 * nothing. They are planners that mishear what they are told, or flows that are changed before the switch has them.
 * @module
 */
import type { Action, Flow, Match } from '../../src/flow/flow.ts'
import type { NodeContext } from '../../src/network/context.ts'
import type { SwitchTables } from '../../src/network/fragments/fragment.ts'
import type { Ip } from '../../src/network/model/address.ts'
import type { Namespace, Pod } from '../../src/network/model/pod.ts'
import type { Peer, Policy, PolicyAction, PolicyRule, PortMatch, Requirement } from '../../src/network/model/policy.ts'
import { parseCookie } from '../../src/network/pipeline/cookie.ts'
import { type DropName, dropByCode } from '../../src/network/pipeline/drops.ts'
import { STAGES, type StageName } from '../../src/network/pipeline/stages.ts'
import { type FragmentChange, NodePlanner } from '../../src/network/planner.ts'

/** One way to be broken. */
export interface Mutation {
  readonly name: string
  readonly policy?: (policy: Policy) => Policy
  readonly pod?: (pod: Pod, before: Pod | undefined) => Pod
  readonly namespace?: (namespace: Namespace, before: Namespace | undefined) => Namespace
  readonly flow?: (flow: Flow) => Flow | undefined
  readonly forgetsRemovals?: true
  readonly knowsNoNames?: true
}

const POLICY_STAGES: readonly StageName[] = ['egressAdmin', 'egress', 'firewallRules', 'ingressAdmin', 'ingress']

export const MUTATIONS: readonly Mutation[] = [
  {
    name: '`except` is ignored',
    policy: peers((peer) => (peer.type === 'range' ? [{ ...peer, except: [] }] : [peer])),
  },
  {
    name: '`endPort` is ignored',
    policy: ports((port) => (port.type === 'numbers' ? { ...port, to: port.from } : port)),
  },
  { name: 'namespaceSelector or podSelector, instead of both', policy: peers(eitherSelector) },
  { name: 'the protocol of a port is always TCP', policy: ports((port) => ({ ...port, protocol: 'TCP' })) },
  {
    name: 'a named port has the number that another pod gives it',
    pod: (pod) => ({ ...pod, namedPorts: shifted(pod) }),
  },
  { name: 'NotIn does not hold where the label is absent', policy: selectors(demandingLabel) },
  { name: 'no peers: nobody, instead of everybody', policy: rules((rule) => ({ peers: [], ...rule })) },
  { name: 'an empty list of peers: everybody, instead of nobody', policy: rules(withoutEmptyPeers) },
  { name: 'no rules: not isolated', policy: withoutEmptyDirections },
  { name: 'deny and pass are confused', policy: actions({ deny: 'pass', pass: 'deny' }) },
  { name: 'pass allows', policy: actions({ pass: 'allow' }) },
  { name: 'the highest priority number counts first', policy: (policy) => reprioritized(policy) },
  { name: 'the last rule that matches counts, instead of the first', policy: reversedRules },
  { name: 'the baseline counts before namespaces’ policies', policy: baselineAsAdmin },
  { name: 'a removed policy stays', forgetsRemovals: true },
  { name: 'a pod keeps its first labels', pod: (pod, before) => ({ ...pod, ...pick(before ?? pod, 'labels') }) },
  {
    name: 'a namespace keeps its first labels',
    namespace: (namespace, before) => ({ ...namespace, ...pick(before ?? namespace, 'labels') }),
  },
  { name: 'DNS names stand for nothing', knowsNoNames: true },
  { name: 'IPv6 is left out', flow: inStages((flow) => (flow.match.eth_type === 0x86dd ? undefined : flow)) },
  { name: 'isolation of receivers is left out', flow: withoutDrops('ingress-isolated') },
  { name: 'isolation of senders is left out', flow: withoutDrops('egress-isolated') },
  { name: 'one conjunction is off by one', flow: inStages(conjunctionOff) },
  { name: 'allowed connections are not marked', flow: withoutMark },
  { name: 'a connection keeps its mark when it is no longer allowed', flow: inStages(withoutRevocation) },
  { name: 'a node may not probe its own pods', flow: withoutProbes },
]

/** A planner that is broken in one way. */
export class BrokenPlanner extends NodePlanner {
  readonly #mutation: Mutation
  readonly #pods = new Map<string, Pod>()
  readonly #namespaces = new Map<string, Namespace>()

  constructor(context: NodeContext, mutation: Mutation) {
    super(context)
    this.#mutation = mutation
  }

  override putPolicy(policy: Policy): void {
    super.putPolicy(this.#mutation.policy?.(policy) ?? policy)
  }

  override removePolicy(key: string): void {
    if (this.#mutation.forgetsRemovals !== true) super.removePolicy(key)
  }

  override putPod(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`
    const first = this.#pods.get(key)
    if (first === undefined) this.#pods.set(key, pod)
    super.putPod(this.#mutation.pod?.(pod, first) ?? pod)
  }

  override putNamespace(namespace: Namespace): void {
    const first = this.#namespaces.get(namespace.name)
    if (first === undefined) this.#namespaces.set(namespace.name, namespace)
    super.putNamespace(this.#mutation.namespace?.(namespace, first) ?? namespace)
  }

  override putName(name: string, addresses: readonly Ip[] | undefined): void {
    if (this.#mutation.knowsNoNames !== true) super.putName(name, addresses)
  }

  override flows(): Flow[] {
    return this.#broken(super.flows())
  }

  override take(): FragmentChange[] {
    const tables = ({ flows, groups }: SwitchTables): SwitchTables => ({ flows: this.#broken(flows), groups })
    return super.take().map(({ key, before, after }) => ({ key, before: tables(before), after: tables(after) }))
  }

  #broken(flows: readonly Flow[]): Flow[] {
    const { flow } = this.#mutation
    return flow === undefined ? [...flows] : flows.flatMap((one) => flow(one) ?? [])
  }
}

function rules(change: (rule: PolicyRule) => PolicyRule): (policy: Policy) => Policy {
  return (policy) => ({
    ...policy,
    ...(policy.ingress === undefined ? {} : { ingress: policy.ingress.map(change) }),
    ...(policy.egress === undefined ? {} : { egress: policy.egress.map(change) }),
  })
}

function peers(change: (peer: Peer) => readonly Peer[]): (policy: Policy) => Policy {
  return rules((rule) => (rule.peers === undefined ? rule : { ...rule, peers: rule.peers.flatMap(change) }))
}

function ports(change: (port: PortMatch) => PortMatch): (policy: Policy) => Policy {
  return rules((rule) => (rule.ports === undefined ? rule : { ...rule, ports: rule.ports.map(change) }))
}

function actions(change: Partial<Record<PolicyAction, PolicyAction>>): (policy: Policy) => Policy {
  return rules((rule) => ({ ...rule, action: change[rule.action] ?? rule.action }))
}

function selectors(change: (requirement: Requirement) => readonly Requirement[]): (policy: Policy) => Policy {
  const changed = peers((peer) => (peer.type === 'pods' ? [{ ...peer, pods: peer.pods.flatMap(change) }] : [peer]))
  return (policy) => {
    const { subject } = policy
    return changed({ ...policy, subject: { ...subject, pods: subject.pods.flatMap(change) } })
  }
}

function eitherSelector(peer: Peer): readonly Peer[] {
  if (peer.type !== 'pods' || peer.pods.length === 0) return [peer]
  return [
    { ...peer, pods: [] },
    { ...peer, namespaces: { labels: [] } },
  ]
}

function demandingLabel(one: Requirement): readonly Requirement[] {
  return one.operator === 'NotIn' ? [one, { key: one.key, operator: 'Exists', values: [] }] : [one]
}

function shifted({ namedPorts = [] }: Pod): NonNullable<Pod['namedPorts']> {
  return namedPorts.map((named) => ({ ...named, port: named.port + 1 }))
}

function withoutEmptyPeers({ peers: all, ...rest }: PolicyRule): PolicyRule {
  return all === undefined || all.length === 0 ? rest : { ...rest, peers: all }
}

function withoutEmptyDirections({ ingress, egress, ...rest }: Policy): Policy {
  return {
    ...rest,
    ...(ingress === undefined || ingress.length === 0 ? {} : { ingress }),
    ...(egress === undefined || egress.length === 0 ? {} : { egress }),
  }
}

function reprioritized(policy: Policy): Policy {
  return policy.tier === 'admin' ? { ...policy, priority: 1000 - policy.priority } : policy
}

function reversedRules({ ingress, egress, ...rest }: Policy): Policy {
  return {
    ...rest,
    ...(ingress === undefined ? {} : { ingress: ingress.toReversed() }),
    ...(egress === undefined ? {} : { egress: egress.toReversed() }),
  }
}

function baselineAsAdmin(policy: Policy): Policy {
  return policy.tier === 'baseline' ? { ...policy, tier: 'admin', priority: 1000 } : policy
}

function pick<T, K extends keyof T>(from: T, key: K): Partial<Pick<T, K>> {
  return from[key] === undefined ? {} : ({ [key]: from[key] } as unknown as Pick<T, K>)
}

function inStages(change: (flow: Flow) => Flow | undefined): (flow: Flow) => Flow | undefined {
  const tables = new Set<number>(POLICY_STAGES.map((stage) => STAGES[stage].table))
  return (flow) => (tables.has(flow.table) ? change(flow) : flow)
}

function withoutDrops(name: DropName): (flow: Flow) => Flow | undefined {
  return (flow) => (dropByCode(parseCookie(flow.cookie)?.dropCode ?? 0) === name ? undefined : flow)
}

/** Who is in a set of peers is asked for by another number than the one its addresses give. */
function conjunctionOff(flow: Flow): Flow {
  const { conj_id: id } = flow.match
  if (typeof id !== 'number') return flow
  const match: Match = { ...flow.match, conj_id: id + 1 }
  return { ...flow, match }
}

function withoutMark(flow: Flow): Flow {
  if (flow.table !== STAGES.commit.table) return flow
  return { ...flow, actions: flow.actions.map((action) => (action.op === 'ct' ? unmarked(action) : action)) }
}

function unmarked({ exec: _, ...action }: Extract<Action, { readonly op: 'ct' }>): Action {
  return action
}

function withoutRevocation(flow: Flow): Flow {
  return flow.actions.some(({ op }) => op === 'ct') ? { ...flow, actions: [] } : flow
}

function withoutProbes(flow: Flow): Flow | undefined {
  return flow.table === STAGES.receiver.table && flow.priority === 200 ? undefined : flow
}
