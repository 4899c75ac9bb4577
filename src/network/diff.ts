/**
 * What must change so that a switch holds the flows it should.
 * @module
 */

import { flowContent, flowKey } from '../flow/compare.ts'
import type { Flow } from '../flow/flow.ts'
import type { FragmentChange } from './planner.ts'

/** Changes to a switch's flow tables. */
export interface FlowDiff {
  /** Rows to write: new ones, and those whose actions or cookie differ. */
  readonly write: readonly Flow[]
  /** Rows to remove, strictly. */
  readonly remove: readonly Flow[]
}

/** Changes of at most this many flows go in one bundle; larger ones make before they break, in chunks. */
export const CHUNK = 2_000

/** What turns `actual` into `desired`. Rows that are right are left alone, counters and all. */
export function diffFlows(actual: Iterable<Flow>, desired: Iterable<Flow>): FlowDiff {
  const wanted = new Map<string, Flow>()
  for (const flow of desired) wanted.set(flowKey(flow), flow)
  const remove: Flow[] = []
  for (const flow of actual) {
    const key = flowKey(flow)
    const match = wanted.get(key)
    if (match === undefined) remove.push(flow)
    else if (flowContent(match) === flowContent(flow)) wanted.delete(key)
  }
  return { write: [...wanted.values()], remove }
}

/**
 * What changed fragments mean for the switch. Fragments are compared together: a row that moves from one to another is
 * written once and never removed in between.
 */
export function diffFragments(changes: readonly FragmentChange[]): FlowDiff {
  return diffFlows(
    changes.flatMap(({ before }) => before),
    changes.flatMap(({ after }) => after),
  )
}

/** A diff in bundles, each atomic. */
export function bundles(diff: FlowDiff): readonly FlowDiff[] {
  const { write, remove } = diff
  if (write.length + remove.length === 0) return []
  if (write.length + remove.length <= CHUNK) return [diff]
  // Later tables first when making, earlier ones first when breaking: no packet meets a table that is half done.
  const making = [...write].sort((a, b) => b.table - a.table)
  const breaking = [...remove].sort((a, b) => a.table - b.table)
  return [
    ...chunks(making).map((flows) => ({ write: flows, remove: [] })),
    ...chunks(breaking).map((flows) => ({ write: [], remove: flows })),
  ]
}

function chunks(flows: readonly Flow[]): Flow[][] {
  const count = Math.ceil(flows.length / CHUNK)
  return Array.from({ length: count }, (_, i) => flows.slice(i * CHUNK, (i + 1) * CHUNK))
}
