/**
 * A trace for people.
 * @module
 */

import type { Look } from '../../text/look.ts'
import { marked, printable, wrap } from '../../text/words.ts'
import { matchLine } from '../flow-words.ts'
import type { HopCheck } from './check.ts'
import { type Explained, explain } from './explain.ts'
import type { Party } from './party.ts'
import { answerWords, protocolWords, sentenceOf } from './sentence.ts'
import type { Traced, Way } from './service.ts'
import { balanceWords, endpointText, isReachable, serviceSentence } from './service-sentence.ts'
import type { Trace } from './trace.ts'
import type { Hop } from './walk.ts'

const INDENT = 16
const DISAGREES = 'OPEN VSWITCH DISAGREES: what is installed is not what is planned. Compare: weft audit'

/** What Open vSwitch says of the hops of each direction; empty when it was not asked. */
export interface TraceChecks {
  readonly there: readonly HopCheck[]
  readonly back: readonly HopCheck[]
}

/** Rewrites the commands in a text as people have to type them. */
export type AsTyped = (text: string) => string

/** The lines of a trace, `checks` beside the hops they belong to. */
export function printTrace(
  result: Trace,
  checks: TraceChecks,
  look: Look,
  asTyped: AsTyped = (text) => text,
): string[] {
  const { from, to, probe, there } = result
  const { says, remedy } = sentenceOf(result)
  const answer = answerWords(result)
  const verdict = result.reachable ? look.good('✔') : look.bad('✘')
  return [
    ...wrap(`${place(from)} → ${place(to)}, ${protocolWords(probe)}, ${probe.size} bytes`, look.width).map(look.title),
    ...there.hops.flatMap((hop, i) => ['', ...hopLines(hop, look), ...checkLines(checks.there[i], look)]),
    '',
    ...(answer === undefined ? [] : [...wrap(printable(answer), look.width), ...backLines(checks.back, look), '']),
    ...wrap(printable(says), look.width - 2).map((line, i) => `${i === 0 ? verdict : ' '} ${line}`),
    ...(remedy === undefined ? [] : wrap(`→ ${asTyped(printable(remedy))}`, look.width - 2).map((line) => `  ${line}`)),
  ]
}

/** The lines of a trace to whoever may get the packet; one of `checks` for each way. */
export function printTraced(traced: Traced, checks: readonly TraceChecks[], look: Look, asTyped?: AsTyped): string[] {
  const { service, ways } = traced
  const lines = ways.map(({ trace }, i) => printTrace(trace, checks[i] ?? { there: [], back: [] }, look, asTyped))
  if (service === undefined || service.endpoints === 0) return lines.flat()
  const { from, name, address, probe } = service
  const title = `${place(from)} → service ${name} (${address}), ${protocolWords(probe)}, ${probe.size} bytes`
  const head = [...wrap(printable(title), look.width).map(look.title), ...wrap(balanceWords(service), look.width)]
  if (ways.length <= 1) return [...head, '', ...lines.flat()]
  const { says, remedy } = serviceSentence(service, ways)
  const verdict = isReachable(traced) ? look.good('✔') : look.bad('✘')
  return [
    ...head,
    '',
    ...ways.flatMap((way, i) => wayLines(way, checks[i], look)),
    '',
    ...wrap(printable(says), look.width - 2).map((line, i) => `${i === 0 ? verdict : ' '} ${line}`),
    ...(remedy === undefined ? [] : wrap(`→ ${asTyped?.(printable(remedy)) ?? printable(remedy)}`, look.width - 2)).map(
      (line) => `  ${line}`,
    ),
    ...wrap('→ the whole way to one of them: --backend <address or pod>', look.width - 2).map((line) => `  ${line}`),
  ]
}

/** An endpoint of many: over which nodes it is reached, or why not, and what Open vSwitch says to it. */
function wayLines(way: Way, checks: TraceChecks | undefined, look: Look): string[] {
  const { there, reachable } = way.trace
  const verdict = reachable ? look.good('✔') : look.bad('✘')
  const words = reachable ? there.hops.map(({ facts }) => facts.status.node).join(' → ') : whyOf(way)
  const all = [...(checks?.there ?? []), ...(checks?.back ?? [])]
  return [
    ...wrap(printable(`${endpointText(way)} · ${words}`), look.width - 4).map(
      (line, i) => `${i === 0 ? `${verdict} ` : '    '}${line}`,
    ),
    ...all.filter(({ agrees }) => !agrees).flatMap((check) => checkLines(check, look)),
  ]
}

function whyOf({ trace }: Way): string {
  const { says } = sentenceOf(trace)
  return says.slice(says.indexOf(': ') + 2)
}

function place(party: Party): string {
  const where = party.kind === 'pod' ? ` on ${party.facts.status.node}` : ''
  const address = party.kind === 'address' ? '' : ` (${party.address}${where})`
  return printable(`${party.name}${address}`)
}

function hopLines(hop: Hop, look: Look): string[] {
  return [look.title(printable(hop.facts.status.node)), ...explain(hop).flatMap((step) => stepLines(step, look))]
}

function stepLines(step: Explained, look: Look): string[] {
  const name = `${String(step.table).padStart(3)} ${step.stage ?? 'unknown'}`.padEnd(INDENT)
  const colour = step.drop !== undefined || step.flow === undefined ? look.bad : (text: string) => text
  const flow = step.flow === undefined ? [] : flowLines(step.object, matchLine(step.flow), look)
  return [
    ...wrap(step.question, look.width - INDENT).map(
      (line, i) => (i === 0 ? name : ' '.repeat(INDENT)) + look.quiet(line),
    ),
    ...wrap(printable(step.decided.join(' · ')), look.width - INDENT).map((line) => ' '.repeat(INDENT) + colour(line)),
    ...flow.map((line) => look.quiet(' '.repeat(INDENT) + line)),
  ]
}

function flowLines(object: string | undefined, match: string, look: Look): string[] {
  const owner = `[${printable(object ?? 'nobody’s')}]`
  return wrap(`${owner} ${match.replaceAll(',', ', ')}`, look.width - INDENT).map((line) => line.replaceAll(', ', ','))
}

/** The answer's way is one line; its checks are told only where they differ. */
function backLines(checks: readonly HopCheck[], look: Look): string[] {
  return checks.flatMap((check) => (check.agrees ? [] : [`  on ${printable(check.node)}:`, ...checkLines(check, look)]))
}

function checkLines(check: HopCheck | undefined, look: Look): string[] {
  if (check === undefined) return []
  const notes = check.notes
    .flatMap((note) => marked(`Open vSwitch adds: ${note}`, { ...look, width: look.width - 2 }))
    .map((line) => `  ${line}`)
  if (check.agrees) return [look.good('  ✔ Open vSwitch says the same (ofproto/trace)'), ...notes]
  return [
    ...wrap(DISAGREES, look.width - 4).map((line, i) => look.bad(`  ${i === 0 ? '✘' : ' '} ${line}`)),
    ...check.differences
      .flatMap((line) => wrap(printable(line), look.width - 6))
      .map((line) => look.bad(`      ${line}`)),
  ]
}
