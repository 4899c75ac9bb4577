/**
 * What the controller says of an object in the object's own status.
 * @module
 */
import { at, textAt } from '../compat/fields.ts'

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

/** What an object says of itself by now. */
export interface ConditionsTold {
  readonly conditions: readonly unknown[]
  readonly generation?: number | undefined
}

/** An object's conditions with this one, or undefined when they say it already. Those of other types stay as they are. */
export function withCondition(
  said: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>,
  { conditions, generation }: ConditionsTold,
  now: Date,
): readonly unknown[] | undefined {
  const before = conditions.find((one) => at(one, 'type') === said.type)
  const wanted = { ...said, ...(generation === undefined ? {} : { observedGeneration: generation }) }
  if (Object.entries(wanted).every(([key, value]) => at(before, key) === value)) return undefined
  const since = at(before, 'status') === wanted.status ? textAt(before, 'lastTransitionTime') : undefined
  const condition: Condition = { ...wanted, lastTransitionTime: since ?? `${now.toISOString().slice(0, 19)}Z` }
  return [...conditions.filter((one) => one !== before), condition]
}
