/**
 * Conditions in a status: one per type, with the time of the last change of its status.
 * @module
 */
import { fields, list, text, timestamp } from './values.ts'

/** A condition to be shown. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** The condition of a type, as it stands in a list of conditions. */
export function conditionOf(conditions: unknown, type: string): Readonly<Record<string, unknown>> | undefined {
  return list(conditions)
    .map(fields)
    .find((one) => text(one['type']) === type)
}

/**
 * The list with these conditions in it; those of other types stay. Times change only where something is said anew, so
 * that saying it twice is no change. `updates` tells when the kind has `lastUpdateTime`.
 */
export function withConditions(
  before: unknown,
  wanted: readonly Condition[],
  now: number,
  { updates = false } = {},
): readonly unknown[] {
  const others = list(before).filter((one) => !wanted.some(({ type }) => type === fields(one)['type']))
  return [...others, ...wanted.map((one) => renewed(conditionOf(before, one.type), one, now, updates))]
}

/** The list without conditions of a type. */
export function withoutCondition(before: unknown, type: string): readonly unknown[] {
  return list(before).filter((one) => fields(one)['type'] !== type)
}

function renewed(
  before: Readonly<Record<string, unknown>> | undefined,
  wanted: Condition,
  now: number,
  updates: boolean,
): unknown {
  const { type, status, reason, message } = wanted
  if (before?.['status'] === status && before['reason'] === reason && before['message'] === message) return before
  const since = before?.['status'] === status ? text(before['lastTransitionTime']) : undefined
  const time = timestamp(now)
  return {
    type,
    status,
    reason,
    message,
    ...(updates ? { lastUpdateTime: time } : {}),
    lastTransitionTime: since ?? time,
  }
}
