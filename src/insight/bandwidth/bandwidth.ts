/**
 * What pods are held to: asked for, decided, in force, and what passes.
 * @module
 */
import type { LimitFact } from '../../agent/qos/limiter.ts'
import { DIRECTIONS, type Direction, RATE_REMEDY } from '../../network/model/bandwidth.ts'

/** One direction of one endpoint. Rates in bit/s. */
export interface LimitRow {
  readonly node: string
  /** `pod shop/web`, or `namespace shop` for all its pods on the node together. */
  readonly object: string
  /** `<container>/<interface>`. */
  readonly endpoint: string
  readonly direction: Direction
  /** What the pod's annotation asks for; undefined where it asks for nothing (sensible), or is not known now. */
  readonly wanted: number | undefined
  /** What was decided: what is asked for, or what stood when something senseless was. */
  readonly decided: number | undefined
  /** What the kernel holds it to. */
  readonly inForce: number | undefined
  /** What passes at the moment; undefined where nobody looked twice. */
  readonly passing: number | undefined
  /** What is wrong with what is asked for, or why nothing can be said. */
  readonly problem: string | undefined
  /** What to do about it, where that is known. */
  readonly remedy: string | undefined
}

/** What an agent said, and what it said some time later. */
export interface LimitLooks {
  readonly node: string
  readonly now: readonly LimitFact[]
  readonly later?: { readonly seconds: number; readonly facts: readonly LimitFact[] }
}

/** A row for every direction that is limited or should be, by pod. */
export function limitRows(nodes: readonly LimitLooks[]): readonly LimitRow[] {
  const rows = nodes.flatMap(({ node, now, later }) => now.flatMap((fact) => rowsOf(node, fact, later)))
  return rows.sort((a, b) => (a.object === b.object ? 0 : a.object < b.object ? -1 : 1))
}

/** Whether the kernel does what was decided: it counts in whole bytes a second. */
export function isInForce({ decided, inForce }: Pick<LimitRow, 'decided' | 'inForce'>): boolean {
  return inBytes(decided) === inBytes(inForce)
}

function inBytes(rate: number | undefined): number | undefined {
  return rate === undefined ? undefined : Math.floor(rate / 8)
}

function rowsOf(node: string, fact: LimitFact, later: LimitLooks['later']): readonly LimitRow[] {
  const { namespace, pod, endpoint, wanted, limits, inForce } = fact
  return DIRECTIONS.flatMap((direction) => {
    const wish = wanted?.[direction]
    const standing = inForce[direction]
    if (wish === undefined && limits[direction] === undefined && standing === undefined) return []
    return [
      {
        node,
        object: pod === '' ? `namespace ${namespace}` : `pod ${namespace}/${pod}`,
        endpoint,
        direction,
        wanted: wish !== undefined && 'rate' in wish ? wish.rate : undefined,
        decided: limits[direction],
        inForce: standing?.rate,
        passing: later === undefined ? undefined : passing(fact, direction, later),
        problem: wish !== undefined && 'problem' in wish ? wish.problem : fact.problem,
        remedy: wish !== undefined && 'problem' in wish && pod !== '' ? RATE_REMEDY : undefined,
      },
    ]
  })
}

function passing(
  { endpoint, inForce }: LimitFact,
  direction: Direction,
  { seconds, facts }: NonNullable<LimitLooks['later']>,
): number | undefined {
  const before = inForce[direction]?.bytes
  const after = facts.find((one) => one.endpoint === endpoint)?.inForce[direction]?.bytes
  // A shaper that was made anew in between counts from nothing.
  if (before === undefined || after === undefined || after < before || seconds <= 0) return undefined
  return Math.round((Number(after - before) * 8) / seconds)
}
