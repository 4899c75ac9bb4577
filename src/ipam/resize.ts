/**
 * How a pool that was made for an application follows its size.
 * @module
 */
import type { IpRange } from '../network/model/ip-range.ts'
import { firstOf, type RangeSet, rangeSet, sizeOf, without } from './range-set.ts'

/** What a pool is resized by. */
export interface Resize {
  readonly current: readonly IpRange[]
  /** Of these somebody has each: they stay. */
  readonly used: readonly IpRange[]
  /** What can be added, without what others have. */
  readonly free: readonly IpRange[]
  /** How many addresses it is to have. */
  readonly wanted: number
}

/**
 * The addresses of a pool of that size: it grows by the first that are free, and shrinks by the last that are unused.
 * What is used stays, so it may be larger; what is not there cannot be added, so it may be smaller.
 */
export function resized({ current, used, free, wanted }: Resize): RangeSet {
  const now = rangeSet(current)
  const missing = BigInt(wanted) - sizeOf(now)
  if (missing >= 0n) return rangeSet([...now, ...firstOf(without(free, now), Number(missing))])
  const unused = without(now, used)
  const kept = without(now, unused)
  const room = BigInt(wanted) - sizeOf(kept)
  return rangeSet([...kept, ...firstOf(unused, room > 0n ? Number(room) : 0)])
}
