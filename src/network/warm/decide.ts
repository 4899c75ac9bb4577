/**
 * How many ports are kept ready. Between two marks nothing is done, so that pods that come and go in turn make nobody fetch and withdraw
 * in turn. Pure.
 * @module
 */
import type { PoolSizes } from '../model/neutron.ts'

/** What is known of the ports of one node in one network that have the same security groups. */
export interface PoolState {
  /** `min` counts for the groups of pods that ask for none; others are made when somebody asks. */
  readonly sizes: PoolSizes
  /** Everything that counts against `max`: also what others than these groups have, and what is about to go. */
  readonly total: number
  /** Those that may be given to a pod now. They go in this order where there are too many. */
  readonly idle: readonly string[]
  /** So many pods wait for one. */
  readonly wanted: number
  /** So many are likely to be asked for while more are made. */
  readonly demand: number
  /** What the project may still make; absent: not known. */
  readonly quotaLeft?: number
  /** Addresses that are free, or places in a list; absent: not known. */
  readonly free?: number
}

/** What to do. */
export type PoolDecision =
  | { readonly do: 'fetch'; readonly n: number; readonly limit?: PoolLimit }
  /** They are to go once the node agrees. */
  | { readonly do: 'withdraw'; readonly ids: readonly string[] }
  | { readonly do: 'wait'; readonly limit?: PoolLimit }

/** What keeps a pool smaller than it should be. */
export type PoolLimit = 'max' | 'quota' | 'free'

/** What to do about a pool. */
export function decidePool({ sizes, total, idle, wanted, demand, quotaLeft, free }: PoolState): PoolDecision {
  const { min, max, batch } = sizes
  const low = min + wanted + Math.ceil(demand)
  const missing = Math.min(low - idle.length, batch)
  if (missing > 0) {
    const limits: readonly (readonly [PoolLimit, number])[] = [
      ['max', max - total],
      ['quota', quotaLeft ?? Number.POSITIVE_INFINITY],
      ['free', free ?? Number.POSITIVE_INFINITY],
    ]
    const [limit, most] = limits.reduce((tightest, one) => (one[1] < tightest[1] ? one : tightest))
    const n = Math.max(0, Math.min(missing, most))
    const by = n < missing ? { limit } : {}
    if (n > 0) return { do: 'fetch', n, ...by }
    const above = total - max
    // An administrator made it smaller: who waits has to wait for others' end.
    if (above > 0 && idle.length > wanted) return withdraw(idle, Math.min(above, idle.length - wanted))
    return { do: 'wait', ...by }
  }
  const tooMany = Math.max(total - max, idle.length > highMark(low, batch) ? idle.length - low - batch : 0)
  return tooMany > 0 ? withdraw(idle, Math.min(tooMany, idle.length - wanted)) : { do: 'wait' }
}

/** How many may be ready before some of them go. What is fetched at once fits in below, and so does what is left after that. */
function highMark(low: number, batch: number): number {
  return low + 2 * batch
}

/** The last of them: whoever leases takes the first. */
function withdraw(idle: readonly string[], n: number): PoolDecision {
  return n > 0 ? { do: 'withdraw', ids: idle.slice(-n) } : { do: 'wait' }
}
