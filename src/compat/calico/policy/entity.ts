/**
 * The ends of a connection in Calico's rules: `source` and `destination`.
 * @module
 */
import { type Cidr, cidr, overlaps, prefixLength } from '../../../network/model/address.ts'
import type { AddressRange, Peer } from '../../../network/model/policy.ts'
import type { Notes } from '../../policy/notes.ts'
import { allIn, fieldsIn, networkIn } from '../../policy/reading.ts'
import {
  type About,
  ALL,
  both,
  conditionOf,
  inNamespace,
  isNone,
  none,
  podSetOf,
  type Selecting,
  selectingIn,
} from './conditions.ts'

type Fields = Readonly<Record<string, unknown>>

/** The most networks in a list. */
const MOST_NETS = 256
const EVERYWHERE: readonly Cidr[] = [cidr('0.0.0.0/0'), cidr('::/0')]
const PORTS = ['ports', 'notPorts']
const NETS = ['nets', 'notNets']
const SELECTORS = ['selector', 'notSelector', 'namespaceSelector']
const REFUSED: readonly (readonly [field: string, why: string])[] = [
  ['services', 'services are no peers here: policies see the pods behind them; select those'],
  ['serviceAccounts', 'service accounts are not known here; use labels of pods'],
]

/** Where a rule is. */
export interface Place {
  /** The namespace of its policy; absent for one of the whole cluster. */
  readonly namespace: string | undefined
  /** Called for a selector that cannot be read. */
  unread(): void
}

/** An end's fields. Undefined where one is set that means nothing here. */
export function endIn(input: unknown, notes: Notes): Fields | undefined {
  const known = [...PORTS, ...NETS, ...SELECTORS, ...REFUSED.map(([field]) => field)]
  const fields = input === undefined ? {} : fieldsIn(input, known, notes)
  const refused = fields && REFUSED.find(([field]) => fields[field] !== undefined)
  return refused === undefined ? fields : notes.at(refused[0]).problem(refused[1])
}

/** What the pod's own address must be in; `any` where nothing is said of it. */
export function ownIn(fields: Fields, notes: Notes): readonly AddressRange[] | 'any' | undefined {
  const selecting = SELECTORS.find((field) => isSaid(fields[field]))
  if (selecting !== undefined) {
    return notes.at(selecting).problem('selects among the policy’s own pods; give those a policy of their own')
  }
  return rangesIn(fields, notes)
}

/** Whom the rule speaks of; `anybody` where nothing is said of it. */
export function peersIn(fields: Fields, place: Place, notes: Notes): readonly Peer[] | 'anybody' | undefined {
  const ranges = rangesIn(fields, notes)
  const [selector, isNot, namespaces] = SELECTORS.map((field) =>
    isSaid(fields[field]) ? selectingIn(fields[field], notes.at(field), place.unread) : 'unsaid',
  )
  if (ranges === undefined || selector === undefined || isNot === undefined || namespaces === undefined)
    return undefined
  if (selector === 'unsaid' && namespaces === 'unsaid') {
    if (isNot !== 'unsaid')
      return notes.at('notSelector').problem('needs a selector beside it: nobody knows all others')
    return ranges === 'any' ? 'anybody' : ranges.map((range) => ({ type: 'range', ...range }))
  }
  const within = ranges === 'any' ? {} : { within: ranges }
  const demand = (about: About) =>
    both(
      selector === 'unsaid' ? ALL : conditionOf(selector, about),
      isNot === 'unsaid' ? ALL : none(conditionOf(isNot, about)),
      namespaceCondition(namespaces, place),
    )
  const [pods, sets] = [demand('pods'), demand('sets')]
  const podSet = podSetOf(pods)
  return [
    ...(podSet.where !== undefined && isNone(podSet.where) ? [] : [{ type: 'pods' as const, ...podSet, ...within }]),
    ...(isNone(sets) ? [] : [{ type: 'sets' as const, where: sets, ...within }]),
  ]
}

/** A selector without a word about namespaces means the policy's own, where it has one. */
function namespaceCondition(namespaces: Selecting | 'unsaid', { namespace }: Place) {
  if (namespaces !== 'unsaid') return conditionOf(namespaces, 'namespaces')
  return namespace === undefined ? ALL : inNamespace(namespace)
}

/** An empty text, or none, says nothing. */
export function isSaid(input: unknown): boolean {
  return input !== undefined && input !== ''
}

/** `nets` without `notNets`. */
function rangesIn(fields: Fields, notes: Notes): readonly AddressRange[] | 'any' | undefined {
  const [nets, notNets] = NETS.map((field) =>
    fields[field] === undefined ? [] : allIn(fields[field], MOST_NETS, notes.at(field), hostOrNetworkIn),
  )
  if (nets === undefined || notNets === undefined) return undefined
  if (nets.length === 0 && notNets.length === 0) return 'any'
  return (nets.length === 0 ? EVERYWHERE : nets).flatMap((range) => {
    const holes = notNets.filter((one) => overlaps(range, one))
    // Of two networks that meet, one holds the other.
    const isTaken = holes.some((one) => prefixLength(one) <= prefixLength(range))
    return isTaken ? [] : [{ range, except: holes }]
  })
}

/** A network; an address alone is one of its own. */
export function hostOrNetworkIn(input: unknown, notes: Notes): Cidr | undefined {
  const isHost = typeof input === 'string' && !input.includes('/')
  return networkIn(isHost ? `${input}/${input.includes(':') ? 128 : 32}` : input, notes)
}
