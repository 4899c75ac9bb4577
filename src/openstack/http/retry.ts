/**
 * Which failed attempts are worth another one. Pure.
 * @module
 */

/** An attempt that failed. */
export interface Failure {
  /** HTTP status; absent: there was no answer, or not all of it. */
  readonly status?: number
  /** It never reached the server. */
  readonly isUnsent?: boolean
  /** Seconds, or a date, as the server wrote it. */
  readonly retryAfter?: string | null
}

/** Answers that another attempt may better. 500 is among them: Neutron answers it for what it lost a race about. */
const PASSING = new Set([429, 500, 502, 503, 504])
/** Nobody waits longer than this because a server says so. */
const MOST_PAUSE = 20_000

/**
 * Whether to try again. What may be done twice is tried after everything that may pass. What may not (`POST`) only where it is
 * certain that nobody carried it out: who gets a 503 from something in front of Neutron cannot know what Neutron did, and
 * has to look before doing it again.
 */
export function mayTryAgain({ status, isUnsent = false }: Failure, isSafe: boolean): boolean {
  if (isUnsent || status === 429) return true
  return isSafe && (status === undefined || PASSING.has(status))
}

/** Whether the call may have been carried out all the same. Who answers 501 knows of no way to. */
export function isUncertain({ status, isUnsent = false }: Failure, isSafe: boolean): boolean {
  return !isSafe && !isUnsent && (status === undefined || (status >= 500 && status !== 501))
}

/** How long the server asks to be left alone, in milliseconds; undefined where it says nothing that can be followed. */
export function askedPause({ retryAfter }: Failure, now: number): number | undefined {
  if (retryAfter === undefined || retryAfter === null) return undefined
  const asked = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), MOST_PAUSE)
}
