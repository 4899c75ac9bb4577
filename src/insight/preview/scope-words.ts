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
  const families = [...new Set(points.map(([{ family }]) => family))]
  const [family] = families
  const over = families.length === 1 && family !== undefined ? [`over IPv${family}`] : []
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

/** A node has addresses in the pod networks and others. */
function placeText(word: string, points: readonly Point[], sides: readonly Side[]): readonly string[] {
  const [first] = points
  if (first === undefined || !sides.every(({ type }) => type === 'nodes')) return []
  if (!points.every(({ isInside }) => isInside === first.isInside)) return []
  return [`${word} node addresses ${first.isInside ? 'in' : 'outside'} the pod networks`]
}
