/**
 * What is wrong, for people: the case as small as it gets, and how to run it again.
 * @module
 */
import { peerWords, podSetWords, portWords } from '../../src/insight/policy-words.ts'
import type { Policy, PolicyRule } from '../../src/network/model/policy.ts'
import { policyTitle } from '../../src/network/policy/rule-names.ts'
import type { Decision } from '../../src/network/policy/verdict.ts'
import { textOf } from '../tables/policy/connections.ts'
import type { Disagreement } from './trial.ts'

/** `npm run test:policy -- <arguments>`. */
export function repeatLine(argumentsText: string): string {
  return `npm run test:policy -- ${argumentsText}`
}

/** One disagreement in a sentence. */
export function disagreementWords({ moment, connection, verdict, arrived }: Disagreement): string {
  const { allowed, egress, ingress } = verdict
  const why = [egress, ingress].map(decisionWords).join(', ')
  return `${textOf(connection)}: ${moment} ${arrived ? 'arrived' : 'did not arrive'}, and the oracle ${allowed ? 'allows' : 'denies'} it (${why})`
}

/** A policy, a line for each of its rules. */
export function policyWords(policy: Policy): readonly string[] {
  const { tier, priority, subject } = policy
  const order = tier === 'admin' || tier === 'baseline' ? `, ${tier}, priority ${priority}` : ''
  return [
    `${policyTitle(policy)} for ${podSetWords(subject)}${order}`,
    ...directionWords('ingress', 'from', policy.ingress),
    ...directionWords('egress', 'to', policy.egress),
  ]
}

function directionWords(name: string, way: string, rules: readonly PolicyRule[] | undefined): readonly string[] {
  if (rules === undefined) return []
  if (rules.length === 0) return [`  ${name}: no rules`]
  return rules.map((rule) => `  ${name}: ${ruleWords(rule, way)}`)
}

function ruleWords({ action, peers, ports }: PolicyRule, way: string): string {
  const who = peers === undefined ? 'anybody' : list(peers.map(peerWords), 'nobody')
  const which = ports === undefined ? '' : `, on ${list(ports.map(portWords), 'no port')}`
  return `${action} ${way} ${who}${which}`
}

function list(words: readonly string[], none: string): string {
  return words.length === 0 ? none : words.join(' or ')
}

function decisionWords(decision: Decision): string {
  if (decision.because !== 'rule') return decision.because
  const { policy, direction, index } = decision.rule
  return `${decision.allowed ? 'allowed' : 'denied'} by ${policyTitle(policy)}, ${direction} rule ${index}`
}
