/**
 * Acceptance in filters of others. An acceptance in our own table does not count where another table drops, so there
 * has to be one in `ip filter`, which iptables (and Docker with it) sets to drop what is forwarded: a rule at the head of
 * each chain in question, which leads to a chain of ours.
 * @module
 */
import type { Chain, Condition, Rule } from './ruleset.ts'

/** One family's acceptance: a rule at the head of each of these chains that exists, to a chain of ours. */
export interface ForeignAcceptance {
  readonly family: 'ip' | 'ip6'
  readonly table: string
  readonly heads: readonly string[]
  /** What the chain of ours accepts, a rule each. */
  readonly accepted: readonly Accepted[]
}

/** What comes from or goes to a link, or a network. */
export interface Accepted {
  readonly subject: keyof typeof MATCHES
  /** A link's name, or `address/length`. */
  readonly value: string
}

/** Who has something accepted: several programs of ours may, each in a chain of its own. */
export interface AcceptanceOwner {
  readonly chain: string
  /** What the rules at the heads say of themselves. */
  readonly comment: string
}

/** The agent's, for pods. */
export const ACCEPTANCE_CHAIN = 'WEFT-FORWARD'
const AGENT: AcceptanceOwner = { chain: ACCEPTANCE_CHAIN, comment: 'weft: pods' }
const TABLE = 'filter'
const HEADS = ['FORWARD', 'DOCKER-USER']

/** How nft writes and decodes a match. */
const MATCHES = { inLink: 'iifname', outLink: 'oifname', source: 'saddr', destination: 'daddr' } as const

/** The acceptance of what is forwarded from and to links. */
export function forwardAcceptance(family: 'ip' | 'ip6', links: readonly string[]): ForeignAcceptance {
  const accepted = links.flatMap((value) => (['inLink', 'outLink'] as const).map((subject) => ({ subject, value })))
  return { family, table: TABLE, heads: HEADS, accepted }
}

/** The acceptance of what is forwarded from and to networks. */
export function networkAcceptance(family: 'ip' | 'ip6', networks: readonly string[]): ForeignAcceptance {
  const accepted = networks.flatMap((value) =>
    (['source', 'destination'] as const).map((subject) => ({ subject, value })),
  )
  return { family, table: TABLE, heads: HEADS, accepted }
}

/**
 * What brings the filters of others to these acceptances and removes every other rule of the owner, as one transaction in
 * nft(8)'s language; undefined when all is right. With nothing wanted it removes all.
 */
export function acceptanceScript(
  wanted: readonly ForeignAcceptance[],
  chains: readonly Chain[],
  owner: AcceptanceOwner = AGENT,
): string | undefined {
  const lines = (['ip', 'ip6'] as const).flatMap((family) => {
    const present = chains.filter((chain) => chain.family === family && chain.table === TABLE)
    const acceptance = wanted.find((one) => one.family === family)
    const heads = present.filter(({ name }) => acceptance?.heads.includes(name))
    return acceptance === undefined || heads.length === 0
      ? remove(present, owner)
      : ensure(acceptance, heads, present, owner)
  })
  return lines.length === 0 ? undefined : `${lines.join('\n')}\n`
}

function ensure(
  wanted: ForeignAcceptance,
  heads: readonly Chain[],
  present: readonly Chain[],
  owner: AcceptanceOwner,
): readonly string[] {
  const own = present.find(({ name }) => name === owner.chain)
  const place = `${wanted.family} ${wanted.table}`
  const content = [
    `add chain ${place} ${owner.chain}`,
    `flush chain ${place} ${owner.chain}`,
    ...wanted.accepted.map((one) => `add rule ${place} ${owner.chain} ${matchOf(wanted.family, one)} counter accept`),
  ]
  const elsewhere = present.filter((chain) => !heads.includes(chain))
  return [
    ...(own !== undefined && isContent(own.rules, wanted) ? [] : content),
    ...elsewhere.flatMap((chain) => removeRules(chain, owner)),
    ...heads.flatMap((head) => {
      const ours = head.rules.filter((rule) => isOurs(rule, owner))
      const [first] = ours
      if (ours.length === 1 && first !== undefined && isAtHead(head.rules, first) && isUnconditional(first, owner)) {
        return []
      }
      const rule = `counter jump ${owner.chain} comment "${owner.comment}"`
      return [...removeRules(head, owner), `insert rule ${place} ${head.name} ${rule}`]
    }),
  ]
}

function matchOf(family: 'ip' | 'ip6', { subject, value }: Accepted): string {
  const isLink = subject === 'inLink' || subject === 'outLink'
  return isLink ? `${MATCHES[subject]} "${value}"` : `${family} ${MATCHES[subject]} ${value}`
}

function remove(present: readonly Chain[], owner: AcceptanceOwner): readonly string[] {
  const own = present.find(({ name }) => name === owner.chain)
  const rules = present.filter((chain) => chain !== own).flatMap((chain) => removeRules(chain, owner))
  if (own === undefined) return rules
  const place = `${own.family} ${own.table} ${own.name}`
  return [...rules, `flush chain ${place}`, `delete chain ${place}`]
}

function removeRules({ family, table, name, rules }: Chain, owner: AcceptanceOwner): readonly string[] {
  return rules
    .filter((rule) => isOurs(rule, owner))
    .map(({ handle }) => `delete rule ${family} ${table} ${name} handle ${handle}`)
}

/** By its comment, and by where it leads: iptables-restore writes comments in a way that nft does not show. */
function isOurs({ comment, verdict }: Rule, { comment: own, chain }: AcceptanceOwner): boolean {
  return comment === own || (verdict?.kind === 'jump' && verdict.chain === chain)
}

/** Before everybody else's. Programs of ours that each put theirs in front would never come to rest. */
function isAtHead(rules: readonly Rule[], rule: Rule): boolean {
  return rules
    .slice(0, rules.indexOf(rule))
    .every(({ verdict }) => verdict?.kind === 'jump' && verdict.chain.startsWith('WEFT-'))
}

function isUnconditional({ conditions, verdict }: Rule, { chain }: AcceptanceOwner): boolean {
  return conditions.length === 0 && verdict?.kind === 'jump' && verdict.chain === chain
}

function isContent(rules: readonly Rule[], { family, accepted }: ForeignAcceptance): boolean {
  return (
    rules.length === accepted.length &&
    rules.every(({ conditions, verdict }, i) => {
      const [condition, ...more] = conditions.filter((one) => !isOfFamily(one, family))
      if (condition === undefined || condition.subject === 'unknown' || more.length > 0) return false
      const { subject, values, negated } = condition
      const wanted = accepted[i]
      const same = subject === wanted?.subject && values.length === 1 && values[0] === wanted.value && !negated
      return same && verdict?.kind === 'accept'
    })
  )
}

/** What nft says of a match on an address: which family it is. */
function isOfFamily(condition: Condition, family: 'ip' | 'ip6'): boolean {
  if (condition.subject !== 'family' || condition.negated) return false
  return condition.values.length === 1 && condition.values[0] === (family === 'ip' ? 'ipv4' : 'ipv6')
}
