/**
 * The time for which somebody leads.
 * @module
 */
import { KubeError } from '../errors.ts'

/** The time for which we lead. What only a leader may do asks it first, each time. */
export interface Term {
  /** Counts up with every term of anybody. */
  readonly number: number
  /** Aborts when the term is over, before anybody else may begin theirs. */
  readonly signal: AbortSignal
  /**
   * Throws `KUBE_LEASE_LOST` when the term is over. It looks at the clocks: a process that was stopped for a while and
   * goes on learns of it here, before its timers tell.
   */
  assertHeld(): void
}

/** The failure of what only a leader may do. */
export function leaseLost(what: string): KubeError {
  return new KubeError('KUBE_LEASE_LOST', what, 'nothing: another replica leads, or this one will again')
}
