/**
 * Calico's NetworkPolicy and GlobalNetworkPolicy: ordered rules of its tier `default`, in which NetworkPolicies of
 * Kubernetes are too.
 * @module
 */
import { shown } from '../../../network/model/decode.ts'
import type { Direction, PodSet, PolicyRule } from '../../../network/model/policy.ts'
import { type PolicyBody, policyBinding } from '../../policy/binding.ts'
import type { Notes } from '../../policy/notes.ts'
import { allIn, fieldsIn } from '../../policy/reading.ts'
import { ALL, both, conditionOf, podSetOf, selectingIn } from './conditions.ts'
import { isSaid } from './entity.ts'
import { CALICO_NETWORK_POLICIES, GLOBAL_NETWORK_POLICIES } from './resources.ts'
import { rulesIn } from './rules.ts'
import { specOf } from './writing.ts'

type Fields = Readonly<Record<string, unknown>>

/** Policy ↔ NetworkPolicy of Calico. */
export const calicoNetworkPolicyBinding = policyBinding({
  kind: 'CalicoNetworkPolicy',
  resource: CALICO_NETWORK_POLICIES,
  optional: true,
  read: (spec, namespace, notes) => read(spec, namespace, notes),
  closed,
  write: specOf,
})

/** Policy ↔ GlobalNetworkPolicy. */
export const globalNetworkPolicyBinding = policyBinding({
  kind: 'GlobalNetworkPolicy',
  resource: GLOBAL_NETWORK_POLICIES,
  optional: true,
  read: (spec, _namespace, notes) => read(spec, undefined, notes),
  closed: () => closed(undefined),
  write: specOf,
})

const KNOWN = ['tier', 'order', 'selector', 'types', 'ingress', 'egress', 'serviceAccountSelector', 'performanceHints']
const GLOBAL = ['namespaceSelector', 'doNotTrack', 'preDNAT', 'applyOnForward']
/** What only policies of the hosts' own interfaces have. */
const OF_HOSTS = ['doNotTrack', 'preDNAT', 'applyOnForward']
/** Fields of problems that say of a whole policy that nobody does what it is for. */
export const REFUSED_FIELDS: ReadonlySet<string> = new Set(['tier', ...OF_HOSTS].map((field) => `spec.${field}`))
const TYPES: Readonly<Record<string, Direction>> = { Ingress: 'ingress', Egress: 'egress' }
const DENY_ALL: PolicyRule = { action: 'deny' }
/** What is closed counts before all others: who knows what it would have denied. */
const FIRST = -Number.MAX_VALUE

function read(spec: unknown, namespace: string | undefined, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, [...KNOWN, ...(namespace === undefined ? GLOBAL : [])], notes)
  if (fields === undefined) return closed(namespace)
  let isUnread = false
  const place = {
    namespace,
    unread: (): void => {
      isUnread = true
    },
  }
  const types = typesIn(fields, notes.at('types'))
  const subject = subjectIn(fields, place, notes)
  const order = orderIn(fields['order'], notes.at('order'))
  const isOurs = [isDefaultTier(fields, notes), !isOfHosts(fields, notes)].every((is) => is)
  const isWhole = isOurs && order !== undefined
  const ways = types ?? ['ingress', 'egress']
  const rules = Object.fromEntries(
    ways.map((way) => {
      const found = rulesIn(fields[way], way, place, notes.at(way))
      // Of whom it is, or when it counts, is not known: so nothing of it may allow.
      return [way, subject !== undefined && isWhole ? found : [DENY_ALL]]
    }),
  ) as Pick<PolicyBody, Direction>
  return {
    tier: 'namespace',
    priority: 0,
    ...(isWhole ? (order === 'last' ? {} : { order }) : { order: FIRST }),
    subject: subject ?? everybody(namespace),
    ...rules,
    ...(isUnread ? { isUnread: true } : {}),
  }
}

function closed(namespace: string | undefined): PolicyBody {
  const rules = { ingress: [DENY_ALL], egress: [DENY_ALL] }
  return { tier: 'namespace', priority: 0, order: FIRST, subject: everybody(namespace), ...rules }
}

function everybody(namespace: string | undefined): PodSet {
  return { namespaces: namespace === undefined ? { labels: [] } : { name: namespace }, pods: [] }
}

/** Whose connections it speaks of. Undefined where that is not understood. */
function subjectIn(
  fields: Fields,
  place: { readonly namespace: string | undefined; unread(): void },
  notes: Notes,
): PodSet | undefined {
  const { namespace, unread } = place
  if (isSaid(fields['serviceAccountSelector'])) {
    return notes.at('serviceAccountSelector').problem('service accounts are not known here; use labels of pods')
  }
  const [own, namespaces] = ['selector', 'namespaceSelector'].map((field) =>
    isSaid(fields[field]) ? selectingIn(fields[field], notes.at(field), unread) : 'unsaid',
  )
  if (own === undefined || namespaces === undefined) return undefined
  const demand = both(
    own === 'unsaid' ? ALL : conditionOf(own, 'pods'),
    namespaces === 'unsaid' ? ALL : conditionOf(namespaces, 'namespaces'),
  )
  return podSetOf(demand, namespace)
}

/** Ingress, unless there are rules for egress alone. */
function typesIn(fields: Fields, notes: Notes): readonly Direction[] | undefined {
  const { types, ingress, egress } = fields
  if (types === undefined || (Array.isArray(types) && types.length === 0)) {
    const [into, out] = [ingress, egress].map((rules) => Array.isArray(rules) && rules.length > 0)
    if (out !== true) return ['ingress']
    return into === true ? ['ingress', 'egress'] : ['egress']
  }
  const found = allIn(types, 2, notes, (type, at) =>
    typeof type === 'string' && Object.hasOwn(TYPES, type)
      ? TYPES[type]
      : at.problem(`${shown(type)} is neither Ingress nor Egress`),
  )
  return found === undefined ? undefined : [...new Set(found)]
}

function orderIn(input: unknown, notes: Notes): number | 'last' | undefined {
  if (input === undefined) return 'last'
  return typeof input === 'number' && Number.isFinite(input) ? input : notes.problem(`${shown(input)} is no number`)
}

function isDefaultTier({ tier }: Fields, notes: Notes): boolean {
  if (tier === undefined || tier === '' || tier === 'default') return true
  notes.at('tier').problem(`${shown(tier)}: there is no tier here but default; AdminNetworkPolicies come before it`)
  return false
}

function isOfHosts(fields: Fields, notes: Notes): boolean {
  const field = OF_HOSTS.find((one) => fields[one] !== undefined && fields[one] !== false)
  if (field === undefined) return false
  notes.at(field).problem('is about interfaces of hosts, of which no policy speaks here')
  return true
}
