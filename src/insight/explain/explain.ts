/**
 * Whether a pod can open a connection, by the objects, and what decides; held against the agents' flows.
 * @module
 */
import { serviceKey } from '../../network/model/service.ts'
import type { Backend } from '../../network/service/backends.ts'
import { InsightError } from '../errors.ts'
import { type Traced, traceAll } from '../trace/service.ts'
import { type ClusterView, nodeOf } from '../view.ts'
import type { Conversation, ExplainedProtocol, Step, StepName } from './conversation.ts'
import { type End, endAt, findEnd } from './ends.ts'
import { type FlowsSay, flowsSay, unasked } from './flows-say.ts'
import { isPhysical, physicalSteps } from './physical.ts'
import { policySteps } from './policy-step.ts'
import { lookAtService, noServiceStep } from './service-step.ts'
import { type ExplainRequest, type Target, targetOf } from './target.ts'
import { tenantStep } from './tenant-step.ts'
import { answerStep, guardStep, homeOf, isOverlay, mtuStep, routeStep } from './way-steps.ts'
import { worldOf } from './world.ts'

/** An answered question. */
export interface Explanation {
  readonly from: End
  /** `<namespace>/<name>`, where it was opened to one. */
  readonly service: ExplainedService | undefined
  readonly protocol: ExplainedProtocol
  /** The port that was asked for; 0 for ICMP. */
  readonly port: number
  readonly family: 4 | 6
  /** One for every endpoint; a single one where nothing balances. */
  readonly ways: readonly ExplainedWay[]
  /** By the objects: every endpoint is reached. */
  readonly reachable: boolean
}

export interface ExplainedService {
  readonly name: string
  readonly address: string
  readonly endpoints: number
}

/** What becomes of a connection that is led to one end. */
export interface ExplainedWay {
  readonly to: End
  readonly backend: Backend | undefined
  readonly port: number
  readonly steps: readonly Step[]
  readonly allowed: boolean
  /** The step that stops it: the first that a packet would meet. */
  readonly decider: Step | undefined
  readonly flows: FlowsSay
}

/** Answers a question. Throws as {@link targetOf} and `worldOf` do, and `INSIGHT_NAME_UNKNOWN` for a sender. */
export function explainRequest(view: ClusterView, request: ExplainRequest): Explanation {
  const { protocol, family } = request
  const from = senderOf(view, request)
  const world = worldOf(view, homeOf(from))
  const target = targetOf(view, request)
  const facts = nodeOf(view, homeOf(from))
  const base = { view, world, from, protocol, facts }
  const traced = traceOf(view, request, from, target)
  const explained = { from, protocol, family, port: protocol === 'icmp' ? 0 : target.port }
  if (target.kind === 'end') {
    const { end: to, port } = target
    const way = explainWay({ ...base, to, port }, noServiceStep(view, to), traced, undefined)
    return { ...explained, service: undefined, ways: [way], reachable: way.allowed }
  }
  const { step, backends } = lookAtService(view, target, protocol, homeOf(from))
  const name = serviceKey(target.service.namespace, target.service.name)
  const service = { name, address: target.address, endpoints: backends.length }
  const ends = backends.map((backend) => ({ to: endAt(view, backend.address), port: backend.port, backend }))
  const nowhere = {
    to: { kind: 'no-service', name: `service ${name}`, address: target.address },
    port: target.port,
  } as const
  const ways = (ends.length === 0 ? [{ ...nowhere, backend: undefined }] : ends).map(({ to, port, backend }) =>
    explainWay({ ...base, to, port }, step, traced, backend),
  )
  return { ...explained, service, ways, reachable: ways.every(({ allowed }) => allowed) }
}

function senderOf(view: ClusterView, { from, family }: ExplainRequest): End {
  const end = findEnd(view, from, family)
  if (end.kind === 'pod' || end.kind === 'node' || end.kind === 'host') return end
  const remedy = 'give a pod or a node; packets from outside enter by the node they are routed to'
  throw new InsightError('INSIGHT_NAME_UNKNOWN', `no pod or node has the address ${from}`, remedy)
}

/** The order in which a packet meets what the steps are about. */
const MET: readonly StepName[] = [
  'spoof guard',
  'service',
  'egress policies',
  'route',
  'egress firewall',
  'tenant',
  'ingress policies',
  'answer',
]

function explainWay(
  conversation: Conversation,
  service: Step,
  traced: Traced | FlowsSay,
  backend: Backend | undefined,
): ExplainedWay {
  const { view, to, port } = conversation
  const leadsOn = service.outcome !== 'stops'
  const isWire = [conversation.from, to].some((end) => isPhysical(view, end))
  const looked =
    isWire && leadsOn
      ? physicalSteps(conversation).toSpliced(2, 0, service)
      : [
          guardStep(conversation),
          ...(leadsOn ? [tenantStep(conversation)] : []),
          service,
          ...(leadsOn ? [routeStep(conversation), ...policySteps(conversation)] : []),
        ]
  const stopper = (steps: readonly Step[]): Step | undefined =>
    MET.flatMap((name) => steps.filter((step) => step.name === name)).find(({ outcome }) => outcome === 'stops')
  const arrives = stopper(looked) === undefined
  const steps = [
    ...looked,
    ...(leadsOn && !isWire ? [mtuStep(conversation)] : []),
    answerStep(arrives, isWire ? undefined : conversation),
  ]
  const decider = stopper(steps)
  const allowed = decider === undefined
  const trace = 'ways' in traced ? traced.ways.find((way) => isOf(way.backend, backend))?.trace : undefined
  if (!('ways' in traced)) return { to, backend, port, steps, allowed, decider, flows: traced }
  if (isWire) return { to, backend, port, steps, allowed, decider, flows: unasked(NOT_TRACED) }
  const unseen = unseenBySwitches(conversation, backend)
  if (unseen !== undefined) return { to, backend, port, steps, allowed, decider, flows: unseen }
  const flows = trace === undefined ? notLed(traced) : flowsSay(view, allowed, trace, homeOf(to))
  return { to, backend, port, steps, allowed, decider, flows }
}

const NOT_TRACED = 'the way on the physical network is not traced'

function isOf(one: Backend | undefined, other: Backend | undefined): boolean {
  return other === undefined || (one?.address === other.address && one.port === other.port)
}

/** What never comes to a switch: a sender's own address (a service's does, and comes back), and a node's way out. */
function unseenBySwitches({ from, to }: Conversation, backend: Backend | undefined): FlowsSay | undefined {
  if (backend !== undefined) return undefined
  if (from.address === to.address) return { agrees: true, says: 'no switch sees it: the sender’s own stack keeps it' }
  if (from.kind === 'pod' || isOverlay(to)) return undefined
  return { agrees: true, says: `no switch sees it: ${from.name} sends it by its own network` }
}

/** A node leads its clients to so many endpoints of a large service only. */
const MOST_ENDPOINTS = 64

function notLed({ service }: Traced): FlowsSay {
  const count = service?.endpoints ?? 0
  if (count >= MOST_ENDPOINTS) return unasked('this node leads its clients to other endpoints of the service')
  const says = 'the objects name this endpoint, the flows of the sender’s node do not lead to it (yet)'
  return { agrees: false, says, remedy: 'ask again in a few seconds; if it stays so, see weft status and weft audit' }
}

/** The way of a packet through the flows, or why it cannot be followed. */
function traceOf(view: ClusterView, request: ExplainRequest, from: End, target: Target): Traced | FlowsSay {
  const home = homeOf(from)
  if (isPhysical(view, from)) return unasked(NOT_TRACED)
  const facts = nodeOf(view, home)
  if (facts === undefined) return unasked(`the agent of ${home} does not answer: its flows could not be asked`)
  if (from.kind === 'pod' && !facts.leases.some(({ endpoint }) => endpoint.addresses.includes(from.address)))
    return unasked(`${home} has no port of ${from.name}: there is nothing to follow`)
  const { protocol, family } = request
  const to = target.kind === 'end' ? target.end.address : target.address
  return traceAll(view, { from: from.name, to, port: target.port, protocol, family, size: 60 })
}
