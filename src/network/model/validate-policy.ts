/**
 * What a policy must be. The bounds are above what an object of the Kubernetes API holds in practice; whoever translates
 * one that exceeds them says what fails closed instead.
 * @module
 */
import { type Cidr, contains, firstIp, prefixLength } from './address.ts'
import { type At, below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { checked, integer, list, literal, network, optional, record, text, variant } from './decoders.ts'
import { selector } from './labels.ts'
import { isDomain, namespaceName, objectName, uid } from './names.ts'
import {
  type AddressRange,
  type Namespaces,
  type Peer,
  POLICY_KINDS,
  type PodSet,
  type Policy,
  type PolicyKind,
  type PolicyProblem,
  type PolicyRule,
  type PortMatch,
  type PortSpan,
  type Tier,
} from './policy.ts'
import { condition } from './validate-condition.ts'

/** The most rules of a direction, peers of a rule, ports of a rule, and exceptions of a range. */
export const MAX_RULES = 10_000
export const MAX_PEERS = 10_000
export const MAX_PORTS = 10_000
export const MAX_EXCEPTIONS = 10_000
/** The most problems that are told of one policy, and the length of a text in them. */
export const MAX_POLICY_PROBLEMS = 100
export const MAX_PROBLEM_TEXT = 512
/** Of a rule's name, which only people read. */
export const MAX_RULE_NAME = 256

const namespaces: Decode<Namespaces> = (input, at) =>
  typeof input === 'object' && input !== null && Object.hasOwn(input, 'name')
    ? record<{ readonly name: string }>({ name: namespaceName })(input, at)
    : record<Extract<Namespaces, { readonly labels: unknown }>>({ labels: selector })(input, at)

const podSet: Decode<PodSet> = record<PodSet>({ namespaces, pods: selector, where: optional(condition) })

/** A DNS name, perhaps with `*.` for everything below it. */
const dnsName: Decode<string> = (input, at) =>
  typeof input === 'string' && isDomain(input.startsWith('*.') ? input.slice(2) : input)
    ? input
    : reject(
        at,
        `${shown(input)} is no DNS name`,
        'give a name such as www.example.org or *.example.org, in lower case',
      )

const range: Decode<Extract<Peer, { type: 'range' }>> = checked(
  record({ type: literal('range'), range: network, except: list(network, MAX_EXCEPTIONS) }),
  checkExceptions,
)

const addressRange: Decode<AddressRange> = checked(
  record<AddressRange>({ range: network, except: list(network, MAX_EXCEPTIONS) }),
  checkExceptions,
)

const addressRanges = list(addressRange, MAX_PEERS)

const peer: Decode<Peer> = variant<Peer>('type', [
  [
    'pods',
    record<Extract<Peer, { type: 'pods' }>>({
      type: literal('pods'),
      namespaces,
      pods: selector,
      where: optional(condition),
      within: optional(addressRanges),
    }),
  ],
  [
    'sets',
    record<Extract<Peer, { type: 'sets' }>>({
      type: literal('sets'),
      where: condition,
      within: optional(addressRanges),
    }),
  ],
  ['range', range],
  ['name', record<Extract<Peer, { type: 'name' }>>({ type: literal('name'), name: dnsName })],
])

const protocol = literal('TCP', 'UDP', 'SCTP')
const portNumber = integer(0, 65_535)
const byte = integer(0, 255)

const port: Decode<PortMatch> = variant<PortMatch>('type', [
  ['protocol', record<Extract<PortMatch, { type: 'protocol' }>>({ type: literal('protocol'), protocol })],
  [
    'numbers',
    checked(
      record<Extract<PortMatch, { type: 'numbers' }>>({
        type: literal('numbers'),
        protocol,
        from: portNumber,
        to: portNumber,
      }),
      ({ from, to }, at) => {
        if (from > to) reject(at, `ports from ${from} to ${to} are none`, 'give the lower one first')
      },
    ),
  ],
  [
    'named',
    record<Extract<PortMatch, { type: 'named' }>>({
      type: literal('named'),
      name: text(1, 63),
      protocol: optional(protocol),
    }),
  ],
  [
    'icmp',
    record<Extract<PortMatch, { type: 'icmp' }>>({
      type: literal('icmp'),
      family: literal(4, 6),
      icmpType: optional(byte),
      code: optional(byte),
    }),
  ],
  ['ip', record<Extract<PortMatch, { type: 'ip' }>>({ type: literal('ip'), number: byte })],
])

const portSpan: Decode<PortSpan> = checked(
  record<PortSpan>({ from: portNumber, to: portNumber }),
  ({ from, to }, at) => {
    if (from > to) reject(at, `ports from ${from} to ${to} are none`, 'give the lower one first')
  },
)

const rule: Decode<PolicyRule> = record<PolicyRule>({
  action: literal('allow', 'deny', 'pass'),
  name: optional(text(1, MAX_RULE_NAME)),
  peers: optional(list(peer, MAX_PEERS)),
  ports: optional(list(port, MAX_PORTS)),
  own: optional(addressRanges),
  sourcePorts: optional(list(portSpan, MAX_PORTS)),
  log: optional(literal(true)),
  peerFields: optional(list(text(1, MAX_PROBLEM_TEXT), MAX_PEERS)),
  portFields: optional(list(text(1, MAX_PROBLEM_TEXT), MAX_PORTS)),
})

const problem: Decode<PolicyProblem> = record<PolicyProblem>({
  field: text(1, MAX_PROBLEM_TEXT),
  reason: text(1, MAX_PROBLEM_TEXT),
})

/** What of an object nobody understands. */
export const policyProblems: Decode<readonly PolicyProblem[]> = list(problem, MAX_POLICY_PROBLEMS)

const finite: Decode<number> = (input, at) =>
  typeof input === 'number' && Number.isFinite(input) ? input : reject(at, `${shown(input)} is no number`, 'give one')

const policy: Decode<Policy> = checked(
  record<Policy>({
    kind: literal(...POLICY_KINDS),
    namespace: optional(namespaceName),
    name: objectName,
    uid: optional(uid),
    tier: literal('admin', 'namespace', 'baseline', 'firewall'),
    priority: integer(0, 1000),
    order: optional(finite),
    subject: podSet,
    ingress: optional(list(rule, MAX_RULES)),
    egress: optional(list(rule, MAX_RULES)),
    log: optional(literal(true)),
    problems: optional(policyProblems),
    isUnread: optional(literal(true)),
  }),
  checkTier,
)

/** The policy in this input, or what is wrong with it. */
export function decodePolicy(input: unknown): Decoded<Policy> {
  return decodeWith(policy, input)
}

/** What each kind's policies are. */
const TIERS: { readonly [K in PolicyKind]: { readonly tiers: readonly Tier[]; readonly namespaced: boolean } } = {
  NetworkPolicy: { tiers: ['namespace'], namespaced: true },
  AdminNetworkPolicy: { tiers: ['admin'], namespaced: false },
  BaselineAdminNetworkPolicy: { tiers: ['baseline'], namespaced: false },
  ClusterNetworkPolicy: { tiers: ['admin', 'baseline'], namespaced: false },
  EgressNetworkPolicy: { tiers: ['firewall'], namespaced: true },
  CalicoNetworkPolicy: { tiers: ['namespace'], namespaced: true },
  GlobalNetworkPolicy: { tiers: ['namespace'], namespaced: false },
}

/** A tier that a kind cannot have, or a rule that its tier cannot have, would be read by nobody as it was meant. */
function checkTier(policy: Policy, at: At): void {
  const { kind, namespace, tier, priority, subject, ingress } = policy
  const { tiers, namespaced } = TIERS[kind]
  if (!tiers.includes(tier)) reject(below(at, 'tier'), `${tier} is no tier of a ${kind}`, `give ${tiers.join(' or ')}`)
  if (namespaced !== (namespace !== undefined)) {
    reject(below(at, 'namespace'), `a ${kind} ${namespaced ? 'has' : 'has no'} namespace`, 'correct it')
  }
  if (namespaced && !('name' in subject.namespaces && subject.namespaces.name === namespace)) {
    reject(below(at, 'subject'), `a ${kind} speaks of pods of its own namespace`, 'name that namespace')
  }
  if (!isOrdered(tier) && priority !== 0) reject(below(at, 'priority'), `tier ${tier} has no priorities`, 'give 0')
  if (tier === 'firewall' && ingress !== undefined) {
    reject(below(at, 'ingress'), 'a firewall speaks of what leaves the cluster', 'leave ingress away')
  }
  checkRules(policy, at)
}

function isOrdered(tier: Tier): boolean {
  return tier === 'admin' || tier === 'baseline'
}

/** A rule that its kind or its tier cannot have. */
function checkRules({ kind, tier, order, subject, ingress, egress }: Policy, at: At): void {
  const rules = [...(ingress ?? []), ...(egress ?? [])]
  const isCalico = kind === 'CalicoNetworkPolicy' || kind === 'GlobalNetworkPolicy'
  if (order !== undefined && !isCalico) reject(below(at, 'order'), `a ${kind} has no order`, 'leave it away')
  if (!isCalico && (subject.where !== undefined || rules.some(isCalicos))) {
    reject(at, `a ${kind} has no words for what it says`, 'leave it to policies of Calico')
  }
  if (isOrdered(tier) || isCalico) {
    // Who is behind a name changes: what is denied by name would be let through while nobody knows.
    const byName = rules.find(
      ({ action, peers = [] }) => action !== 'allow' && peers.some(({ type }) => type === 'name'),
    )
    if (byName !== undefined) reject(at, `a rule to ${byName.action} speaks of a DNS name`, 'only rules to allow can')
    return
  }
  const allowed = tier === 'namespace' ? ['allow'] : ['allow', 'deny']
  const refused = rules.find(({ action }) => !allowed.includes(action))
  if (refused !== undefined) reject(at, `tier ${tier} has no rule to ${refused.action}`, `give ${allowed.join(' or ')}`)
}

/** Whether only Calico's policies can say it: nobody else's are written with it. */
function isCalicos({ own, sourcePorts, log, peers = [], ports = [] }: PolicyRule): boolean {
  if (own !== undefined || sourcePorts !== undefined || log !== undefined) return true
  if (
    ports.some((port) => port.type === 'icmp' || port.type === 'ip' || (port.type === 'numbers' && port.from === 0))
  ) {
    return true
  }
  return peers.some(
    (peer) => peer.type === 'sets' || (peer.type === 'pods' && (peer.where !== undefined || peer.within !== undefined)),
  )
}

function checkExceptions({ range, except }: AddressRange, at: At): void {
  for (const [index, one] of except.entries()) {
    if (!isWithin(range, one)) {
      reject(below(below(at, 'except'), index), `${one} is not inside ${range}`, 'give a part of the range')
    }
  }
}

function isWithin(range: Cidr, part: Cidr): boolean {
  return contains(range, firstIp(part)) && prefixLength(part) >= prefixLength(range)
}
