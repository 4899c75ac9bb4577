/**
 * The rule that would have allowed a connection if one of its two lists were another.
 * @module
 */
import type { Policy, PolicyRule } from '../../network/model/policy.ts'
import { type Question, ruleMatch } from '../../network/policy/oracle-rule.ts'
import { listWords } from '../../network/policy/rule-names.ts'
import { peerWords, portWords } from '../policy-words.ts'
import { peersField, portsField, ruleFields } from './field-of.ts'

/** A rule that nearly allows a connection. */
export interface Nearest {
  readonly policy: Policy
  /** What would have to be another: `spec.ingress[0].ports[0]`. */
  readonly field: string
  /** What stands there: `tcp port 80`. */
  readonly allows: string
  /** The list that it stands in: `spec.ingress[0].ports`. */
  readonly list: string
  readonly off: 'ports' | 'peers'
}

/** The first rule whose ports alone keep it from allowing the connection, else the first whose peers do. */
export function nearestOf(policies: readonly Policy[], question: Question): Nearest | undefined {
  return find(policies, question, 'ports') ?? find(policies, question, 'peers')
}

function find(policies: readonly Policy[], question: Question, off: Nearest['off']): Nearest | undefined {
  for (const policy of policies) {
    for (const [index, rule] of (policy[question.direction] ?? []).entries()) {
      if (rule.action !== 'allow' || (rule[off]?.length ?? 0) === 0) continue
      const { [off]: _, ...rest } = rule
      if (ruleMatch(policy, rest, index, question) !== undefined) return describe(policy, rule, index, question, off)
    }
  }
  return undefined
}

function describe(policy: Policy, rule: PolicyRule, index: number, question: Question, off: Nearest['off']): Nearest {
  const { direction } = question
  const words = off === 'ports' ? (rule.ports ?? []).map(portWords) : (rule.peers ?? []).map(peerWords)
  const list = (off === 'ports' ? portsField : peersField)(policy, direction, index)
  const fields = ruleFields(policy, { direction, index, ...(off === 'ports' ? { port: 0 } : { peer: 0 }) })
  const only = off === 'ports' ? fields.port : fields.peer
  return { policy, field: words.length === 1 ? (only ?? list) : list, allows: listWords(words), list, off }
}
