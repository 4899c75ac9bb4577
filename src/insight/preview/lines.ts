/**
 * Differences put together for people: whoever has the same change to the same others stands in one line.
 * @module
 */
import type { Difference, Side } from './compare.ts'
import type { Point } from './parties.ts'
import type { Change } from './turns.ts'

/** One change of many pairs: each of the sources with each of the destinations. */
export interface Line {
  readonly change: Change
  readonly sources: readonly Side[]
  readonly destinations: readonly Side[]
  readonly pairs: number
  /** Of connections of one family, or between some addresses of the two only. */
  readonly points?: Difference['points']
}

/** Collects differences. */
export class Lines {
  readonly #sides = new Map<Side, number>()
  readonly #edges = new Map<string, Edges>()

  add({ source, destination, change, pairs, points }: Difference): void {
    const key = `${change.id} ${points === undefined ? '' : kindOf(points)}`
    const edges = this.#edges.get(key) ?? { change, points, from: new Map(), to: new Map(), pairs: new Map() }
    this.#edges.set(key, edges)
    const [from, to] = [this.#numberOf(source), this.#numberOf(destination)]
    push(edges.from, from, to)
    push(edges.to, to, from)
    edges.pairs.set(pairKey(from, to), pairs)
  }

  /** The fewest lines that were found to say it all. */
  lines(): readonly Line[] {
    const sides = [...this.#sides.keys()]
    return [...this.#edges.values()].flatMap((edges) => {
      const bySource = joinEqual(edges.from, sides).map(([own, others]) => ({ sources: own, destinations: others }))
      const byDestination = joinEqual(edges.to, sides).map(([own, others]) => ({ sources: others, destinations: own }))
      const fewer = bySource.length < byDestination.length ? bySource : byDestination
      return fewer.map((line) => lineOf(line, edges, sides))
    })
  }

  #numberOf(side: Side): number {
    const number = this.#sides.get(side) ?? this.#sides.size
    this.#sides.set(side, number)
    return number
  }
}

interface Edges {
  readonly change: Change
  readonly points: Difference['points']
  readonly from: Map<number, number[]>
  readonly to: Map<number, number[]>
  readonly pairs: Map<number, number>
}

type Numbers = readonly number[]

function lineOf(
  { sources, destinations }: { readonly sources: Numbers; readonly destinations: Numbers },
  { change, points, pairs }: Edges,
  sides: readonly Side[],
): Line {
  let count = 0
  for (const from of sources) for (const to of destinations) count += pairs.get(pairKey(from, to)) ?? 0
  const named = (numbers: Numbers): readonly Side[] => numbers.flatMap((number) => sides[number] ?? [])
  const line = { change, sources: named(sources), destinations: named(destinations), pairs: count }
  return points === undefined ? line : { ...line, points }
}

/**
 * Those with the same others. A pod always reaches itself: where that is all that two of them differ in, they are
 * together, too.
 */
function joinEqual(
  edges: ReadonlyMap<number, Numbers>,
  sides: readonly Side[],
): readonly (readonly [Numbers, Numbers])[] {
  const equal = groupBy([...edges], ([, others]) => inOrder(others).join())
  const groups = equal.map((group) => [group.map(([own]) => own), inOrder(group[0]?.[1] ?? [])] as const)
  const isAlone = (own: number): boolean => {
    const side = sides[own]
    return side?.type === 'pods' && side.pods.length === 1
  }
  // Of several, each would have to reach the others, too.
  const withThemselves = ([own, others]: readonly [Numbers, Numbers]): Numbers =>
    own.length > 1 ? others : inOrder([...new Set([...others, ...own.filter(isAlone)])])
  return groupBy(groups, (group) => withThemselves(group).join()).flatMap((group) => {
    const [first] = group
    if (first === undefined || group.length === 1) return group
    return [[group.flatMap(([own]) => own), withThemselves(first)] as const]
  })
}

function groupBy<T>(things: readonly T[], keyOf: (thing: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const thing of things) push(groups, keyOf(thing), thing)
  return [...groups.values()]
}

function inOrder(numbers: Numbers): Numbers {
  return [...numbers].sort((a, b) => a - b)
}

function pairKey(a: number, b: number): number {
  return a * 2 ** 26 + b
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

/** Points in the same cells say the same of other classes. */
function kindOf(points: readonly (readonly [Point, Point])[]): string {
  return points.map((pair) => pair.map(({ cells }) => cells.join('+')).join('-')).join()
}
