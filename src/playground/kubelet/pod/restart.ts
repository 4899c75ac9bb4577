/**
 * When a container that ended runs again. Pure.
 * @module
 */
import type { ExitedState } from './facts.ts'
import type { Pod } from './pod.ts'

/** Milliseconds; see {@link TIMING}. */
export interface RestartTiming {
  /** Before the second restart in a row; every further one waits twice as long. */
  readonly backoff: number
  readonly mostBackoff: number
  /** A run this long begins the count anew. */
  readonly stable: number
}

/** Kubernetes' own. */
export const TIMING: RestartTiming = { backoff: 10_000, mostBackoff: 300_000, stable: 600_000 }

/** Whether a container that ended is to run again. */
export function restarts(policy: Pod['restartPolicy'], { end }: ExitedState): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && end.exitCode !== 0)
}

/** How a container that ended goes on: the crashes in a row, the waiting time, and when it may run. */
export function restartOf(
  { end, streak }: ExitedState,
  { backoff, mostBackoff, stable }: RestartTiming,
): { readonly streak: number; readonly delay: number; readonly at: number } {
  const lived = end.finishedAt - (end.startedAt ?? end.finishedAt)
  const row = lived >= stable ? 1 : streak + 1
  // The first restart comes at once.
  const delay = row === 1 ? 0 : Math.min(mostBackoff, backoff * 2 ** Math.min(row - 2, 30))
  return { streak: row, delay, at: end.finishedAt + delay }
}
