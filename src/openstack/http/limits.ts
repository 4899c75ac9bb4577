/**
 * How long a call may take, and how much it may bring.
 * @module
 */

/** Times are in milliseconds. */
export interface HttpLimits {
  /** For one attempt, to the last byte of its answer. */
  readonly attempt: number
  /** For a call with all its attempts and the pauses between them. */
  readonly total: number
  /** Attempts at most. */
  readonly attempts: number
  /** The longest answer in bytes. */
  readonly body: number
}

/**
 * Neutron makes a port in about two seconds where it is busy, and many in one call take many of them; its own servers in
 * front give up after a minute.
 */
export const LIMITS: HttpLimits = { attempt: 30_000, total: 60_000, attempts: 4, body: 64 << 20 }
