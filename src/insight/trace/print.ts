/**
 * A trace for people.
 * @module
 */

import type { Look } from '../../text/look.ts'
import { printable, wrap } from '../../text/words.ts'
import { matchLine } from '../flow-words.ts'
import type { HopCheck } from './check.ts'
import { type Explained, explain } from './explain.ts'
import type { Party } from './party.ts'
import { answerWords, protocolWords, sentenceOf } from './sentence.ts'
import type { Trace } from './trace.ts'
import type { Hop } from './walk.ts'

const INDENT = 14
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
    .flatMap((note) => wrap(`! Open vSwitch adds: ${printable(note)}`, look.width - 2))
    .map((line) => look.warn(`  ${line}`))
  if (check.agrees) return [look.good('  ✔ Open vSwitch says the same (ofproto/trace)'), ...notes]
  return [
    ...wrap(DISAGREES, look.width - 4).map((line, i) => look.bad(`  ${i === 0 ? '✘' : ' '} ${line}`)),
    ...check.differences
      .flatMap((line) => wrap(printable(line), look.width - 6))
      .map((line) => look.bad(`      ${line}`)),
  ]
}
