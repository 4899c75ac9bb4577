/**
 * What a controller remembers of a pool between two passes.
 * @module
 */
import type { PoolProblem } from '../../network/model/neutron.ts'
import { type Demand, NO_DEMAND } from '../../network/warm/demand.ts'
import type { Backoff } from '../../registry/backoff.ts'
import type { Place } from './place.ts'

/** What is remembered of a pool: nothing that is not found out again after a restart. */
export class PoolMemory {
  /** Neutron was looked at since whatever left doubt. */
  isSure = false
  place: { readonly at: number; readonly for: string; readonly place: Place } | undefined
  problem: PoolProblem | undefined
  refused: readonly PoolProblem[] = []
  /** Milliseconds since 1970: it is left alone until then. */
  notBefore = 0
  demand: Demand = NO_DEMAND
  leased: ReadonlySet<string> | undefined
  readonly #patience: Backoff

  constructor(patience: Backoff) {
    this.#patience = patience
  }

  succeeded(): void {
    this.#patience.reset()
    this.problem = undefined
    this.notBefore = 0
  }

  failed(problem: PoolProblem, now: number): void {
    this.problem = problem
    this.notBefore = now + this.#patience.next()
  }
}
