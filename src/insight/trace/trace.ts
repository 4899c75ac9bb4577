/**
 * Whether one end reaches another, and why not: the way of a packet there, and of its answer.
 * @module
 */
import { type Family, familyOf, parseIp } from '../../network/model/address.ts'
import { InsightError } from '../errors.ts'
import { type ClusterView, nodeOf } from '../view.ts'
import { findParty, type Party, type Sender } from './party.ts'
import { answerTo, fieldsFrom, fieldsFromOutside, type Probe, probeOf } from './probe.ts'
import { newWorld, type Verdict, type Walk, type World, walk } from './walk.ts'

/** What to trace. */
export interface TraceRequest {
  readonly from: string
  readonly to: string
  readonly family?: Family | undefined
  readonly protocol: Probe['protocol']
  readonly port: number
  /** Bytes of the IP packet. */
  readonly size: number
  /** Take the sender's attachment on this node. */
  readonly fromNode?: string | undefined
}

/** A traced conversation. */
export interface Trace {
  readonly probe: Probe
  readonly from: Sender
  readonly to: Party
  readonly there: Walk
  /** Undefined when nothing arrives that could be answered. */
  readonly back: Walk | undefined
  /** What on the way carries smaller packets only. The pipeline's own limit, the tunnel, is part of the walk. */
  readonly bottleneck: Bottleneck | undefined
  /** Both directions arrive, and nothing on the way is too small for the packet. */
  readonly reachable: boolean
}

/** An interface that is too small for the packet. */
export interface Bottleneck {
  /** Whose interface, in words. */
  readonly what: string
  /** Bytes of the largest IP packet that it carries. */
  readonly mtu: number
}

/** Where answers come from, as most stacks choose it. */
const SOURCE_PORT = 40000

/** Traces a packet and its answer. Throws as {@link findParty} does, and `INSIGHT_USAGE`. */
export function trace(view: ClusterView, request: TraceRequest): Trace {
  const family = familyWanted(request)
  const to = findParty(view, request.to, { family })
  const from = senderOf(view, request, family)
  return converse(view, from, to, probeFor(request, from, to.address, family))
}

/** The sender that a request names. */
export function senderOf(view: ClusterView, request: TraceRequest, family: Family): Sender {
  const from = findParty(view, request.from, { family, node: request.fromNode })
  if (from.kind !== 'address') return from
  const remedy = 'give a pod or a node; packets from outside enter by the node they are routed to'
  throw new InsightError('INSIGHT_NAME_UNKNOWN', `no pod or node here has the address ${request.from}`, remedy)
}

/** The packet that a request asks about. */
export function probeFor(
  { protocol, port, size }: TraceRequest,
  from: Sender,
  destination: Probe['destination'],
  family: Family,
): Probe {
  const ends = { source: from.address, destination, sourcePort: SOURCE_PORT, destinationPort: port }
  return { family, protocol, ...ends, answer: false, size }
}

/** Follows a packet, and the answer of whoever gets it, who should be `to`. */
export function converse(view: ClusterView, from: Sender, to: Party, probe: Probe, world: World = newWorld()): Trace {
  const there = walk(view, from.facts, fieldsFrom(from, probe), probe.size, world)
  const back = arrives(there.verdict, to) ? walkBack(view, to, there, probe, world) : undefined
  const bottleneck = bottleneckOf(view, from, to, there, probe.size)
  const reachable = back !== undefined && arrives(back.verdict, from) && bottleneck === undefined
  return { probe, from, to, there, back, bottleneck, reachable }
}

/** Whether a verdict is an arrival at this end. Whoever is outside the overlay is reached through a node's stack. */
export function arrives(verdict: Verdict, at: Party): boolean {
  if (at.kind === 'pod') return verdict.kind === 'pod' && verdict.addresses.includes(at.address)
  return verdict.kind === 'stack' && (at.kind === 'address' || verdict.node === at.name)
}

/** The first interface on the way that is too small: the sender's own, or the uplink that the packet leaves by. */
function bottleneckOf(
  view: ClusterView,
  from: Sender,
  to: Party,
  { verdict }: Walk,
  size: number,
): Bottleneck | undefined {
  const { mtu } = from.facts.status
  if (mtu !== undefined && size > mtu) return { what: `the interface of ${from.name}`, mtu }
  if (verdict.kind !== 'stack' || to.kind !== 'address') return undefined
  const uplink = nodeOf(view, verdict.node)?.status.uplinkMtu
  return uplink === undefined || size <= uplink ? undefined : { what: `the uplink of ${verdict.node}`, mtu: uplink }
}

/** The family of a request's addresses, or the one it names, or IPv4. Throws `INSIGHT_USAGE` where they differ. */
export function familyWanted({ from, to, family }: Pick<TraceRequest, 'from' | 'to' | 'family'>): Family {
  const addresses = [from, to].flatMap((text) => parseIp(text) ?? [])
  const [wanted = 4] = [...(family === undefined ? [] : [family]), ...addresses.map(familyOf)]
  const other = addresses.find((address) => familyOf(address) !== wanted)
  if (other === undefined) return wanted
  throw new InsightError('INSIGHT_USAGE', `${other} is no IPv${wanted} address`, 'choose one family for both ends')
}

function walkBack(view: ClusterView, to: Party, there: Walk, probe: Probe, world: World): Walk | undefined {
  const last = there.hops.at(-1)
  const delivered = last?.passage.outputs[0]?.packet
  if (last === undefined || delivered === undefined) return undefined
  const answer = answerTo(probeOf(delivered, probe))
  if (to.kind !== 'address') return walk(view, to.facts, fieldsFrom(to, answer), answer.size, world)
  // It left the overlay through this node, which translated it; the answer comes back by the same node.
  return walk(view, last.facts, fieldsFromOutside(last.facts.routerMac, answer), answer.size, world)
}
