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

/** Why a network set is not what it says. */
export const SET_NOT_UNDERSTOOD = 'NetworkSetNotUnderstood'

const FINE = { status: 'True', reason: ACCEPTED, message: 'All that it says is understood, and done.' } as const

const MAX_MESSAGE = 1024

/** The problems of a policy as one line. `isUnread`: a selector of it cannot be read. */
export function problemsText(problems: readonly PolicyProblem[], isUnread = false): string {
  const closed = 'hat is not understood allows nobody, and denies everybody that it could deny.'
  const kept = 'Until that is corrected, agents go on with what the policy last said; where they do not know that, w'
  return withEnding(problems, `${isUnread ? kept : 'W'}${closed}`)
}

/** The problems of a network set as one line. */
export function setProblemsText(problems: readonly PolicyProblem[]): string {
  const ending =
    'Until that is corrected, agents go on with what the set last held; where they do not know, rules that deny or pass it on deny everybody.'
  return withEnding(problems, ending)
}

function withEnding(problems: readonly PolicyProblem[], ending: string): string {
  const room = MAX_MESSAGE - ending.length - 3
  const text = problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ')
  return `${text.length > room ? `${text.slice(0, room)}…` : text}. ${ending}`
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
