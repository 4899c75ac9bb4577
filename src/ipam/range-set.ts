/**
 * Sets of addresses as runs: what a pool gives out is some runs without others, and neither is ever written out one by one.
 * @module
 */
import { type Family, familyOf, formatIp, type Ip, ipValue } from '../network/model/address.ts'
import { type IpRange, rangeSize } from '../network/model/ip-range.ts'

/** Runs in order, of which no two touch; IPv4 before IPv6. */
export type RangeSet = readonly IpRange[]

/** The addresses in any of these. */
export function rangeSet(ranges: Iterable<IpRange>): RangeSet {
  return texts(merged([...ranges].map(spanOf)))
}

/** The addresses in `ranges` that are not in `taken`. */
export function without(ranges: Iterable<IpRange>, taken: Iterable<IpRange>): RangeSet {
  const holes = merged([...taken].map(spanOf))
  const left: Span[] = []
  let at = 0
  for (const span of merged([...ranges].map(spanOf))) {
    let { first } = span
    while (at < holes.length && isBefore(holes[at], span)) at += 1
    for (let i = at; i < holes.length; i += 1) {
      const hole = holes[i]
      if (hole === undefined || hole.family !== span.family || hole.first > span.last) break
      if (hole.first > first) left.push({ family: span.family, first, last: hole.first - 1n })
      if (hole.last >= first) first = hole.last + 1n
    }
    if (first <= span.last) left.push({ family: span.family, first, last: span.last })
  }
  return texts(left)
}

/** How many addresses a set has. */
export function sizeOf(set: RangeSet): bigint {
  return set.reduce((sum, range) => sum + rangeSize(range), 0n)
}

/** Whether every address of the one is in the other. */
export function isWithin(inner: Iterable<IpRange>, outer: Iterable<IpRange>): boolean {
  return without(inner, outer).length === 0
}

/** The first `count` addresses of a set, or all where it has fewer. */
export function firstOf(set: RangeSet, count: number): RangeSet {
  const taken: IpRange[] = []
  let left = BigInt(count)
  for (const range of set) {
    if (left <= 0n) break
    const { family, first, last } = spanOf(range)
    const end = first + left - 1n < last ? first + left - 1n : last
    taken.push({ first: range.first, last: formatIp(family, end) })
    left -= end - first + 1n
  }
  return taken
}

/** One address as a run. */
export function single(address: Ip): IpRange {
  return { first: address, last: address }
}

interface Span {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

function spanOf({ first, last }: IpRange): Span {
  return { family: familyOf(first), first: ipValue(first), last: ipValue(last) }
}

function texts(spans: readonly Span[]): RangeSet {
  return spans.map(({ family, first, last }) => ({ first: formatIp(family, first), last: formatIp(family, last) }))
}

/** Whether a hole ends before a run begins. */
function isBefore(hole: Span | undefined, span: Span): boolean {
  if (hole === undefined) return false
  return hole.family === span.family ? hole.last < span.first : hole.family < span.family
}

function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  const sorted = spans.toSorted((a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  for (const span of sorted) {
    const before = result.at(-1)
    if (before === undefined || before.family !== span.family || before.last + 1n < span.first) result.push(span)
    else if (before.last < span.last) result[result.length - 1] = { ...before, last: span.last }
  }
  return result
}
