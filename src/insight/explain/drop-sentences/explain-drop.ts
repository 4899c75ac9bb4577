/**
 * Why a packet was dropped, in one sentence that names what caused it, and what to do.
 * @module
 */
import { DROPS, type DropName } from '../../../network/pipeline/drops.ts'
import { ENTERING } from './entering.ts'
import { ONWARD } from './onward.ts'
import { type Clause, type DropPlace, namespaceOf } from './place.ts'
import { POLICIES } from './policies.ts'

/** A drop in words. */
export interface DropSentence {
  /** Completes “dropped because …”. */
  readonly because: string
  /** `node2 drops it because … (tenant-isolation).` */
  readonly says: string
  /** What to do, with everything filled in that is known. */
  readonly remedy: string
}

const CLAUSES: Readonly<Record<DropName, Clause>> = { ...ENTERING, ...ONWARD, ...POLICIES }

/** The sentence of a reason at a place. */
export function explainDrop(reason: DropName, place: DropPlace): DropSentence {
  const because = CLAUSES[reason](place)
  return { because, says: `${place.node} drops it because ${because} (${reason}).`, remedy: remedyOf(reason, place) }
}

/** The reason's advice with the names in question. */
function remedyOf(reason: DropName, { from, to, port }: DropPlace): string {
  const { remedy } = DROPS[reason]
  const [source, target] = [from, to].map(namespaceOf)
  const joined =
    source === undefined || target === undefined || source === target
      ? remedy
      : remedy.replace('<namespace> --to <namespace>', `${source} --to ${target}`)
  const named = source === undefined ? joined : joined.replace('-n <namespace>', `-n ${source}`)
  if (from === undefined || to === undefined) return named
  // Of an answer the sender is the server.
  return named
    .replace('weft explain <from> <to>', `weft explain ${from} ${to}`)
    .replace('weft explain <client> <server>', `weft explain ${to} ${from}`)
    .replace('--port <port>', port === undefined ? '--port <port>' : `--port ${port}`)
}
