/**
 * Rules of Calico's policies. What is not understood fails closed, a rule at a time: one that allows speaks of nobody, any
 * other denies everybody.
 * @module
 */
import { cidr } from '../../../network/model/address.ts'
import { shown } from '../../../network/model/decode.ts'
import type { AddressRange, Direction, PolicyAction, PolicyRule } from '../../../network/model/policy.ts'
import type { Notes } from '../../policy/notes.ts'
import { fieldsIn, itemsIn } from '../../policy/reading.ts'
import { endIn, ownIn, type Place, peersIn } from './entity.ts'
import { matchCount } from './match-count.ts'
import { transportIn } from './protocols.ts'

type Fields = Readonly<Record<string, unknown>>

/** The most rules of a direction, and rows in a switch that all of them may make for one pair of ends. */
const MOST_RULES = 1024
const MOST_MATCHES = 262_144
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
  const logs = logsIn(items)
  let left = MOST_MATCHES
  return items.map((item, index) => {
    const action = actionOf(item)
    const at = notes.at(index)
    if (action === 'log') return logRule(logs, index, at)
    const rule = ruleIn(item, action, direction, place, at)
    const matches = matchCount(rule)
    if (matches > left) {
      at.problem(`its ports and networks make ${matches} rows in a switch; ${left} are left of ${MOST_MATCHES}`)
      return action === 'allow' ? NOBODY : DENY_ALL
    }
    left -= matches
    return rule.action === 'deny' && logs.isLogged(index) ? { ...rule, log: true } : rule
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

/** Which rules that log and which that deny speak of the same, or a log of everything. */
interface Logs {
  /** Whether a rule in front of this one, which denies, logs all that it speaks of. */
  isLogged(index: number): boolean
  /** Whether a rule behind this one, which logs, denies what it speaks of. */
  isOfUse(index: number): boolean
}

function logsIn(items: readonly unknown[]): Logs {
  const keys = items.map((item) => textOf(matchOf(item)))
  const firstLog = new Map<string, number>()
  const lastDeny = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const [action, key = ''] = [actionOf(item), keys[index]]
    if (action === 'log' && !firstLog.has(key)) firstLog.set(key, index)
    if (action === 'deny') for (const each of [key, EVERYTHING]) lastDeny.set(each, index)
  }
  return {
    isLogged: (index) => [keys[index] ?? '', EVERYTHING].some((key) => (firstLog.get(key) ?? index) < index),
    isOfUse: (index) => (lastDeny.get(keys[index] ?? '') ?? -1) > index,
  }
}

/** A rule that logs writes down what rules behind it deny, if it speaks of the same or of everything. */
function logRule(logs: Logs, index: number, notes: Notes): PolicyRule {
  if (!logs.isOfUse(index)) {
    notes
      .at('action')
      .problem('only what a rule behind it denies is logged, and only if it speaks of just that, or of everything')
  }
  return NOBODY
}

function matchOf(item: unknown): Fields {
  return Object.fromEntries(
    Object.entries(Object(item)).filter(
      ([key, value]) => key !== 'action' && key !== 'metadata' && value !== undefined,
    ),
  )
}

const EVERYTHING = '{}'

/** The same text for the same, in whatever order its fields are. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{${fields
    .map(([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`)
    .toSorted()
    .join(',')}}`
}
