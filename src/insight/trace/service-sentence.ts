/**
 * Whether a service is reached, in one sentence.
 * @module
 */
import type { Sentence } from './sentence.ts'
import { protocolWords, sentenceOf } from './sentence.ts'
import { backendText, type Traced, type TracedService, type Way } from './service.ts'

/** How a trace to a service ended, over all endpoints that were traced. */
export function serviceSentence(service: TracedService, ways: readonly Way[]): Sentence {
  const [only, ...more] = ways
  if (only !== undefined && more.length === 0) return onlyWay(service, only)
  const failed = ways.filter(({ trace }) => !trace.reachable)
  const [first] = failed
  const to = `service ${service.name} by ${protocolWords(service.probe)}`
  if (first === undefined) {
    return {
      says: `${service.from.name} reaches ${to}, whichever of its ${ways.length} endpoints answers.`,
      remedy: undefined,
    }
  }
  const { says, remedy } = sentenceOf(first.trace)
  const why = says.slice(says.indexOf(': ') + 2)
  const some = `${service.from.name} reaches ${to} only when it is led to ${ways.length - failed.length} of its ${ways.length} endpoints`
  const none = `${service.from.name} does not reach ${to} by any of its ${ways.length} endpoints`
  return { says: `${failed.length === ways.length ? none : some}; of ${endpointText(first)}: ${why}`, remedy }
}

/** Whether every endpoint that was traced is reached. */
export function isReachable({ ways }: Traced): boolean {
  return ways.every(({ trace }) => trace.reachable)
}

/** What a service does with the packet, in one line. */
export function balanceWords({ endpoints, byClient }: TracedService): string {
  if (endpoints === 0) return 'led to no endpoint'
  if (endpoints === 1) return 'led to its only endpoint'
  const how = byClient ? 'a client always gets the same one' : 'each connection gets any of them'
  return `balanced over ${endpoints} endpoints: ${how}`
}

/** `10.128.0.3:8080 (shop/api on node1)`. */
export function endpointText({ backend, trace: { to } }: Way): string {
  if (backend === undefined) return to.name
  const who = to.kind === 'pod' ? `${to.name} on ${to.facts.status.node}` : to.kind === 'node' ? to.name : 'no pod here'
  return `${backendText(backend)} (${who})`
}

function onlyWay(service: TracedService, { backend, trace }: Way): Sentence {
  const { says, remedy } = sentenceOf(trace)
  return { says: backend === undefined ? says : `service ${service.name}: ${says}`, remedy }
}
