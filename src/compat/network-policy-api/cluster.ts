/**
 * ClusterNetworkPolicy (`policy.networking.k8s.io/v1alpha2`): what AdminNetworkPolicy and BaselineAdminNetworkPolicy were
 * before, told apart by a tier.
 * @module
 */
import { shown } from '../../network/model/decode.ts'
import type { Policy, PortMatch, Tier } from '../../network/model/policy.ts'
import type { Protocol } from '../../network/model/service.ts'
import type { MergePatch } from '../merge.ts'
import { type PolicyBody, policyBinding } from '../policy/binding.ts'
import type { Notes } from '../policy/notes.ts'
import { choiceIn, fieldsIn, namedIn, numbersIn } from '../policy/reading.ts'
import { plainPort } from '../policy/writing.ts'
import { priorityIn } from './admin.ts'
import { CLUSTER_NETWORK_POLICIES } from './resources.ts'
import { CLOSED, type RuleForm, rulesOfSubject } from './rules.ts'
import { specOf, type Words } from './words.ts'

/** Policy ↔ ClusterNetworkPolicy. */
export const clusterNetworkPolicyBinding = policyBinding({
  kind: 'ClusterNetworkPolicy',
  resource: CLUSTER_NETWORK_POLICIES,
  optional: true,
  read,
  closed,
  write: (policy: Policy) => ({
    tier: policy.tier === 'admin' ? 'Admin' : 'Baseline',
    priority: policy.priority,
    ...specOf(WORDS, policy),
  }),
})

const FORM: RuleForm = {
  actions: { Accept: 'allow', Deny: 'deny', Pass: 'pass' },
  ports: 'protocols',
  readPort: protocolPortIn,
}
const WORDS: Words = {
  actions: { allow: 'Accept', deny: 'Deny', pass: 'Pass' },
  ports: 'protocols',
  portOf: protocolPortOf,
}
const PROTOCOLS: Readonly<Record<string, Protocol>> = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' }

function read(spec: unknown, _namespace: string, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, ['tier', 'priority', 'subject', 'ingress', 'egress'], notes)
  const tier = fields && tierIn(fields['tier'], notes.at('tier'))
  const priority = fields && priorityIn(fields['priority'], notes.at('priority'))
  if (fields === undefined || tier === undefined || priority === undefined) return closed()
  return { tier, priority, ...rulesOfSubject(FORM, fields, notes) }
}

function closed(): PolicyBody {
  return { tier: 'admin', priority: 0, ...CLOSED }
}

function tierIn(input: unknown, notes: Notes): Tier | undefined {
  if (input === 'Admin') return 'admin'
  return input === 'Baseline' ? 'baseline' : notes.problem(`${shown(input)} is neither Admin nor Baseline`)
}

/** A protocol without a word about ports is not understood: what it says may be of a later version. */
function protocolPortIn(input: unknown, notes: Notes): PortMatch | undefined {
  const choice = choiceIn(input, [...Object.keys(PROTOCOLS), 'destinationNamedPort'], notes)
  if (choice === undefined) return undefined
  const place = notes.at(choice.key)
  const protocol = PROTOCOLS[choice.key]
  if (protocol === undefined) return namedIn(choice.value, undefined, place)
  const below = choiceIn(choice.value, ['destinationPort'], place)
  const ports = place.at('destinationPort')
  const port = below && choiceIn(below.value, ['number', 'range'], ports)
  if (port === undefined) return undefined
  if (port.key === 'number') return numbersIn(protocol, port.value, port.value, ports.at('number'))
  const fields = fieldsIn(port.value, ['start', 'end'], ports.at('range'))
  return fields && numbersIn(protocol, fields['start'], fields['end'], ports.at('range'))
}

function protocolPortOf(one: PortMatch): MergePatch {
  const port = plainPort(one)
  if (port.type === 'named') return { destinationNamedPort: port.name }
  const [start, end] = port.type === 'protocol' ? [1, 65_535] : [port.from, port.to]
  const destinationPort = start === end ? { number: start } : { range: { start, end } }
  return { [port.protocol.toLowerCase()]: { destinationPort } }
}
