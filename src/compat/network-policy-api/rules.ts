/**
 * Subjects, rules and peers of `policy.networking.k8s.io`, as all versions of its kinds have them.
 *
 * What is not understood fails closed, a rule at a time: one that allows speaks of nobody, any other denies everybody.
 * @module
 */
import { shown } from '../../network/model/decode.ts'
import type { Peer, PodSet, Policy, PolicyAction, PolicyRule, PortMatch } from '../../network/model/policy.ts'
import { MAX_PEERS, MAX_PORTS, MAX_RULE_NAME, MAX_RULES } from '../../network/model/validate-policy.ts'
import type { Notes } from '../policy/notes.ts'
import { allIn, choiceIn, domainIn, fieldsIn, itemsIn, networkIn, rangeOf, selectorIn } from '../policy/reading.ts'

/** What tells a version's rules from another's. */
export interface RuleForm {
  readonly actions: Readonly<Record<string, PolicyAction>>
  /** The field that lists ports. */
  readonly ports: string
  readPort(input: unknown, notes: Notes): PortMatch | undefined
}

/** All pods of the cluster. */
const EVERYTHING: PodSet = { namespaces: { labels: [] }, pods: [] }

const DENY_ALL: PolicyRule = { action: 'deny' }

/** The rules of both directions that deny everything. */
export const CLOSED: Pick<Policy, 'subject' | 'ingress' | 'egress'> = {
  subject: EVERYTHING,
  ingress: [DENY_ALL],
  egress: [DENY_ALL],
}

/**
 * Whose connections a policy speaks of, and what it says of them. A subject that is not understood is everybody's, and
 * then nothing is allowed.
 */
export function rulesOfSubject(
  form: RuleForm,
  fields: Readonly<Record<string, unknown>>,
  notes: Notes,
): Pick<Policy, 'subject' | 'ingress' | 'egress'> {
  const subject = podSetIn(fields['subject'], notes.at('subject'))
  const ingress = rulesIn(form, fields['ingress'], 'from', notes.at('ingress'))
  const egress = rulesIn(form, fields['egress'], 'to', notes.at('egress'))
  const keep = (rules: readonly PolicyRule[]) => (subject === undefined ? rules.map(withoutAllowing) : rules)
  return {
    subject: subject ?? EVERYTHING,
    ...(ingress === undefined ? {} : { ingress: keep(ingress) }),
    ...(egress === undefined ? {} : { egress: keep(egress) }),
  }
}

function withoutAllowing(rule: PolicyRule): PolicyRule {
  return rule.action === 'allow' ? { ...rule, peers: [] } : { ...rule, action: 'deny' }
}

/** A list without items is none: it says nothing of its direction. */
function rulesIn(form: RuleForm, input: unknown, key: 'from' | 'to', notes: Notes): readonly PolicyRule[] | undefined {
  if (input === undefined) return undefined
  const items = itemsIn(input, MAX_RULES, notes)
  if (items === undefined) return [DENY_ALL]
  return items.length === 0 ? undefined : items.map((rule, index) => ruleIn(form, rule, key, notes.at(index)))
}

function ruleIn(form: RuleForm, input: unknown, key: 'from' | 'to', notes: Notes): PolicyRule {
  const fields = fieldsIn(input, ['name', 'action', key, form.ports], notes)
  if (fields === undefined) return closed(actionNamed(form, Object(input).action), undefined)
  const action = actionNamed(form, fields['action'])
  if (action === undefined) notes.at('action').problem(`${shown(fields['action'])} is not known`)
  const name = nameIn(fields['name'])
  const place = notes.at(key)
  const peers = allIn(fields[key], MAX_PEERS, place, (peer, at) => peersIn(peer, key, action, at))
  if (peers?.length === 0) place.problem('names nobody')
  const ports = portsIn(form, fields[form.ports], notes.at(form.ports))
  if (action === undefined || peers === undefined || peers.length === 0 || ports === 'unknown') {
    return closed(action, name)
  }
  return {
    action,
    ...named(name),
    peers: peers.flat(),
    ...(ports === undefined ? {} : { ports }),
    ...fieldsOfPeers(peers, fields[key], place),
  }
}

/** Where peers stand, where an item of the list is more than one. */
function fieldsOfPeers(
  peers: readonly (readonly Peer[])[],
  input: unknown,
  notes: Notes,
): Pick<PolicyRule, 'peerFields'> {
  if (peers.every(({ length }) => length === 1)) return {}
  const items: readonly unknown[] = Array.isArray(input) ? input : []
  const peerFields = peers.flatMap((found, index) => {
    const { field } = notes.at(index)
    const [list] = Object.keys(Object(items[index]))
    return found.map((peer, i) => (peer.type === 'pods' ? `${field}.${list}` : `${field}.${list}[${i}]`))
  })
  return { peerFields }
}

function closed(action: PolicyAction | undefined, name: string | undefined): PolicyRule {
  return action === 'allow' ? { action, ...named(name), peers: [] } : { action: 'deny', ...named(name) }
}

function actionNamed({ actions }: RuleForm, name: unknown): PolicyAction | undefined {
  return typeof name === 'string' && Object.hasOwn(actions, name) ? actions[name] : undefined
}

/** A name is for people: what is none is left out. */
function nameIn(input: unknown): string | undefined {
  return typeof input === 'string' && input !== '' ? input.slice(0, MAX_RULE_NAME) : undefined
}

function named(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name }
}

/** Undefined where nothing is said of ports. */
function portsIn(form: RuleForm, input: unknown, notes: Notes): readonly PortMatch[] | undefined | 'unknown' {
  if (input === undefined || (Array.isArray(input) && input.length === 0)) return undefined
  return allIn(input, MAX_PORTS, notes, (port, place) => form.readPort(port, place)) ?? 'unknown'
}

const INGRESS_PEERS: readonly string[] = ['namespaces', 'pods']
const EGRESS_PEERS: readonly string[] = [...INGRESS_PEERS, 'nodes', 'networks', 'domainNames']

function peersIn(
  input: unknown,
  key: 'from' | 'to',
  action: PolicyAction | undefined,
  notes: Notes,
): readonly Peer[] | undefined {
  const choice = choiceIn(input, key === 'from' ? INGRESS_PEERS : EGRESS_PEERS, notes)
  if (choice === undefined) return undefined
  const place = notes.at(choice.key)
  switch (choice.key) {
    case 'networks':
      return someIn(choice.value, place, (one, at) => {
        const range = networkIn(one, at)
        return range === undefined ? undefined : rangeOf(range)
      })
    case 'domainNames':
      if (action !== 'allow') return place.problem('can only be allowed: a name may have addresses that nobody knows')
      return someIn(choice.value, place, (one, at) => domainIn(one, true, at))
    case 'nodes':
      return place.problem('nodes cannot be selected by labels yet')
    default: {
      const set = podSetIn(input, notes)
      return set === undefined ? undefined : [{ type: 'pods', ...set }]
    }
  }
}

function someIn(
  input: unknown,
  notes: Notes,
  read: (item: unknown, notes: Notes) => Peer | undefined,
): readonly Peer[] | undefined {
  const found = allIn(input, MAX_PEERS, notes, read)
  return found?.length === 0 ? notes.problem('names nobody') : found
}

/** All pods of some namespaces, or some of them. */
function podSetIn(input: unknown, notes: Notes): PodSet | undefined {
  const choice = choiceIn(input, INGRESS_PEERS, notes)
  if (choice === undefined) return undefined
  const place = notes.at(choice.key)
  if (choice.key === 'namespaces') {
    const labels = selectorIn(choice.value, place)
    return labels === undefined ? undefined : { namespaces: { labels }, pods: [] }
  }
  const fields = fieldsIn(choice.value, ['namespaceSelector', 'podSelector'], place)
  if (fields === undefined) return undefined
  const labels = selectorIn(fields['namespaceSelector'], place.at('namespaceSelector'))
  const pods = selectorIn(fields['podSelector'], place.at('podSelector'))
  return labels === undefined || pods === undefined ? undefined : { namespaces: { labels }, pods }
}
