/**
 * Acceptance in filters of others. An acceptance in our own table does not count where another table drops, so there
 * has to be one in `ip filter`, which iptables (and Docker with it) sets to drop what is forwarded: a rule at the head of
 * each chain in question, which leads to a chain of ours.
 * @module
 */
import type { Chain, Rule } from './ruleset.ts'

/** One family's acceptance: a rule at the head of each of these chains that exists, to a chain of ours. */
export interface ForeignAcceptance {
  readonly family: 'ip' | 'ip6'
  readonly table: string
  readonly heads: readonly string[]
  /** Our chain: accepts what comes from this link or goes to it. */
  readonly chain: string
  readonly link: string
}

/** The chain of ours in the table `filter`, and what our rules say of themselves. */
export const ACCEPTANCE_CHAIN = 'WEFT-FORWARD'
const ACCEPTANCE_COMMENT = 'weft: pods'
const TABLE = 'filter'

/** The acceptance of what is forwarded from and to a link. */
export function forwardAcceptance(family: 'ip' | 'ip6', link: string): ForeignAcceptance {
  return { family, table: TABLE, heads: ['FORWARD', 'DOCKER-USER'], chain: ACCEPTANCE_CHAIN, link }
}

/**
 * What brings the filters of others to these acceptances and removes every other rule of ours, as one transaction in
 * nft(8)'s language; undefined when all is right. With nothing wanted it removes all.
 */
export function acceptanceScript(wanted: readonly ForeignAcceptance[], chains: readonly Chain[]): string | undefined {
  const lines = (['ip', 'ip6'] as const).flatMap((family) => {
    const present = chains.filter((chain) => chain.family === family && chain.table === TABLE)
    const acceptance = wanted.find((one) => one.family === family)
    const heads = present.filter(({ name }) => acceptance?.heads.includes(name))
    return acceptance === undefined || heads.length === 0 ? remove(present) : ensure(acceptance, heads, present)
  })
  return lines.length === 0 ? undefined : `${lines.join('\n')}\n`
}

function ensure(wanted: ForeignAcceptance, heads: readonly Chain[], present: readonly Chain[]): readonly string[] {
  const own = present.find(({ name }) => name === wanted.chain)
  const place = `${wanted.family} ${wanted.table}`
  const content = [
    `add chain ${place} ${wanted.chain}`,
    `flush chain ${place} ${wanted.chain}`,
    ...(['iifname', 'oifname'] as const).map(
      (side) => `add rule ${place} ${wanted.chain} ${side} "${wanted.link}" counter accept`,
    ),
  ]
  const elsewhere = present.filter((chain) => !heads.includes(chain))
  return [
    ...(own !== undefined && isContent(own.rules, wanted.link) ? [] : content),
    ...elsewhere.flatMap((chain) => removeRules(chain)),
    ...heads.flatMap((head) => {
      const ours = head.rules.filter(isOurs)
      const [first] = ours
      if (ours.length === 1 && first === head.rules[0] && first !== undefined && isUnconditional(first)) return []
      const rule = `counter jump ${wanted.chain} comment "${ACCEPTANCE_COMMENT}"`
      return [...removeRules(head), `insert rule ${place} ${head.name} ${rule}`]
    }),
  ]
}

function remove(present: readonly Chain[]): readonly string[] {
  const own = present.find(({ name }) => name === ACCEPTANCE_CHAIN)
  const rules = present.filter((chain) => chain !== own).flatMap((chain) => removeRules(chain))
  if (own === undefined) return rules
  const place = `${own.family} ${own.table} ${own.name}`
  return [...rules, `flush chain ${place}`, `delete chain ${place}`]
}

function removeRules({ family, table, name, rules }: Chain): readonly string[] {
  return rules.filter(isOurs).map(({ handle }) => `delete rule ${family} ${table} ${name} handle ${handle}`)
}

/** By its comment, and by where it leads: iptables-restore writes comments in a way that nft does not show. */
function isOurs({ comment, verdict }: Rule): boolean {
  return comment === ACCEPTANCE_COMMENT || (verdict?.kind === 'jump' && verdict.chain === ACCEPTANCE_CHAIN)
}

function isUnconditional({ conditions, verdict }: Rule): boolean {
  return conditions.length === 0 && verdict?.kind === 'jump' && verdict.chain === ACCEPTANCE_CHAIN
}

function isContent(rules: readonly Rule[], link: string): boolean {
  const sides = ['inLink', 'outLink']
  return (
    rules.length === sides.length &&
    rules.every(({ conditions: [condition, ...more], verdict }, i) => {
      if (condition === undefined || condition.subject === 'unknown' || more.length > 0) return false
      const { subject, values, negated } = condition
      const links = values.length === 1 && values[0] === link && !negated
      return subject === sides[i] && links && verdict?.kind === 'accept'
    })
  )
}
