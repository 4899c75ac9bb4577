/**
 * The answer in one sentence.
 * @module
 */
import { DROPS } from '../../network/pipeline/drops.ts'
import type { Party } from './party.ts'
import type { Probe } from './probe.ts'
import { arrives, type Trace } from './trace.ts'
import type { Verdict } from './walk.ts'

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
    const why = whyNot(there.verdict, from, to)
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
  const why = whyNot(back.verdict, to, from)
  return { says: `${what}: its packets arrive, but of the answer ${why.says}`, remedy: why.remedy }
}

/** The answer's way in one line. */
export function answerWords(result: Trace): string | undefined {
  const { back, from, to } = result
  if (back === undefined) return undefined
  const path = back.hops.map(({ facts }) => facts.status.node).join(' → ')
  if (arrives(back.verdict, from)) return `answer: ${path}, reaches ${from.name}`
  return `answer: ${path}, ${whyNot(back.verdict, to, from).says}`
}

/** `tcp port 80`, `ping`. */
export function protocolWords({ protocol, destinationPort, family }: Probe): string {
  return `${protocol === 'icmp' ? 'ping' : `${protocol} port ${destinationPort}`} over IPv${family}`
}

function wayOut(to: Party, verdict: Verdict): string {
  if (to.kind !== 'address' || verdict.kind !== 'stack') return ''
  return `, as far as Weft sees: ${verdict.node} routes it on, and what leaves the cluster gets the node’s address`
}

function whyNot(verdict: Verdict, from: Party, to: Party): Sentence {
  switch (verdict.kind) {
    case 'drop': {
      const { because, remedy } = DROPS[verdict.drop]
      const says = `${verdict.node} drops it because ${because} (${verdict.drop}).`
      return { says, remedy: remedyWith(remedy, from, to) }
    }
    case 'lost':
      return { says: `it is lost on ${verdict.node} because ${verdict.why}.`, remedy: undefined }
    case 'pod':
      return { says: `it goes to ${verdict.name} on ${verdict.node} instead.`, remedy: 'Compare addresses: weft audit' }
    case 'stack':
      return { says: `it goes to the network stack of ${verdict.node} instead.`, remedy: 'Compare ranges: weft audit' }
  }
}

/** The remedy with the namespaces in question filled in. */
function remedyWith(remedy: string, from: Party, to: Party): string {
  const namespaces = [from, to].map((party) => (party.kind === 'pod' ? party.lease.endpoint.namespace : undefined))
  const [source, target] = namespaces
  if (source === undefined || target === undefined || source === target) return remedy
  return remedy.replace('<namespace> --to <namespace>', `${source} --to ${target}`)
}
