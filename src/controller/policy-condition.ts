/**
 * What the status of a policy says: whether everything in it is understood and done.
 * @module
 */
import type { PolicyProblem } from '../network/model/policy.ts'
import { type ConditionsTold, withCondition } from './condition.ts'

/** The type of the condition. What other programs say of a policy stands beside it. */
const ACCEPTED = 'Accepted'

/** Why a policy is not accepted; also the reason of the events of kinds that have no status. */
export const NOT_UNDERSTOOD = 'PolicyNotUnderstood'

const FINE = { status: 'True', reason: ACCEPTED, message: 'All that it says is understood, and done.' } as const

const MAX_MESSAGE = 1024

/** The problems of a policy as one line. */
export function problemsText(problems: readonly PolicyProblem[]): string {
  const text = problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ')
  const whole = `${text}. What is not understood allows nobody, and denies everybody that it could deny.`
  return whole.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : whole
}

/** A policy's conditions with ours, or undefined when they say it already. Those of others stay as they are. */
export function conditionsWith(
  problems: readonly PolicyProblem[],
  told: ConditionsTold,
  now: Date,
): readonly unknown[] | undefined {
  const isFine = problems.length === 0
  const words = isFine ? FINE : ({ status: 'False', reason: NOT_UNDERSTOOD, message: problemsText(problems) } as const)
  return withCondition({ type: ACCEPTED, ...words }, told, now)
}
