/**
 * What becomes of a node's ranges of one family, by what its agent says of them: said by the controller. Pure.
 *
 * A range is taken back in three steps, each of which stands in the node's own record, so that whoever dies in between leaves
 * nothing wrong: the controller closes a range that the agent could do without; the agent, which gives nothing out of a closed
 * range, says that it is empty; the controller takes it away. The agent repeats the number that the range was closed with.
 * So a word that was said before, or is late, takes nothing from pods that came since.
 * @module
 */
import type { Cidr } from '../network/model/address.ts'
import type { ClosingRange, UnusedRange } from '../network/model/node.ts'

/** What is known of a node's ranges of a family. */
export interface RangeState {
  /** Those it has, in its order. The first is its own for good. */
  readonly ranges: readonly Cidr[]
  readonly closing: readonly ClosingRange[]
  /** How many it is to have open; at least one. */
  readonly wants: number
  /** Those that its agent could do without, and those that are closed and empty. */
  readonly unused: readonly UnusedRange[]
  /** How many it may have. */
  readonly most: number
  /** The number that is put on what is closed now, higher than any before. Absent: nothing is. */
  readonly revision?: number
}

/** What is to be. */
export interface RangeChange {
  readonly ranges: readonly Cidr[]
  readonly closing: readonly ClosingRange[]
  /** How many are to be added to them. */
  readonly lacks: number
}

/** The next step. Nothing is taken away that was not closed, and said to be empty since. */
export function rangeChange(state: RangeState): RangeChange {
  const { wants, unused, most, revision } = state
  const [first] = state.ranges
  const isEmpty = ({ range, since }: ClosingRange) => unused.some((one) => one.range === range && one.since === since)
  const closed = state.closing.filter(({ range }) => range !== first && state.ranges.includes(range))
  const gone = new Set(closed.filter(isEmpty).map(({ range }) => range))
  const ranges = state.ranges.filter((range) => !gone.has(range))
  const left = closed.filter(({ range }) => !gone.has(range))
  const missing = Math.min(wants, Math.max(most, 1)) - (ranges.length - left.length)
  // What pods may still live in is opened again before anything new is given.
  if (missing > 0) {
    const closing = left.slice(missing)
    return {
      ranges,
      closing,
      lacks: Math.min(missing - (left.length - closing.length), Math.max(most, 1) - ranges.length),
    }
  }
  const idle = unused.find(
    ({ range, since }) =>
      since === undefined && range !== first && ranges.includes(range) && !left.some((one) => one.range === range),
  )
  if (missing === 0 || idle === undefined || revision === undefined) return { ranges, closing: left, lacks: 0 }
  return { ranges, closing: [...left, { range: idle.range, since: revision }], lacks: 0 }
}
