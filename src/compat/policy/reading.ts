/**
 * The parts that policies of every kind have. A reader gives undefined for what it does not understand, and notes why:
 * that something fails closed then, and what, is for the kind to say.
 * @module
 */
import {
  BITS,
  type Cidr,
  contains,
  familyOf,
  firstIp,
  networkAround,
  parseIp,
  prefixLength,
} from '../../network/model/address.ts'
import { shown } from '../../network/model/decode.ts'
import { isDomain } from '../../network/model/names.ts'
import type { Peer, PortMatch, Requirement, Selector } from '../../network/model/policy.ts'
import type { Protocol } from '../../network/model/service.ts'
import { at } from '../fields.ts'
import type { Notes } from './notes.ts'

type Range = Extract<Peer, { readonly type: 'range' }>
type Fields = Readonly<Record<string, unknown>>

const OPERATORS: readonly unknown[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']
const PROTOCOLS: readonly unknown[] = ['TCP', 'UDP', 'SCTP']

/** The fields that are set. Undefined for what is no object, and where one is set that is none of `known`. */
export function fieldsIn(input: unknown, known: readonly string[], notes: Notes): Fields | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return notes.problem(`${shown(input)} is not an object`)
  }
  const set = Object.keys(input).filter((key) => at(input, key) !== undefined)
  const strange = set.find((key) => !known.includes(key))
  if (strange !== undefined) return notes.at(strange.slice(0, 80)).problem('is not known here')
  return Object.fromEntries(set.map((key) => [key, at(input, key)]))
}

/** The one field that is set. Undefined where it is none of `known`, or more than one. */
export function choiceIn(
  input: unknown,
  known: readonly string[],
  notes: Notes,
): { readonly key: string; readonly value: unknown } | undefined {
  const fields = fieldsIn(input, known, notes)
  if (fields === undefined) return undefined
  const [first, ...others] = Object.entries(fields)
  if (first === undefined) return notes.problem(`says nothing of ${known.join(', ')}`)
  if (others.length > 0) return notes.problem(`has ${Object.keys(fields).join(' and ')}: one of them can count`)
  return { key: first[0], value: first[1] }
}

/** A list, each item read. Undefined for what is no list, or too long, and where an item is not understood. */
export function allIn<T>(
  input: unknown,
  most: number,
  notes: Notes,
  read: (item: unknown, notes: Notes) => T | undefined,
): readonly T[] | undefined {
  const found = itemsIn(input, most, notes)?.map((item, index) => read(item, notes.at(index)))
  return found?.every((item) => item !== undefined) === true ? (found as readonly T[]) : undefined
}

/** A list as it is. Undefined for what is no list, or too long. */
export function itemsIn(input: unknown, most: number, notes: Notes): readonly unknown[] | undefined {
  if (!Array.isArray(input)) return notes.problem(`${shown(input)} is not a list`)
  if (input.length > most) return notes.problem(`${input.length} items are more than the ${most} that can be`)
  return input
}

/** A label selector, as Kubernetes has them: everything that `matchLabels` and `matchExpressions` demand. */
export function selectorIn(input: unknown, notes: Notes): Selector | undefined {
  const fields = fieldsIn(input, ['matchLabels', 'matchExpressions'], notes)
  if (fields === undefined) return undefined
  const { matchLabels = {}, matchExpressions = [] } = fields
  const labels = matchLabelsIn(matchLabels, notes.at('matchLabels'))
  const expressions = allIn(matchExpressions, MOST_REQUIREMENTS, notes.at('matchExpressions'), requirementIn)
  return labels === undefined || expressions === undefined ? undefined : [...labels, ...expressions]
}

const MOST_REQUIREMENTS = 5_000
const MOST_KEY = 317
const MOST_VALUE = 253

function matchLabelsIn(input: unknown, notes: Notes): Selector | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return notes.problem(`${shown(input)} is not an object`)
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(input)
  if (entries.length > MOST_REQUIREMENTS) return notes.problem(`${entries.length} labels are too many`)
  const strange = entries.find(([key, value]) => !isKey(key) || !isValue(value))
  if (strange !== undefined) return notes.problem(`${shown(strange[0])}: ${shown(strange[1])} is no label`)
  return entries.map(([key, value]) => ({ key, operator: 'In', values: [String(value)] }))
}

function requirementIn(input: unknown, notes: Notes): Requirement | undefined {
  const fields = fieldsIn(input, ['key', 'operator', 'values'], notes)
  if (fields === undefined) return undefined
  const { key, operator, values = [] } = fields
  if (!isKey(key)) return notes.at('key').problem(`${shown(key)} is no label's key`)
  if (!OPERATORS.includes(operator)) return notes.at('operator').problem(`${shown(operator)} is not known`)
  const texts = allIn(values, MOST_REQUIREMENTS, notes.at('values'), (value, place) =>
    isValue(value) ? String(value) : place.problem(`${shown(value)} is no label's value`),
  )
  if (texts === undefined) return undefined
  const hasValues = operator === 'In' || operator === 'NotIn'
  if (hasValues !== texts.length > 0) {
    return notes.at('values').problem(hasValues ? `${operator} needs values` : `${shown(operator)} has no values`)
  }
  return { key: String(key), operator: operator as Requirement['operator'], values: texts }
}

/**
 * A network. As in Kubernetes, bits after the prefix do not count, nor zeros before a decimal number. An IPv4 network in
 * the form of an IPv6 one is refused: it is read in more than one way.
 */
export function networkIn(input: unknown, notes: Notes): Cidr | undefined {
  const [, address = '', length = ''] = typeof input === 'string' ? (/^([^/]{1,64})\/(\d{1,3})$/.exec(input) ?? []) : []
  const ip = parseIp(address.includes(':') ? address : address.replace(/\b0+(?=\d)/g, ''))
  if (ip === undefined || Number(length) > BITS[familyOf(ip)] || address.toLowerCase().startsWith('::ffff:')) {
    return notes.problem(`${shown(input)} is no network such as 192.0.2.0/24 or 2001:db8::/32`)
  }
  return networkAround(ip, Number(length))
}

/** A range with what is taken out of it. */
export function rangeOf(range: Cidr, except: readonly Cidr[] = []): Range {
  return { type: 'range', range, except }
}

/** Whether a network is a part of another. */
export function isPart(range: Cidr, part: Cidr): boolean {
  return contains(range, firstIp(part)) && prefixLength(part) >= prefixLength(range)
}

/** A DNS name, without the dot at its end, in lower case. `*.` at its beginning only where that is `allowed`. */
export function domainIn(input: unknown, isWildcardAllowed: boolean, notes: Notes): Peer | undefined {
  const name = typeof input === 'string' ? input.toLowerCase().replace(/\.$/, '') : ''
  const fixed = isWildcardAllowed && name.startsWith('*.') ? name.slice(2) : name
  return isDomain(fixed) ? { type: 'name', name } : notes.problem(`${shown(input)} is no DNS name`)
}

/** A protocol; `otherwise` where nothing is said. */
export function protocolIn(input: unknown, otherwise: Protocol, notes: Notes): Protocol | undefined {
  if (input === undefined) return otherwise
  return PROTOCOLS.includes(input) ? (input as Protocol) : notes.problem(`${shown(input)} is not TCP, UDP or SCTP`)
}

/** Ports by their numbers, from one up to another. */
export function numbersIn(protocol: Protocol, from: unknown, to: unknown, notes: Notes): PortMatch | undefined {
  if (!isPort(from) || !isPort(to)) return notes.problem(`${shown(isPort(from) ? to : from)} is no port`)
  return from <= to ? { type: 'numbers', protocol, from, to } : notes.problem(`${from} to ${to} is no range of ports`)
}

/** A port by the name that a pod has for it. */
export function namedIn(name: unknown, protocol: Protocol | undefined, notes: Notes): PortMatch | undefined {
  if (typeof name !== 'string' || name === '' || name.length > 63) return notes.problem(`${shown(name)} names no port`)
  return { type: 'named', name, ...(protocol === undefined ? {} : { protocol }) }
}

function isPort(input: unknown): input is number {
  return typeof input === 'number' && Number.isInteger(input) && input >= 1 && input <= 65_535
}

function isKey(input: unknown): boolean {
  return typeof input === 'string' && input !== '' && input.length <= MOST_KEY
}

function isValue(input: unknown): boolean {
  return typeof input === 'string' && input.length <= MOST_VALUE
}
