/**
 * Holds a traced way against Open vSwitch's own opinion.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { dropByCode } from '../../network/pipeline/drops.ts'
import { CT_STATE } from '../../network/simulate/connections.ts'
import { stageAt } from '../flow-words.ts'
import { titlesByHash } from '../view.ts'
import { parseOfprotoTrace, type TracedPassage } from './ofproto-trace.ts'
import { questionText } from './probe.ts'
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
  return Promise.all(hops.map((hop) => askAbout(hop, ask)))
}

const KNOWN_ONLY = 'it was not asked: this part of the way depends on a connection that it would have to know'
const CHOOSES_OTHERWISE = 'it leads this client to another endpoint: compared up to there'
/** A group looks at the last bits of the hash only: 256 values tell 64 endpoints apart. */
const HASHES = 256

async function askAbout(hop: Hop, ask: AskSwitch): Promise<HopCheck> {
  const { node } = hop.facts.status
  if (dependsOnConnection(hop)) return { node, agrees: true, differences: [], notes: [KNOWN_ONLY], text: '' }
  const wanted = hop.choice?.bucket?.id
  const byClient = hop.choice?.group.selection?.method === 'hash'
  let text = ''
  for (let hash = 1; hash <= (wanted === undefined || byClient ? 1 : HASHES); hash += 1) {
    text = await ask(node, questionText(hop.packet, hash))
    if (wanted === undefined || text.includes(`using bucket ${wanted}\n`)) return checkHop(hop, text)
  }
  const balanced = hop.passage.steps.findIndex(({ flow }) => flow?.actions.some(({ op }) => op === 'group'))
  const check = checkHop(
    { ...hop, passage: { steps: hop.passage.steps.slice(0, balanced + 1), outputs: [] } },
    text,
    balanced + 1,
  )
  return { ...check, notes: [...check.notes, CHOOSES_OTHERWISE] }
}

/** Whether a known connection decides where the packet goes: `ofproto/trace` knows none. */
function dependsOnConnection({ passage }: Hop): boolean {
  return passage.steps.some(({ packet, flow }) => {
    const state = packet.get('ct_state') ?? 0n
    const isKnown = (state & CT_STATE.est) !== 0n
    return isKnown && ((state & CT_STATE.dnat) !== 0n || flow?.match.ct_state !== undefined)
  })
}

/** Compares one hop with what `ofproto/trace` printed for its packet; with `steps`, no further than that. */
export function checkHop(hop: Hop, text: string, steps?: number): HopCheck {
  const whole = parseOfprotoTrace(text, hop.oversize)
  const traced = steps === undefined ? whole : { ...whole, steps: whole.steps.slice(0, steps), outputs: [] }
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
