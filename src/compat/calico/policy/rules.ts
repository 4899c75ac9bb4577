/**
 * Rules of Calico's policies. What is not understood fails closed, a rule at a time: one that allows speaks of nobody, any
 * other denies everybody.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { cidr } from '../../../network/model/address.ts'
import { shown } from '../../../network/model/decode.ts'
import type { AddressRange, Direction, PolicyAction, PolicyRule } from '../../../network/model/policy.ts'
import type { Notes } from '../../policy/notes.ts'
import { fieldsIn, itemsIn } from '../../policy/reading.ts'
import { endIn, ownIn, type Place, peersIn } from './entity.ts'
import { transportIn } from './protocols.ts'

type Fields = Readonly<Record<string, unknown>>

/** The most rules of a direction. */
const MOST_RULES = 1024
const ACTIONS: Readonly<Record<string, PolicyAction | 'log'>> = {
  Allow: 'allow',
  Deny: 'deny',
  Pass: 'pass',
  Log: 'log',
}
const MATCHES = ['ipVersion', 'protocol', 'notProtocol', 'icmp', 'notICMP', 'source', 'destination']
const FAMILY_RANGES: Readonly<Record<number, AddressRange>> = {
  4: { range: cidr('0.0.0.0/0'), except: [] },
  6: { range: cidr('::/0'), except: [] },
}
const DENY_ALL: PolicyRule = { action: 'deny' }
/** Stands for a rule that decides nothing, so that others keep their places. */
const NOBODY: PolicyRule = { action: 'allow', peers: [] }

/** The rules of a direction. */
export function rulesIn(input: unknown, direction: Direction, place: Place, notes: Notes): readonly PolicyRule[] {
  if (input === undefined) return []
  const items = itemsIn(input, MOST_RULES, notes)
  if (items === undefined) return [DENY_ALL]
  return items.map((item, index) => {
    const action = actionOf(item)
    if (action === 'log') return logRule(items, index, notes.at(index))
    const rule = ruleIn(item, action, direction, place, notes.at(index))
    return rule.action === 'deny' && isLogged(items, index) ? { ...rule, log: true } : rule
  })
}

function actionOf(item: unknown): PolicyAction | 'log' | undefined {
  const { action } = Object(item)
  return typeof action === 'string' && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
}

function ruleIn(
  item: unknown,
  action: PolicyAction | undefined,
  direction: Direction,
  place: Place,
  notes: Notes,
): PolicyRule {
  if (action === undefined) {
    notes.at('action').problem(`${shown(Object(item).action)} is neither Allow, Deny, Pass nor Log`)
    return DENY_ALL
  }
  const matching = matchIn(item, direction, place, notes)
  if (matching !== undefined) return { action, ...matching }
  return action === 'allow' ? NOBODY : DENY_ALL
}

function matchIn(
  item: unknown,
  direction: Direction,
  place: Place,
  notes: Notes,
): Omit<PolicyRule, 'action'> | undefined {
  const fields = fieldsIn(item, ['action', 'metadata', 'http', ...MATCHES], notes)
  if (fields === undefined) return undefined
  if (fields['http'] !== undefined) return notes.at('http').problem('nobody here looks into HTTP')
  const [source, destination] = (['source', 'destination'] as const).map((end) => endIn(fields[end], notes.at(end)))
  if (source === undefined || destination === undefined) return undefined
  const [far, near] =
    direction === 'ingress' ? (['source', 'destination'] as const) : (['destination', 'source'] as const)
  const ends = { source, destination }
  const peers = peersIn(ends[far], place, notes.at(far))
  const own = ownIn(ends[near], notes.at(near))
  const transport = transportIn(fields, source, destination, notes)
  const family = familyIn(fields, notes.at('ipVersion'))
  if (peers === undefined || own === undefined || transport === undefined || family === undefined) return undefined
  const addresses = ofFamily(own, family)
  return {
    ...(peers === 'anybody' ? {} : { peers }),
    ...transport,
    ...(addresses === 'any' ? {} : { own: addresses }),
  }
}

function familyIn({ ipVersion }: Fields, notes: Notes): AddressRange | 'any' | undefined {
  if (ipVersion === undefined) return 'any'
  return FAMILY_RANGES[Number(ipVersion)] ?? notes.problem(`${shown(ipVersion)} is neither 4 nor 6`)
}

/** Of some ranges those of a family: both ends have addresses of the same one. */
function ofFamily(own: readonly AddressRange[] | 'any', family: AddressRange | 'any'): readonly AddressRange[] | 'any' {
  if (family === 'any') return own
  return own === 'any' ? [family] : own.filter(({ range }) => range.includes(':') === family.range.includes(':'))
}

/** Whether a rule in front of this one logs all that this one speaks of. */
function isLogged(items: readonly unknown[], index: number): boolean {
  return items.slice(0, index).some((item) => actionOf(item) === 'log' && covers(item, items[index]))
}

/** A rule that logs writes down what rules behind it deny, if it speaks of the same or of everything. */
function logRule(items: readonly unknown[], index: number, notes: Notes): PolicyRule {
  const followers = items.slice(index + 1).filter((item) => actionOf(item) === 'deny')
  if (!followers.some((item) => covers(items[index], item))) {
    notes
      .at('action')
      .problem('only what a rule behind it denies is logged, and only if it speaks of just that, or of everything')
  }
  return NOBODY
}

function covers(log: unknown, other: unknown): boolean {
  const [a, b] = [matchOf(log), matchOf(other)]
  return Object.keys(a).length === 0 || isDeepStrictEqual(a, b)
}

function matchOf(item: unknown): Fields {
  return Object.fromEntries(
    Object.entries(Object(item)).filter(
      ([key, value]) => key !== 'action' && key !== 'metadata' && value !== undefined,
    ),
  )
}
