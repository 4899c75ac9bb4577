/**
 * The verdict from objects, held against the way of a packet through the agents' flows.
 * @module
 */
import { sentenceOf } from '../trace/sentence.ts'
import { arrives, type Trace } from '../trace/trace.ts'
import type { ClusterView } from '../view.ts'
import { nodeOf } from '../view.ts'

/** What the flows say to what the objects say. */
export interface FlowsSay {
  /** Undefined: they could not be asked to the end. */
  readonly agrees: boolean | undefined
  /** What they do: a sentence without a capital and a full stop. */
  readonly says: string
  readonly remedy?: string
}

/** Without anybody to ask. */
export function unasked(says: string): FlowsSay {
  return { agrees: undefined, says }
}

const WAIT =
  'ask again in a few seconds: agents follow a change within one; if it stays so, see weft status and weft audit'

/** Compares. `home` is the node that the packet should come to. */
export function flowsSay(view: ClusterView, allowed: boolean, trace: Trace, home: string): FlowsSay {
  const nodes = [
    ...new Set(
      [trace.there, ...(trace.back === undefined ? [] : [trace.back])].flatMap(({ hops }) =>
        hops.map(({ facts }) => facts.status.node),
      ),
    ),
  ]
  const whose = `the flows of ${nodes.join(' and ')}`
  const { verdict } = trace.there
  if (verdict.kind === 'lost' && nodeOf(view, home) === undefined && !arrives(verdict, trace.to))
    return unasked(`${whose} send it on; those of ${home} could not be asked: its agent does not answer`)
  if (trace.reachable === allowed)
    return { agrees: true, says: `${whose} ${allowed ? 'let it through' : 'stop it'}, too` }
  if (trace.reachable) {
    const says = `the objects refuse it, ${whose} let it through (still)`
    return { agrees: false, says, remedy: WAIT }
  }
  const { says } = sentenceOf(trace)
  const why = says.slice(says.indexOf(': ') + 2).replace(/\.$/, '')
  return { agrees: false, says: `the objects allow it, ${whose} do not (yet): ${why}`, remedy: WAIT }
}
