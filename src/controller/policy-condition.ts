/**
 * What the status of a policy says: whether everything in it is understood and done.
 * @module
 */
import { at, textAt } from '../compat/fields.ts'
import type { PolicyProblem } from '../network/model/policy.ts'

/** A condition, as every object of the Kubernetes API has them (`meta/v1`). */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  /** In CamelCase, for programs. */
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

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
  { conditions, generation }: { readonly conditions: readonly unknown[]; readonly generation?: number | undefined },
  now: Date,
): readonly unknown[] | undefined {
  const before = conditions.find((one) => at(one, 'type') === ACCEPTED)
  const wanted: Omit<Condition, 'lastTransitionTime'> = {
    type: ACCEPTED,
    ...(problems.length === 0 ? FINE : { status: 'False', reason: NOT_UNDERSTOOD, message: problemsText(problems) }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  if (Object.entries(wanted).every(([key, value]) => at(before, key) === value)) return undefined
  const since = at(before, 'status') === wanted.status ? textAt(before, 'lastTransitionTime') : undefined
  const condition: Condition = { ...wanted, lastTransitionTime: since ?? `${now.toISOString().slice(0, 19)}Z` }
  return [...conditions.filter((one) => one !== before), condition]
}
