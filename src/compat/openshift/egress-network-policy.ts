/**
 * EgressNetworkPolicy of OpenShift SDN: where all pods of a namespace may connect to outside the cluster. The first rule
 * that matches counts; what none matches is allowed. A rule that is not understood allows nothing, or denies everything.
 * @module
 */
import { type Cidr, cidr, familyOf } from '../../network/model/address.ts'
import { shown } from '../../network/model/decode.ts'
import type { Peer, Policy, PolicyRule } from '../../network/model/policy.ts'
import { MAX_RULES } from '../../network/model/validate-policy.ts'
import type { MergePatch } from '../merge.ts'
import { type PolicyBody, policyBinding } from '../policy/binding.ts'
import type { Notes } from '../policy/notes.ts'
import { choiceIn, domainIn, fieldsIn, itemsIn, networkIn, rangeOf } from '../policy/reading.ts'
import { EGRESS_NETWORK_POLICIES } from './resources.ts'

/** Policy ↔ EgressNetworkPolicy. */
export const egressNetworkPolicyBinding = policyBinding({
  kind: 'EgressNetworkPolicy',
  resource: EGRESS_NETWORK_POLICIES,
  optional: true,
  read,
  closed,
  write: ({ egress = [] }: Policy) => ({ egress: egress.map(ruleOf) }),
})

const ALL = cidr('0.0.0.0/0')
/** What early versions took for everything. */
const LEGACY_ALL = '0.0.0.0/32'
const DENY_ALL: PolicyRule = { action: 'deny' }

function read(spec: unknown, namespace: string, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, ['egress'], notes)
  const items = fields && itemsIn(fields['egress'], MAX_RULES, notes.at('egress'))
  if (items === undefined) return closed(namespace)
  const rules = items.map((rule, index) => ruleIn(rule, notes.at('egress').at(index)))
  return { ...bodyOf(namespace), egress: speaksOfIpv6(rules) ? rules : rules.map(inBothFamilies) }
}

function closed(namespace: string): PolicyBody {
  return { ...bodyOf(namespace), egress: [DENY_ALL] }
}

function bodyOf(namespace: string): PolicyBody {
  return { tier: 'firewall', priority: 0, subject: { namespaces: { name: namespace }, pods: [] } }
}

function ruleIn(input: unknown, notes: Notes): PolicyRule {
  const fields = fieldsIn(input, ['type', 'to'], notes)
  const action = actionIn(fields?.['type'] ?? Object(input).type)
  if (action === undefined) notes.at('type').problem(`${shown(fields?.['type'])} is neither Allow nor Deny`)
  const peer = fields && peerIn(fields['to'], notes.at('to'))
  if (action !== undefined && peer !== undefined) return { action, peers: [peer] }
  return action === 'allow' ? { action, peers: [] } : DENY_ALL
}

function actionIn(type: unknown): 'allow' | 'deny' | undefined {
  if (type === 'Allow') return 'allow'
  return type === 'Deny' ? 'deny' : undefined
}

function peerIn(input: unknown, notes: Notes): Peer | undefined {
  const choice = choiceIn(input, ['cidrSelector', 'dnsName'], notes)
  if (choice === undefined) return undefined
  const place = notes.at(choice.key)
  if (choice.key === 'dnsName') return domainIn(choice.value, false, place)
  const range = choice.value === LEGACY_ALL ? legacyAll(place) : networkIn(choice.value, place)
  return range === undefined ? undefined : rangeOf(range)
}

function legacyAll(notes: Notes): Cidr {
  notes.problem(`${LEGACY_ALL} is read as ${ALL}, as OpenShift does; write that`)
  return ALL
}

/** OpenShift SDN has no IPv6. Whoever denies everything without a word about it would be surprised by what it lets through. */
function inBothFamilies(rule: PolicyRule): PolicyRule {
  const isAll = rule.action === 'deny' && rule.peers?.some((peer) => peer.type === 'range' && peer.range === ALL)
  return isAll === true ? DENY_ALL : rule
}

function speaksOfIpv6(rules: readonly PolicyRule[]): boolean {
  return rules.some(({ peers = [] }) => peers.some((peer) => peer.type === 'range' && familyOf(peer.range) === 6))
}

/** One rule has one destination; nobody is one that cannot be read. */
function ruleOf({ action, peers }: PolicyRule): MergePatch {
  const [peer] = peers ?? [rangeOf(ALL)]
  return { type: action === 'allow' ? 'Allow' : 'Deny', to: peer === undefined ? {} : destinationOf(peer) }
}

function destinationOf(peer: Peer): MergePatch {
  if (peer.type === 'range') return { cidrSelector: peer.range }
  return peer.type === 'name' ? { dnsName: peer.name } : {}
}
