/**
 * What pools say against one another. Pools are written by anybody who may, at any time, and nothing stands in between:
 * of two that contradict each other the older one holds, and everybody who looks at the same pools finds the same.
 *
 * Pools of one subnet share it and nothing else of it; any other two subnets have no address in common.
 * @module
 */
import { type Cidr, type Family, familyOf, firstIp, formatIp, ipValue, lastIp } from '../network/model/address.ts'
import { formatIpRange, type IpRange } from '../network/model/ip-range.ts'
import type { AddressPool } from '../network/model/pool.ts'
import type { FieldProblem } from '../network/model/problem.ts'
import { without } from './range-set.ts'

/** Why a pool gives nothing out. */
export interface PoolProblem extends FieldProblem {
  /** As the model calls it. */
  readonly field: 'subnet' | 'ranges'
  /** The older pool. */
  readonly other: string
}

/** The part of a pool that others can contradict. */
export type JudgedPool = Pick<AddressPool, 'name' | 'createdAt' | 'subnet' | 'ranges' | 'excluded' | 'problem'>

/**
 * The pools that are refused because of others, by name. One that has a problem of its own gives nothing out, and so
 * contradicts nobody; nor does one that is refused.
 */
export function poolProblems(pools: Iterable<JudgedPool>): ReadonlyMap<string, PoolProblem> {
  const subnets = new Spans<Holdings>()
  const problems = new Map<string, PoolProblem>()
  for (const pool of [...pools].filter(({ problem }) => problem === undefined).toSorted(byAge)) {
    const span = spanOf(pool.subnet)
    const known = subnets.overlapping(span)
    const problem = known === undefined ? undefined : contradiction(pool, known.value)
    if (problem !== undefined) problems.set(pool.name, problem)
    else {
      const holdings = known?.value ?? { pool, addresses: new Spans<string>() }
      if (known === undefined) subnets.add({ ...span, value: holdings })
      for (const range of givenOut(pool)) holdings.addresses.add({ ...rangeSpanOf(range), value: pool.name })
    }
  }
  return problems
}

/** The same as sentences. */
export function poolProblemTexts(pools: Iterable<JudgedPool>): ReadonlyMap<string, string> {
  return new Map([...poolProblems(pools)].map(([name, { reason, remedy }]) => [name, `${reason}; ${remedy}`]))
}

/** What must not overlap anything of its kind: `subnet` is all that is of interest. */
export type JudgedSubnet = Pick<AddressPool, 'name' | 'createdAt' | 'subnet'>

/** Of networks that must not overlap at all, those that do, with the older one that each overlaps. */
export function overlappingSubnets<S extends JudgedSubnet>(subnets: Iterable<S>): ReadonlyMap<string, S> {
  const held = new Spans<S>()
  const refused = new Map<string, S>()
  for (const subnet of [...subnets].toSorted(byAge)) {
    const span = spanOf(subnet.subnet)
    const known = held.overlapping(span)
    if (known === undefined) held.add({ ...span, value: subnet })
    else refused.set(subnet.name, known.value)
  }
  return refused
}

/** What pools hold of one subnet. */
interface Holdings {
  /** The first of them. */
  readonly pool: JudgedPool
  /** With the names of the pools that give them out. */
  readonly addresses: Spans<string>
}

function contradiction(pool: JudgedPool, { pool: first, addresses }: Holdings): PoolProblem | undefined {
  if (pool.subnet !== first.subnet) {
    return {
      field: 'subnet',
      other: first.name,
      reason: `${pool.subnet} overlaps ${first.subnet} of the pool ${first.name}, which is older`,
      remedy: 'give both the same subnet, or subnets that share no address',
    }
  }
  for (const range of givenOut(pool)) {
    const span = rangeSpanOf(range)
    const known = addresses.overlapping(span)
    if (known === undefined) continue
    const family = familyOf(pool.subnet)
    const shared = {
      first: formatIp(family, larger(known.first, span.first)),
      last: formatIp(family, -larger(-known.last, -span.last)),
    }
    return {
      field: 'ranges',
      other: known.value,
      reason: `${formatIpRange(shared)} is given out by the pool ${known.value}, which is older`,
      remedy: 'leave these addresses out in one of the two, or exclude them',
    }
  }
  return undefined
}

function givenOut({ ranges, excluded }: JudgedPool): readonly IpRange[] {
  return without(ranges, excluded)
}

/** Of one second, by name, so that everybody has the same order. */
function byAge(a: JudgedSubnet, b: JudgedSubnet): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

interface Span {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

function spanOf(network: Cidr): Span {
  return rangeSpanOf({ first: firstIp(network), last: lastIp(network) })
}

function rangeSpanOf({ first, last }: IpRange): Span {
  return { family: familyOf(first), first: ipValue(first), last: ipValue(last) }
}

/** Runs of addresses of which no two overlap, in their order. */
class Spans<T> {
  readonly #runs: { readonly [F in Family]: (Span & { readonly value: T })[] } = { 4: [], 6: [] }

  /** One that overlaps; the first one. */
  overlapping(span: Span): (Span & { readonly value: T }) | undefined {
    const run = this.#runs[span.family][this.#place(span)]
    return run !== undefined && run.first <= span.last ? run : undefined
  }

  /** `run` must overlap none. */
  add(run: Span & { readonly value: T }): void {
    this.#runs[run.family].splice(this.#place(run), 0, run)
  }

  /** Where the first run is that does not end before this one begins. */
  #place({ family, first }: Span): number {
    const runs = this.#runs[family]
    let [from, to] = [0, runs.length]
    while (from < to) {
      const middle = (from + to) >> 1
      const run = runs[middle]
      if (run !== undefined && run.last < first) from = middle + 1
      else to = middle
    }
    return from
  }
}
