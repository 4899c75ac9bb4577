/**
 * What a measurement says: numbers of ours, of a peer in the same run, and the target that DESIGN section 8 sets.
 * @module
 */

/** What is to hold: a bound on our number, or on ours divided by the peer's. */
export interface Target {
  readonly of: 'ours' | 'ratio'
  readonly atMost?: number
  readonly atLeast?: number
}

/** One line of the table. */
export interface Result {
  readonly what: string
  readonly unit: string
  /** Absent: there is none, and the note says why. */
  readonly ours?: number
  readonly peer?: number
  /** Who the peer is, where it is not `bridge` + `host-local`. */
  readonly peerName?: string
  readonly target?: Target
  readonly note?: string
  /** Where it stands in a table of rows and columns; absent: it is a line of its own. */
  readonly cell?: { readonly row: string; readonly column: string }
}

/** A result, judged. */
export interface Judged extends Result {
  /** Ours divided by the peer's. */
  readonly ratio: number | undefined
  /** Undefined where there is no target. */
  readonly met: boolean | undefined
}

/** Says whether a result meets its target. */
export function judge(result: Result): Judged {
  const ratio = result.peer === undefined || result.ours === undefined ? undefined : result.ours / result.peer
  const { target } = result
  const value = target?.of === 'ratio' ? ratio : result.ours
  const met =
    target === undefined || value === undefined
      ? undefined
      : value <= (target.atMost ?? Number.POSITIVE_INFINITY) && value >= (target.atLeast ?? 0)
  return { ...result, ratio, met }
}

/** The value that a share `p` of the samples does not exceed. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}
