/**
 * An explanation for people: the sentence, then the chain.
 * @module
 */
import type { Look } from '../../text/look.ts'
import { printable, wrap } from '../../text/words.ts'
import type { AsTyped } from '../trace/print.ts'
import { type Outcome, type Step, whatOf } from './conversation.ts'
import type { ExplainedWay, Explanation } from './explain.ts'
import { answerOf, endName, tellingWay } from './sentence.ts'
import { homeOf } from './way-steps.ts'

const NAME = 18

/** The lines. */
export function printExplanation(explanation: Explanation, look: Look, asTyped: AsTyped = (text) => text): string[] {
  const { says, remedy } = answerOf(explanation)
  const { ways, reachable } = explanation
  const shown = tellingWay(explanation)
  return [
    ...marked(reachable ? 'passes' : 'stops', printable(says), look),
    ...advice(remedy, look, asTyped),
    ...disagreements(ways, look, asTyped),
    '',
    ...wrap(title(explanation, shown), look.width).map(look.title),
    ...(shown?.steps ?? []).flatMap((step) => [
      ...stepLines(step, look),
      ...(step.name === 'service' && ways.length > 1 ? endpointLines(ways, look) : []),
    ]),
    ...(shown === undefined ? [] : flowLines(shown, look)),
  ]
}

function title({ from, protocol, family, service, port }: Explanation, way: ExplainedWay | undefined): string {
  const what = `${whatOf({ protocol, port })} over IPv${family}`
  const start = `${from.name} (${from.address} on ${homeOf(from)})`
  const to = service === undefined ? '' : ` → service ${service.name} (${service.address})`
  const end = way === undefined || way.to.kind === 'no-service' ? '' : ` → ${endWords(way)}`
  return printable(`${what}: ${start}${to}${end}`)
}

function endWords(way: ExplainedWay): string {
  const { to, backend } = way
  const where = to.kind === 'pod' ? ` on ${homeOf(to)}` : ''
  if (backend !== undefined) return `${endName(way)}${where}`
  return to.name === to.address ? to.name : `${to.name} (${to.address}${where})`
}

function stepLines({ name, outcome, says }: Step, look: Look): string[] {
  const head = `${mark(outcome, look)} ${name.padEnd(NAME)}`
  const paint = outcome === 'stops' ? look.bad : outcome === 'moot' ? look.quiet : (text: string): string => text
  const blank = ' '.repeat(NAME + 2)
  return wrap(printable(says), look.width - NAME - 2).map((line, i) => `${i === 0 ? head : blank}${paint(line)}`)
}

/** Where an endpoint is reached and another is not, or not for the same reason, each tells why. */
function endpointLines(ways: readonly ExplainedWay[], look: Look): string[] {
  const differ = new Set(ways.map(({ decider }) => decider?.says)).size > 1
  const blank = ' '.repeat(NAME + 2)
  return ways.flatMap((way) => {
    const why = way.decider === undefined || !differ ? '' : `: ${way.decider.says}`
    const lines = wrap(printable(`${endName(way)}${why}`), look.width - NAME - 4)
    return lines.map((line, i) => `${blank}${i === 0 ? mark(way.allowed ? 'passes' : 'stops', look) : ' '} ${line}`)
  })
}

function flowLines({ flows }: ExplainedWay, look: Look): string[] {
  const outcome = flows.agrees === undefined ? 'unknown' : flows.agrees ? 'passes' : 'stops'
  return stepLines({ name: 'flows' as Step['name'], outcome, says: flows.says }, look)
}

/** Where the flows say otherwise than the objects, each once. */
function disagreements(ways: readonly ExplainedWay[], look: Look, asTyped: AsTyped): string[] {
  const told = new Map(ways.filter(({ flows }) => flows.agrees === false).map((way) => [way.flows.says, way]))
  return [...told.values()].flatMap(({ flows }) => [
    ...marked('differs', printable(flows.says), look),
    ...advice(flows.remedy, look, asTyped),
  ])
}

function advice(remedy: string | undefined, look: Look, asTyped: AsTyped): string[] {
  if (remedy === undefined) return []
  return wrap(`→ ${asTyped(printable(remedy))}`, look.width - 2).map((line) => `  ${line}`)
}

function marked(outcome: Outcome | 'differs', text: string, look: Look): string[] {
  const sign = outcome === 'differs' ? look.warn('!') : mark(outcome, look)
  return wrap(text, look.width - 2).map((line, i) => `${i === 0 ? sign : ' '} ${line}`)
}

function mark(outcome: Outcome, look: Look): string {
  switch (outcome) {
    case 'passes':
      return look.good('✓')
    case 'stops':
      return look.bad('✗')
    case 'unknown':
      return look.warn('?')
    case 'moot':
      return look.quiet('–')
  }
}
