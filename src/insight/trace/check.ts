/**
 * Holds a traced way against Open vSwitch's own opinion.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { dropByCode } from '../../network/pipeline/drops.ts'
import { stageAt } from '../flow-words.ts'
import { titlesByHash } from '../view.ts'
import { parseOfprotoTrace, type TracedPassage } from './ofproto-trace.ts'
import { packetText } from './probe.ts'
import type { Hop } from './walk.ts'

/** Whether Open vSwitch does with a packet what the plan says, table by table. */
export interface HopCheck {
  readonly node: string
  readonly agrees: boolean
  /** For people, one per table or output that differs. */
  readonly differences: readonly string[]
  /** What Open vSwitch says about the network below the tunnel, such as a next hop whose MAC it does not know yet. */
  readonly notes: readonly string[]
  /** What Open vSwitch printed. */
  readonly text: string
}

/** Asks `ofproto/trace` on a node about a packet written as ovs-ofctl does. */
export type AskSwitch = (node: string, flow: string) => Promise<string>

/** Checks every hop of a walk. Throws what `ask` throws. */
export function checkHops(hops: readonly Hop[], ask: AskSwitch): Promise<HopCheck[]> {
  return Promise.all(hops.map(async (hop) => checkHop(hop, await ask(hop.facts.status.node, packetText(hop.packet)))))
}

/** Compares one hop with what `ofproto/trace` printed for its packet. */
export function checkHop(hop: Hop, text: string): HopCheck {
  const traced = parseOfprotoTrace(text, hop.oversize)
  const differences = [...stepDifferences(hop, traced), ...outputDifferences(hop, traced)]
  const notes = traced.complaints.filter(isBelow)
  return { node: hop.facts.status.node, agrees: differences.length === 0, differences, notes, text }
}

function stepDifferences({ passage, facts }: Hop, traced: TracedPassage): string[] {
  if (traced.steps.length === 0) return ['Open vSwitch gave no trace']
  const name = namer(titlesByHash(facts.fragments))
  const planned = passage.steps.map(({ table, flow }) => name(table, flow?.priority, flow?.cookie ?? 0n))
  const actual = traced.steps.map(({ table, priority, cookie }) => name(table, priority, cookie))
  const at = planned.findIndex((step, i) => step !== actual[i])
  if (at < 0 && planned.length === actual.length) return []
  const first = at < 0 ? planned.length : at
  return [`planned: ${planned[first] ?? 'the end'}; Open vSwitch: ${actual[first] ?? 'the end'}`]
}

/** Whether a complaint is about the way of tunnel packets, which is not the pipeline's. */
function isBelow(complaint: string): boolean {
  return /native tunnel|neighbor/.test(complaint)
}

function outputDifferences({ passage }: Hop, traced: TracedPassage): string[] {
  const planned = passage.outputs.map(({ port }) => port).join(', ') || 'dropped'
  const actual = traced.outputs.join(', ') || 'dropped'
  const complaints = traced.complaints
    .filter((complaint) => !isBelow(complaint))
    .map((complaint) => `Open vSwitch says: ${complaint}`)
  return planned === actual ? complaints : [`planned to port: ${planned}; Open vSwitch: ${actual}`, ...complaints]
}

function namer(titles: ReadonlyMap<bigint, string>) {
  return (table: number, priority: Flow['priority'] | undefined, cookie: bigint): string => {
    const stage = stageAt(table) ?? `table ${table}`
    if (priority === undefined) return `${stage}, no flow`
    const parts = parseCookie(cookie)
    const owner =
      parts === undefined ? `cookie 0x${cookie.toString(16)}` : (titles.get(parts.hash) ?? 'an object that is gone')
    const drop = dropByCode(parts?.dropCode ?? 0)
    return `${stage}, priority ${priority} of ${owner}${drop === undefined ? '' : ` (${drop})`}`
  }
}
