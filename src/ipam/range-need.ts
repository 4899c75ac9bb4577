/**
 * How many ranges a node needs, and which it could do without: said by the node's agent, ahead of its pods. Pure.
 * @module
 */
import { type Cidr, type Family, familyOf } from '../network/model/address.ts'
import type { NodeNetworkStatus, UnusedRange } from '../network/model/node.ts'

/** A range as its node uses it. Those of a family are in the node's order: the first is its own for good. */
export interface RangeUse {
  readonly range: Cidr
  readonly capacity: bigint
  /** Addresses that somebody has, or had until a moment ago. */
  readonly busy: number
  /** The revision at which it was closed; absent: pods get addresses of it. */
  readonly since?: number
}

/** What a node's agent says of its ranges. */
export type RangeNeed = Pick<NodeNetworkStatus, 'wants' | 'unused'>

/** So many addresses are kept free at most: a node is not given more pods at once. */
const MOST_KEPT = 32n

/**
 * What a node needs that may have `most` ranges of a family. It asks for one more while half a range is left, and gives one back
 * when three quarters of one stay free without it: so it does not ask for what it gave back.
 */
export function rangeNeed(uses: readonly RangeUse[], most: number): RangeNeed {
  const needs = ([4, 6] as const).map((family) => needOf(ofFamily(uses, family), most))
  const [v4, v6] = needs
  const wants = { ...wantsOf(4, v4?.wants), ...wantsOf(6, v6?.wants) }
  const unused = needs.flatMap((need) => need.unused)
  return { ...(Object.keys(wants).length === 0 ? {} : { wants }), ...(unused.length === 0 ? {} : { unused }) }
}

function needOf(uses: readonly RangeUse[], most: number): { readonly wants: number; readonly unused: UnusedRange[] } {
  const open = uses.filter(({ since }) => since === undefined)
  const empty = uses.flatMap(({ range, busy, since }) => (busy > 0 || since === undefined ? [] : [{ range, since }]))
  const [main] = open
  if (main === undefined) return { wants: 1, unused: empty }
  const low = smaller((main.capacity + 1n) / 2n, MOST_KEPT)
  const enough = smaller(low + (low + 1n) / 2n, main.capacity)
  const free = open.reduce((sum, { capacity, busy }) => sum + capacity - BigInt(busy), 0n)
  const idle = open.findLast(({ busy }, index) => index > 0 && busy === 0)
  if (idle !== undefined && (open.length > most || free - idle.capacity >= enough))
    return { wants: open.length - 1, unused: [...empty, { range: idle.range }] }
  return { wants: Math.min(open.length + (free < low ? 1 : 0), Math.max(most, 1)), unused: empty }
}

function wantsOf(family: Family, wants = 1): NonNullable<NodeNetworkStatus['wants']> {
  return wants > 1 ? { [family]: wants } : {}
}

function ofFamily(uses: readonly RangeUse[], family: Family): readonly RangeUse[] {
  return uses.filter(({ range }) => familyOf(range) === family)
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
