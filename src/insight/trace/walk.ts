/**
 * A packet's way from node to node, through the flows that each of them should have.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import type { FieldName } from '../../flow/fields.ts'
import type { Bucket, Group } from '../../flow/flow.ts'
import { tunnelAddress } from '../../network/context.ts'
import { NEXT_HOP_MAC } from '../../network/host.ts'
import { contains, type Family, formatIp, type Ip } from '../../network/model/address.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { type DropName, dropByCode } from '../../network/pipeline/drops.ts'
import { DIRECT_PORT, GATEWAY_PORT, REGISTERS, TUNNEL_PORT } from '../../network/pipeline/stages.ts'
import {
  Connections,
  compileSwitch,
  type Output,
  type Packet,
  type Passage,
  packetOf,
  type Switch,
  simulate,
} from '../../network/simulate/simulate.ts'
import { type ClusterView, nodeOf } from '../view.ts'
import { nameOf } from './party.ts'
import type { Fields } from './probe.ts'

/** A packet's passage through one node's switch. */
export interface Hop {
  readonly facts: NodeFacts
  /** The packet as it came in. */
  readonly packet: Packet
  readonly passage: Passage
  /** Whether it is larger than the tunnel carries from here. */
  readonly oversize: boolean
  /** The group that balanced it, and the bucket that it was given. */
  readonly choice: Choice | undefined
}

/** A group's choice; a group without buckets has none. */
export interface Choice {
  readonly group: Group
  readonly bucket: Bucket | undefined
}

/** What switches know of a conversation, and how their groups choose. */
export interface World {
  /** The connections of a node's switch. */
  readonly connections: (node: string) => Connections
  readonly pick: (group: Group) => Bucket | undefined
}

/** Switches that know no connection yet. Groups take their first bucket unless `pick` says otherwise. */
export function newWorld(pick: World['pick'] = ({ buckets }) => buckets[0]): World {
  const known = new Map<string, Connections>()
  const connections = (node: string): Connections => {
    const found = known.get(node) ?? new Connections({ sctp: true })
    known.set(node, found)
    return found
  }
  return { connections, pick }
}

/** How a packet's way ends. */
export type Verdict =
  | { readonly kind: 'pod'; readonly node: string; readonly name: string; readonly addresses: readonly Ip[] }
  /** Handed to the node's own network stack. */
  | { readonly kind: 'stack'; readonly node: string }
  | { readonly kind: 'drop'; readonly node: string; readonly drop: DropName }
  /** It ends in a way that has no name: `why` completes “it is lost because …”. */
  | { readonly kind: 'lost'; readonly node: string; readonly why: string }

/** The whole way. */
export interface Walk {
  readonly hops: readonly Hop[]
  readonly verdict: Verdict
}

/** What comes from another node is not sent on to a third, so two hops are all there can be; this only ends a defect. */
const MAX_HOPS = 4
const ETHERNET = 14

/**
 * Follows a packet that enters the switch of `start`. `size` is that of the IP packet in bytes. The connections of
 * `world` learn from it, so that the answer finds its way back.
 */
export function walk(view: ClusterView, start: NodeFacts, fields: Fields, size: number, world = newWorld()): Walk {
  const hops: Hop[] = []
  let at = start
  let packet = packetOf(fields)
  while (hops.length < MAX_HOPS) {
    const hop = pass(at, packet, size, world)
    hops.push(hop)
    const [output] = hop.passage.outputs
    const way = output === undefined ? undefined : WAYS.get(output.port)
    if (output === undefined || way === undefined) return { hops, verdict: verdictOf(hop) }
    const far = way.farEnd(view, at, output.packet)
    if ('kind' in far) return { hops, verdict: far }
    packet = way.after(at, far, output.packet)
    at = far
  }
  return { hops, verdict: { kind: 'lost', node: at.status.node, why: 'it goes from node to node in circles' } }
}

function pass(facts: NodeFacts, packet: Packet, size: number, world: World): Hop {
  const target = switchOf(facts)
  const { node } = facts.status
  const known = world.connections(node)
  let choice: Choice | undefined
  const pick = (group: Group): Bucket | undefined => {
    choice = { group, bucket: world.pick(group) }
    return choice.bucket
  }
  // A packet has no length while it is simulated, so a first run finds out which limit it meets.
  const limit = simulate(target, packet, { connections: known.copy(), pick })
    .steps.flatMap(({ flow }) => flow?.actions ?? [])
    .find((action) => action.op === 'check_pkt_larger')
  const oversize = limit?.op === 'check_pkt_larger' && size + ETHERNET > limit.size
  const { field, offset } = REGISTERS.oversize
  const entering = oversize ? new Map(packet).set(field, 1n << BigInt(offset)) : packet
  const passage = simulate(target, entering, { connections: known, pick })
  return { facts, packet, passage, oversize, choice }
}

const COMPILED = new WeakMap<NodeFacts, Switch>()

function switchOf(facts: NodeFacts): Switch {
  const known = COMPILED.get(facts)
  if (known !== undefined) return known
  const { fragments } = facts
  const compiled = compileSwitch(
    fragments.flatMap(({ flows }) => flows),
    fragments.flatMap(({ groups }) => groups),
  )
  COMPILED.set(facts, compiled)
  return compiled
}

function verdictOf({ facts, packet, passage }: Hop): Verdict {
  const { node } = facts.status
  const last = passage.steps.at(-1)
  const drop = last?.flow === undefined ? undefined : dropByCode(parseCookie(last.flow.cookie)?.dropCode ?? 0)
  if (drop !== undefined) return { kind: 'drop', node, drop }
  if (last?.flow === undefined) return { kind: 'lost', node, why: `table ${last?.table ?? 0} has no flow for it` }
  const [output] = passage.outputs
  if (output === undefined) {
    const why =
      packet.get('in_port') === undefined ? 'nothing sends it' : 'a switch never sends back where it came from'
    return { kind: 'lost', node, why }
  }
  return delivered(facts, output)
}

function delivered(facts: NodeFacts, { port }: Output): Verdict {
  const { node } = facts.status
  if (port === GATEWAY_PORT) return { kind: 'stack', node }
  if (typeof port !== 'number') return { kind: 'lost', node, why: 'the switch answers it itself' }
  const lease = facts.leases.find(({ endpoint }) => endpoint.ofport === port)
  if (lease === undefined) return { kind: 'lost', node, why: `port ${port} belongs to no pod` }
  return { kind: 'pod', node, name: nameOf(lease), addresses: lease.endpoint.addresses }
}

/** A way from a node's switch to another's. */
interface WayOn {
  farEnd(view: ClusterView, from: NodeFacts, packet: Packet): NodeFacts | Verdict
  /** The packet as the far node's switch gets it. */
  after(from: NodeFacts, to: NodeFacts, packet: Packet): Packet
}

/** By the port that leads there. */
const WAYS: ReadonlyMap<Output['port'], WayOn> = new Map<Output['port'], WayOn>([
  [TUNNEL_PORT, { farEnd: tunnelEnd, after: afterTunnel }],
  [DIRECT_PORT, { farEnd: owner, after: (_from, _to, packet) => new Map([...inside(packet), ...packetOf(ARRIVING)]) }],
])

const ARRIVING: Fields = { in_port: DIRECT_PORT, eth_dst: NEXT_HOP_MAC }

/** The node that has the receiver's range: the kernels' routes lead there, whatever is in between. */
function owner(view: ClusterView, from: NodeFacts, packet: Packet): NodeFacts | Verdict {
  const to = addressIn(packet, 'dst')
  const found = view.nodes.find(({ self }) => self.ranges.some((range) => contains(range, to)))
  if (found !== undefined) return found
  const peer = from.status.peers.find(({ ranges }) => ranges.some((range) => contains(range, to)))
  const who = peer === undefined ? `${to}, which is in no node’s range` : `${peer.node}, whose agent does not answer`
  const why = `it leaves by the node’s own routes to ${who}: the rest of its way is not known`
  return { kind: 'lost', node: from.status.node, why }
}

/** The address that a packet of IP has at an end. */
export function addressIn(packet: Packet, end: 'src' | 'dst'): Ip {
  const family: Family = packet.get('eth_type') === 0x86ddn ? 6 : 4
  return formatIp(family, packet.get(`ipv${family}_${end}`) ?? 0n)
}

/** The node at the tunnel's other end, or why its part of the way cannot be told. */
function tunnelEnd(view: ClusterView, from: NodeFacts, packet: Packet): NodeFacts | Verdict {
  const { node } = from.status
  const family = from.cluster.underlay
  const remote = formatIp(family, packet.get(tunnelField('dst', family)) ?? 0n)
  const peer = from.status.peers.find(({ address }) => address === remote)
  const far = peer === undefined ? undefined : nodeOf(view, peer.node)
  const found = far ?? view.nodes.find(({ self }) => self.addresses.includes(remote))
  if (found !== undefined) return found
  const who = peer === undefined ? `${remote}, which is no node here` : `${peer.node}, whose agent does not answer`
  return { kind: 'lost', node, why: `it leaves through the tunnel to ${who}: the rest of its way is not known` }
}

/** What a switch knows of a packet, its registers and its connection, stays in that switch. */
function inside(packet: Packet): Packet {
  return new Map([...packet].filter(([field]) => !/^(reg|tun_|ct_)/.test(field)))
}

function afterTunnel(from: NodeFacts, to: NodeFacts, packet: Packet): Packet {
  const family = from.cluster.underlay
  const ends = packetOf({
    in_port: TUNNEL_PORT,
    [tunnelField('src', family)]: tunnelAddress(from.cluster, from.self) ?? '',
    [tunnelField('dst', family)]: tunnelAddress(to.cluster, to.self) ?? '',
  })
  return new Map([...inside(packet), ...ends, ['tun_id', packet.get('tun_id') ?? 0n]])
}

function tunnelField(end: 'src' | 'dst', family: Family): FieldName {
  return family === 4 ? `tun_${end}` : `tun_ipv6_${end}`
}
