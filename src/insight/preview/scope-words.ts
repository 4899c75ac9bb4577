/**
 * Between which addresses something changes, where it is not between all of them.
 * @module
 */
import type { Side } from './compare.ts'
import type { Point } from './parties.ts'

/** `over IPv6`, `over IPv4 from node addresses in the pod networks`. */
export function scopeText(
  points: readonly (readonly [Point, Point])[],
  sources: readonly Side[],
  destinations: readonly Side[],
): string {
  const families = new Set(points.map(([{ family }]) => family))
  const [family] = families
  // Where both ends have one family only there is no other.
  const isOnly = families.size < shared(sources, destinations)
  const over = isOnly && family !== undefined ? [`over IPv${family}`] : []
  const from = placeText(
    'from',
    points.map(([point]) => point),
    sources,
  )
  const to = placeText(
    'to',
    points.map(([, point]) => point),
    destinations,
  )
  return [...over, ...from, ...to].join(' ')
}

/** How many families both of some two sides have. */
function shared(sources: readonly Side[], destinations: readonly Side[]): number {
  const [from, to] = [sources, destinations].map(familiesOf)
  return [4, 6].filter((family) => from?.has(family) && to?.has(family)).length
}

function familiesOf(sides: readonly Side[]): ReadonlySet<number> {
  return new Set(sides.flatMap((side) => (side.type === 'addresses' ? [] : side.points.map(({ family }) => family))))
}

/** A node has addresses in the pod networks and others. */
function placeText(word: string, points: readonly Point[], sides: readonly Side[]): readonly string[] {
  const own = sides.flatMap((side) => (side.type === 'nodes' ? side.points : []))
  if (own.length === 0 || sides.some(({ type }) => type !== 'nodes')) return []
  const isMeant = (one: Point): boolean =>
    points.some(({ cell, cells }) => cell === one.cell && `${cells}` === `${one.cells}`)
  const families = new Set(points.map(({ family }) => family))
  const places = new Set(points.map(({ isInside }) => isInside))
  const alike = own.filter(({ family, isInside }) => families.has(family) && places.has(isInside))
  if (!alike.every(isMeant)) return [`${word} some of their addresses`]
  const [isInside] = places
  return places.size > 1 ? [] : [`${word} node addresses ${isInside === true ? 'in' : 'outside'} the pod networks`]
}
