/**
 * A connection that is asked about, and one step of the answer.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import type { PolicyRef } from '../../network/model/policy.ts'
import type { Connection, PolicyWorld } from '../../network/policy/verdict.ts'
import type { ClusterView } from '../view.ts'
import type { End } from './ends.ts'

/** What can be asked about. */
export const EXPLAINED_PROTOCOLS = ['tcp', 'udp', 'sctp', 'icmp'] as const
export type ExplainedProtocol = (typeof EXPLAINED_PROTOCOLS)[number]

/** A connection as it arrives: the service it was opened to has been translated. */
export interface Conversation {
  readonly view: ClusterView
  readonly world: PolicyWorld
  readonly from: End
  readonly to: End
  readonly protocol: ExplainedProtocol
  /** Of the destination; 0 for ICMP. */
  readonly port: number
  /** What the agent of the sender's node tells; undefined when it does not answer. */
  readonly facts: NodeFacts | undefined
}

/** What is looked at, in the order in which it is told. */
export type StepName =
  | 'spoof guard'
  | 'tenant'
  | 'service'
  | 'route'
  | 'egress policies'
  | 'ingress policies'
  | 'egress firewall'
  | 'MTU'
  | 'answer'

/** `moot`: an earlier step decides. */
export type Outcome = 'passes' | 'stops' | 'unknown' | 'moot'

/** One step. */
export interface Step {
  readonly name: StepName
  readonly outcome: Outcome
  /** A sentence without a capital and a full stop: it can stand behind a colon. */
  readonly says: string
  readonly remedy?: string
  /** It is why the connection may be. */
  readonly decisive?: true
  /** The rule, or policy, that decided. */
  readonly policy?: PolicyRef
  /** The field that decided, such as `spec.ingress[0].from[1].podSelector`. */
  readonly field?: string
}

/** The question for policies. */
export function connectionOf({
  from,
  to,
  protocol,
  port,
}: Pick<Conversation, 'from' | 'to' | 'protocol' | 'port'>): Connection {
  const base = { source: partyOf(from), destination: partyOf(to) }
  if (protocol === 'icmp') return { ...base, protocol: 'ICMP', port: 0 }
  return { ...base, protocol: PROTOCOLS[protocol], port }
}

const PROTOCOLS = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const

function partyOf(end: End): Connection['source'] {
  const { address } = end
  if (end.kind === 'pod') return { type: 'pod', pod: end.pod, address }
  return end.kind === 'node' ? { type: 'node', node: end.name, address } : { type: 'outside', address }
}

/** `open tcp port 80 of`, `ping`. */
export function verbOf({ protocol, port }: Pick<Conversation, 'protocol' | 'port'>): string {
  return protocol === 'icmp' ? 'ping' : `open ${protocol} port ${port} of`
}

/** `tcp port 80`, `ping`. */
export function whatOf({ protocol, port }: Pick<Conversation, 'protocol' | 'port'>): string {
  return protocol === 'icmp' ? 'ping' : `${protocol} port ${port}`
}
