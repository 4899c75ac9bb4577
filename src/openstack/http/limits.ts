/**
 * How long a call may take, and how much it may bring.
 * @module
 */

/** Times are in milliseconds. */
export interface HttpLimits {
  /** For one attempt, to the last byte of its answer. */
  readonly attempt: number
  /** More for every object but the first of a call that is about many. */
  readonly each: number
  /** For a call with all its attempts and the pauses between them. */
  readonly total: number
  /** Attempts at most. */
  readonly attempts: number
  /** The longest answer in bytes. */
  readonly body: number
}

/** Neutron makes a port in half a second, and in about two where it is busy; many in one call one after the other. */
export const LIMITS: HttpLimits = { attempt: 30_000, each: 2_000, total: 60_000, attempts: 4, body: 64 << 20 }
