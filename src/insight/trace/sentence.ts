/**
 * The answer in one sentence.
 * @module
 */
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { explainDrop } from '../explain/drop-sentences/explain-drop.ts'
import { SHARED } from '../explain/drop-sentences/place.ts'
import { titlesByHash } from '../view.ts'
import type { Party } from './party.ts'
import { answerTo, type Probe } from './probe.ts'
import { arrives, type Trace } from './trace.ts'
import type { Verdict, Walk } from './walk.ts'

/** A verdict in words, and what to do about it where there is something to do. */
export interface Sentence {
  readonly says: string
  readonly remedy: string | undefined
}

/** How a trace ended. */
export function sentenceOf(result: Trace): Sentence {
  const { from, to, there, back, probe, bottleneck } = result
  const what = `${from.name} ${result.reachable ? 'reaches' : 'does not reach'} ${to.name} by ${protocolWords(probe)}`
  if (!arrives(there.verdict, to)) {
    const why = whyNot(there, from, to, probe)
    return { says: `${what}: ${why.says}`, remedy: why.remedy }
  }
  if (bottleneck !== undefined) {
    const { what: where, mtu } = bottleneck
    const size = `in packets of ${probe.size} bytes: ${where} carries ${mtu} at most`
    return {
      says: `${what} ${size}. Senders cut their data to that size, unless told not to.`,
      remedy: `--size ${mtu}`,
    }
  }
  if (result.reachable || back === undefined) return { says: `${what}${wayOut(to, there.verdict)}.`, remedy: undefined }
  const why = whyNot(back, to, from, answerTo(probe))
  return { says: `${what}: its packets arrive, but of the answer ${why.says}`, remedy: why.remedy }
}

/** The answer's way in one line. */
export function answerWords(result: Trace): string | undefined {
  const { back, from, to, probe } = result
  if (back === undefined) return undefined
  const path = back.hops.map(({ facts }) => facts.status.node).join(' → ')
  if (arrives(back.verdict, from)) return `answer: ${path}, reaches ${from.name}`
  return `answer: ${path}, ${whyNot(back, to, from, answerTo(probe)).says}`
}

/** `tcp port 80`, `ping`. */
export function protocolWords({ protocol, destinationPort, family }: Probe): string {
  return `${protocol === 'icmp' ? 'ping' : `${protocol} port ${destinationPort}`} over IPv${family}`
}

function wayOut(to: Party, verdict: Verdict): string {
  if (to.kind !== 'address' || verdict.kind !== 'stack') return ''
  return `, as far as Weft sees: ${verdict.node} routes it on, and what leaves the cluster gets the node’s address`
}

function whyNot(walk: Walk, from: Party, to: Party, probe: Probe): Sentence {
  const { verdict } = walk
  switch (verdict.kind) {
    case 'drop': {
      const { answer, protocol, sourcePort, destinationPort } = probe
      const port = answer ? sourcePort : destinationPort
      return explainDrop(verdict.drop, {
        object: droppedBy(walk),
        node: verdict.node,
        from: from.name,
        to: to.name,
        what: answer ? 'a connection' : protocol === 'icmp' ? 'ping' : `${protocol} port ${port}`,
        ...(protocol === 'icmp' ? {} : { port }),
      })
    }
    case 'lost':
      return { says: `it is lost on ${verdict.node} because ${verdict.why}.`, remedy: undefined }
    case 'pod':
      return { says: `it goes to ${verdict.name} on ${verdict.node} instead.`, remedy: 'Compare addresses: weft audit' }
    case 'stack':
      return { says: `it goes to the network stack of ${verdict.node} instead.`, remedy: 'Compare ranges: weft audit' }
  }
}

/** Title of the object whose flow drops the packet. */
export function droppedBy({ hops }: Walk): string {
  const last = hops.at(-1)
  const flow = last?.passage.steps.at(-1)?.flow
  const cookie = flow === undefined ? undefined : parseCookie(flow.cookie)
  if (last === undefined || cookie === undefined) return SHARED
  return titlesByHash(last.facts.fragments).get(cookie.hash) ?? 'an object that is gone'
}
