/**
 * Conjunctions, as rules use them (ovs-fields(7), CONJUNCTIVE MATCH FIELDS): one clause is filled by a class's flows, the
 * other by the flows of addresses, and a third row decides what becomes of packets that meet both.
 * @module
 */
import type { Action, Match } from '../../flow/flow.ts'
import { REGISTERS } from '../pipeline/stages.ts'

const CLAUSES = { class: { clause: 1, of: 2 }, peer: { clause: 2, of: 2 } } as const

/** As many as fit into one message to the switch several times over (16 bytes each, 64 KiB a message). */
const MOST_IN_A_FLOW = 1_000

/** What of a flow fills a clause: its match besides that of its siblings, and its actions. */
export interface ClausePart {
  readonly match: Match
  readonly actions: readonly Action[]
}

/** A clause of these conjunctions (`conj_id`), in parts that each fit into one flow. In order, whatever order they came in. */
export function clauseParts(filledBy: keyof typeof CLAUSES, ids: Iterable<number>): readonly ClausePart[] {
  const sorted = [...ids].sort((a, b) => a - b)
  const parts: ClausePart[] = []
  for (let i = 0; i < sorted.length; i += MOST_IN_A_FLOW) {
    const some = sorted.slice(i, i + MOST_IN_A_FLOW)
    const actions = some.map((id): Action => ({ op: 'conjunction', id, ...CLAUSES[filledBy] }))
    parts.push({ match: apart(parts.length), actions })
  }
  return parts
}

/** Makes matches that are the same another row each: they ask for bits of a register that is always zero. */
function apart(part: number): Match {
  return part === 0 ? {} : { [REGISTERS.spare.field]: { value: 0, mask: part } }
}
