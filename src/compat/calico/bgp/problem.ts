/**
 * What of administrators' objects cannot be done, and at which of them.
 * @module
 */
import type { FieldProblem } from '../../../network/model/problem.ts'

/** Kinds that something can be wrong with, and what their authors call them. */
const WORDS = { BgpPeering: 'BGPPeer', BgpRange: 'IPPool', Node: 'Node' } as const

/** Of an object in the registry. The field says which, too, in the words of whoever wrote it. */
export interface BgpProblem extends FieldProblem {
  readonly object: { readonly kind: keyof typeof WORDS; readonly name: string }
}

/** A problem. `field` is as the object has it: `spec.nodeSelector`; empty: the whole. */
export function bgpProblem(
  kind: keyof typeof WORDS,
  name: string,
  { field, reason, remedy }: FieldProblem,
): BgpProblem {
  return { object: { kind, name }, field: `${WORDS[kind]} ${name}${field === '' ? '' : ` ${field}`}`, reason, remedy }
}
