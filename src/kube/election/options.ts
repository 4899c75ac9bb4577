/**
 * What an election is held with.
 * @module
 */
import type { KubeApi, ObjectName } from '../api.ts'
import { configError } from '../config.ts'
import type { ElectionTiming, Moment } from './contender.ts'

/** How to take part in an election. Times are in milliseconds. */
export interface LeadOptions {
  readonly api: KubeApi
  /** The lease that all contenders share. It is made when it is not there. */
  readonly lease: Required<ObjectName>
  /** Who we are, in the lease, for people: by {@link identityOf}. */
  readonly identity: string
  /** client-go's when absent: 15 s, 10 s and 2 s. All contenders need the same. */
  readonly timing?: ElectionTiming
  /** Called with whoever is seen to lead, whenever that changes; empty for nobody. */
  readonly onLeader?: (holder: string) => void
  /** Called for every request that failed. It is repeated. */
  readonly onError?: (error: unknown) => void
  readonly random?: () => number
  readonly now?: () => Moment
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** client-go's numbers, which most programs have. */
export const TIMING: ElectionTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

/** A name for one process: two of one host are told apart, and one from its predecessor. */
export function identityOf(host: string): string {
  return `${host}_${crypto.randomUUID()}`
}

/** Throws `KUBE_CONFIG` for times with which two could lead at once, or nobody for long. */
export function checkedTiming({ leaseDuration, renewDeadline, retryPeriod }: ElectionTiming = TIMING): ElectionTiming {
  // A third of the duration is left for clocks that run at different rates, and for what is on its way.
  const isSafe = leaseDuration >= renewDeadline * 1.5 && renewDeadline >= retryPeriod * 3 && retryPeriod > 0
  if (isSafe && leaseDuration <= 3_600_000) return { leaseDuration, renewDeadline, retryPeriod }
  throw configError(
    'the times of the election do not fit each other',
    'let the renew deadline be at most two thirds of the lease duration and the retry period a third of that at most',
  )
}

/** By both clocks of this machine. */
export function moment(): Moment {
  return { monotonic: performance.now(), wall: Date.now() }
}
