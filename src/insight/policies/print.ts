/**
 * Policies for people.
 * @module
 */

import { listWords, policyTitle } from '../../network/policy/rule-names.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, grouped, marked } from '../../text/words.ts'
import { ACTION_WORDS } from '../policy-words.ts'
import type { PolicyLook, PolicyLooks, RuleLook } from './policies.ts'

const COLUMNS: readonly Column[] = [
  { head: 'NAMESPACE' },
  { head: 'NAME' },
  { head: 'KIND' },
  { head: 'TIER' },
  { head: 'PODS', align: 'right' },
  { head: 'RULES, PACKETS' },
  { head: 'STATE' },
]

/** The lines of `weft policy list`. */
export function printPolicies({ policies, unreadable }: PolicyLooks, look: Look): string[] {
  if (policies.length === 0 && unreadable.length === 0)
    return ['There is no policy: whatever tenants allow is allowed.']
  const problems = policies.flatMap((policy) =>
    policy.problems.map(({ field, reason }) => `${policyTitle(policy)}: ${field}: ${reason}${keptWords(policy)}`),
  )
  return [
    ...table(
      COLUMNS,
      policies.map((policy) => row(policy, look)),
      look,
    ),
    ...[...problems, ...unreadable].flatMap((line) => marked(line, look)),
  ]
}

/** What becomes of a policy that cannot be read. */
function keptWords({ unread }: PolicyLook): string {
  if (unread === undefined) return ''
  const { kept, closed } = unread
  const goes = kept.length === 1 ? 'goes' : 'go'
  const on = kept.length === 0 ? [] : [`${listWords(kept, 5)} ${goes} on with what it said before`]
  const not = closed.length === 0 ? [] : [`${listWords(closed, 5)} never read it, and closed it`]
  return [...on, ...not].map((words) => `; ${words}`).join('')
}

function row(policy: PolicyLook, look: Look) {
  const { namespace, name, kind, pods } = policy
  return [
    namespace ?? '—',
    name,
    kind,
    tierWords(policy),
    String(pods),
    rulesOf(policy, look),
    stateWords(policy, look),
  ]
}

function tierWords({ tier, priority, order }: PolicyLook): string {
  if (tier === 'admin' || tier === 'baseline') return `${tier} ${priority}`
  if (order === undefined) return tier
  return order === -Number.MAX_VALUE ? `${tier}, first` : `${tier} ${order}`
}

function rulesOf({ rules, isolates }: PolicyLook, look: Look): readonly string[] {
  const nobody = isolates
    .filter((direction) => !rules.some((rule) => rule.direction === direction))
    .map((direction) => `${direction}: nobody`)
  return [...rules.map((rule) => ruleWords(rule, look)), ...nobody]
}

function ruleWords({ direction, index, action, name, packets }: RuleLook, look: Look): string {
  const called = name === undefined ? '' : ` “${name}”`
  return `${direction}[${index}]${called} ${ACTION_WORDS[action]}: ${grouped(packets, look)}`
}

function stateWords({ state, problems, missing, pods, unread }: PolicyLook, look: Look): readonly string[] {
  const waits = missing.length === 0 ? [] : [`not yet on ${missing.join(', ')}`]
  switch (state) {
    case 'applied':
      return ['applied']
    case 'unused':
      return ['selects no pod']
    case 'pending':
      return waits
    case 'problems':
      return [
        `${count(problems.length, 'problem', look)}, ${remains(unread)}`,
        ...waits,
        ...(pods === 0 ? ['selects no pod'] : []),
      ]
  }
}

function remains(unread: PolicyLook['unread']): string {
  if (unread === undefined || unread.kept.length === 0) return 'closed there'
  return unread.closed.length === 0 ? 'stays as it was' : `stays as it was on ${unread.kept.join(', ')}, else closed`
}
