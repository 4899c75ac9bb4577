/**
 * Packet filters as others made them on a node: nft(8)'s JSON (libnftables-json(5)) reduced to what can be judged. What
 * is not understood stays there as unknown, so that no conclusion is drawn past it.
 * @module
 */

/** What a rule can ask that is understood. */
export type Subject = 'family' | 'inLink' | 'outLink' | 'source' | 'destination' | 'protocol' | 'port' | 'state'

/** A condition: the subject is one of these values, or with `negated` none of them. */
export type Condition =
  | { readonly subject: Subject; readonly values: readonly string[]; readonly negated: boolean }
  | { readonly subject: 'unknown' }

/** What a rule decides. `unknown` may be anything. */
export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'unknown' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

/** A rule: all conditions hold, then the verdict; without one the packet goes on. */
export interface Rule {
  readonly handle: number
  readonly comment: string | undefined
  readonly conditions: readonly Condition[]
  readonly verdict: Verdict | undefined
}

/** A chain. One with a hook is where packets begin, the others are jumped to. */
export interface Chain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly base: { readonly type: string; readonly hook: string; readonly policy: 'accept' | 'drop' } | undefined
  readonly rules: readonly Rule[]
}

/** Decodes what nft prints with `-j`. Anything that is no chain or rule is left out; never throws. */
export function decodeRuleset(json: unknown): readonly Chain[] {
  const objects = list(field(json, 'nftables'))
  const rules = new Map<string, Rule[]>()
  for (const object of objects) {
    const rule = field(object, 'rule')
    if (rule === undefined) continue
    const key = chainKey(text(field(rule, 'family')), text(field(rule, 'table')), text(field(rule, 'chain')))
    const known = rules.get(key)
    if (known === undefined) rules.set(key, [decodeRule(rule)])
    else known.push(decodeRule(rule))
  }
  return objects.flatMap((object) => {
    const chain = field(object, 'chain')
    if (chain === undefined) return []
    const [family, table, name] = [
      text(field(chain, 'family')),
      text(field(chain, 'table')),
      text(field(chain, 'name')),
    ]
    return [{ family, table, name, base: baseOf(chain), rules: rules.get(chainKey(family, table, name)) ?? [] }]
  })
}

function chainKey(...names: readonly string[]): string {
  return names.join('\0')
}

function baseOf(chain: unknown): Chain['base'] {
  const hook = field(chain, 'hook')
  if (typeof hook !== 'string') return undefined
  return { type: text(field(chain, 'type')), hook, policy: field(chain, 'policy') === 'drop' ? 'drop' : 'accept' }
}

function decodeRule(rule: unknown): Rule {
  const handle = field(rule, 'handle')
  const comment = field(rule, 'comment')
  const statements = list(field(rule, 'expr'))
  const verdicts = statements.flatMap((one) => verdictOf(one) ?? [])
  return {
    handle: typeof handle === 'number' ? handle : 0,
    comment: typeof comment === 'string' ? comment : undefined,
    conditions: statements.flatMap(conditionsOf),
    verdict: verdicts[0],
  }
}

/** Statements that change nothing of a packet's fate. */
const HARMLESS = new Set(['counter', 'log', 'mangle', 'notrack', 'ct helper', 'meter', 'flow', 'secmark'])

/** The same of iptables' targets. */
const PASSING_TARGETS = new Set(['LOG', 'NFLOG', 'MARK', 'CONNMARK', 'TRACE', 'TCPMSS', 'CT', 'SET', 'DSCP'])

function verdictOf(statement: unknown): Verdict | undefined {
  const [name] = keys(statement)
  switch (name) {
    case 'accept':
    case 'drop':
    case 'return':
      return { kind: name }
    case 'reject':
      return { kind: 'drop' }
    case 'jump':
    case 'goto':
      return { kind: name, chain: text(field(field(statement, name), 'target')) }
    case 'xt': {
      const xt = field(statement, 'xt')
      return field(xt, 'type') === 'target' && !PASSING_TARGETS.has(text(field(xt, 'name')))
        ? { kind: 'unknown' }
        : undefined
    }
    case 'match':
    case 'limit':
      return undefined
    default:
      return name === undefined || HARMLESS.has(name) ? undefined : { kind: 'unknown' }
  }
}

function conditionsOf(statement: unknown): readonly Condition[] {
  const [name] = keys(statement)
  if (name === 'match') return matchOf(field(statement, 'match'))
  // A comment of iptables' is a match that always holds.
  if (name === 'xt') {
    const xt = field(statement, 'xt')
    const holds = field(xt, 'type') === 'target' || field(xt, 'name') === 'comment'
    return holds ? [] : [UNKNOWN]
  }
  return name === 'limit' ? [UNKNOWN] : []
}

const UNKNOWN: Condition = { subject: 'unknown' }

function matchOf(match: unknown): readonly Condition[] {
  const op = field(match, 'op')
  const values = valuesOf(field(match, 'right'))
  const subject = subjectOf(field(match, 'left'))
  if (subject === undefined || values === undefined || (op !== '==' && op !== '!=' && op !== 'in')) return [UNKNOWN]
  return [...subject.implied, { subject: subject.is, values, negated: op === '!=' }]
}

const META: Readonly<Record<string, Subject>> = {
  iifname: 'inLink',
  iif: 'inLink',
  oifname: 'outLink',
  oif: 'outLink',
  nfproto: 'family',
  l4proto: 'protocol',
}
const ADDRESSES: Readonly<Record<string, Subject>> = { saddr: 'source', daddr: 'destination' }
const FAMILY_NAMES: Readonly<Record<string, string>> = { ip: 'ipv4', ip6: 'ipv6' }

function subjectOf(left: unknown): { readonly is: Subject; readonly implied: readonly Condition[] } | undefined {
  const meta = META[text(field(field(left, 'meta'), 'key'))]
  if (meta !== undefined) return { is: meta, implied: [] }
  if (text(field(field(left, 'ct'), 'key')) === 'state') return { is: 'state', implied: [] }
  const payload = field(left, 'payload')
  const protocol = text(field(payload, 'protocol'))
  const what = text(field(payload, 'field'))
  const family = FAMILY_NAMES[protocol]
  if (family !== undefined) {
    const implied: Condition[] = [{ subject: 'family', values: [family], negated: false }]
    const address = ADDRESSES[what]
    if (address !== undefined) return { is: address, implied }
    return what === 'protocol' || what === 'nexthdr' ? { is: 'protocol', implied } : undefined
  }
  if (what !== 'dport') return undefined
  if (protocol === 'th') return { is: 'port', implied: [] }
  return { is: 'port', implied: [{ subject: 'protocol', values: [protocol], negated: false }] }
}

/** Values as text: names, numbers, networks as `address/length`. Undefined where one is anything else. */
function valuesOf(right: unknown): readonly string[] | undefined {
  const set = field(right, 'set')
  const items = Array.isArray(right) ? right : Array.isArray(set) ? set : [right]
  const values = items.map(oneValue)
  return values.every((value) => value !== undefined) ? values : undefined
}

function oneValue(item: unknown): string | undefined {
  if (typeof item === 'number') return String(item)
  // `@name` is a set whose elements are elsewhere.
  if (typeof item === 'string') return item.startsWith('@') ? undefined : item
  const prefix = field(item, 'prefix')
  const [address, length] = [field(prefix, 'addr'), field(prefix, 'len')]
  return typeof address === 'string' && typeof length === 'number' ? `${address}/${length}` : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined
}

function keys(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
