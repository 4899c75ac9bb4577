/**
 * Conjunctions: flows that decide together, each for one dimension (ovs-actions(7), ovs-fields(7)).
 * @module
 */
import type { Flow } from '../../flow/flow.ts'

/** What one flow adds to a conjunction. */
export interface Conjunction {
  readonly id: bigint
  /** The dimension that it stands for, as a bit. */
  readonly clause: bigint
  /** All dimensions. */
  readonly all: bigint
  /** How many dimensions there are. */
  readonly of: number
}

/** The conjunctions that a flow is a part of, or undefined when it is a flow of its own. */
export function conjunctionsOf({ actions }: Flow): readonly Conjunction[] | undefined {
  const found = actions.flatMap((action) => {
    if (action.op !== 'conjunction') return []
    const { id, clause, of } = action
    return [{ id: BigInt(id), clause: 1n << BigInt(clause - 1), all: (1n << BigInt(of)) - 1n, of }]
  })
  return found.length === 0 ? undefined : found
}

/**
 * The ids of conjunctions that flows of one priority complete, in the order in which the switch finds them; at most one
 * per flow. It does not look at conjunctions of more dimensions than there are flows.
 */
export function* completedBy(flows: readonly (readonly Conjunction[])[]): Generator<bigint> {
  const reached = new Map<bigint, bigint>()
  for (const conjunctions of flows) {
    for (const { id, clause, all, of } of conjunctions) {
      if (of > flows.length) continue
      const clauses = (reached.get(id) ?? 0n) | clause
      reached.set(id, clauses)
      if (clauses !== all) continue
      yield id
      break
    }
  }
}
