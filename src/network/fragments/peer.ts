/**
 * A remote machine: packets from it are accepted, packets to its pods go the way that the fabric has for them, and to itself
 * through the tunnel.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { localRange, type NodeContext, tunnelAddress } from '../context.ts'
import { DIRECT_MAC } from '../fabric/direct.ts'
import { isRoute, type KnownReach, UNKNOWN_REACH, type Way, wayToRange } from '../fabric/way.ts'
import { type Cidr, familyOf, type Ip } from '../model/address.ts'
import type { Machine, NodeNetwork } from '../model/node.ts'
import { GLOBAL_VNI } from '../model/tenant.ts'
import { ETH_ARP, type FlowMaker, flowsOf, goto, holds, ipPacket, load } from '../pipeline/build.ts'
import { DIRECT_PORT, ORIGIN, REGISTERS, TUNNEL_PORT } from '../pipeline/stages.ts'
import { givesWay } from '../shared-address.ts'
import { answerArp } from './answer-arp.ts'
import { addressKey, type Fragment, NO_TABLES, peerKey } from './fragment.ts'
import { probesFrom } from './probes.ts'
import { nodeAddressFlows } from './services-base.ts'

/** What a node knows of a remote machine besides what that says of itself. */
export interface PeerFacts {
  /** Those who lay claim to its addresses. */
  readonly claimants?: readonly NodeNetwork[]
  /** What the node's kernel knows of ways to it without a tunnel. */
  readonly known?: KnownReach
}

/** The fragment of a remote machine; without flows when there is no way to it at all. */
export function peerFragment(
  context: NodeContext,
  peer: NodeNetwork,
  { claimants = [], known = { reach: UNKNOWN_REACH } }: PeerFacts = {},
): Fragment {
  const key = peerKey(peer.node)
  const title = `${peer.machine.kind === 'node' ? 'node' : 'external host'} ${peer.node}`
  const make = flowsOf(key)
  const remote = tunnelEnd(context, peer, claimants)
  const flows = peer.ranges.flatMap((range) => [
    ...(remote === undefined ? [] : byTunnel(make, context, peer, range, remote)),
    ...(context.takesDirect && peer.machine.kind === 'node'
      ? byItself(make, range, wayToRange(context.cluster, peer, range, known), remote)
      : []),
  ])
  return { key, title, flows, groups: [] }
}

function byTunnel(make: FlowMaker, context: NodeContext, peer: NodeNetwork, range: Cidr, remote: Ip): Flow[] {
  const accept: Action[] = [tenantOf(peer.machine), load('origin', ORIGIN.tunnel), goto('track')]
  return [
    make.flow('tunnel', 100, { ...sentFrom(remote), ...ipPacket(familyOf(range), { from: range }) }, accept),
    ...routes(make, range, peer.machine, remote),
    ...(asksNeighbours(peer) ? neighbourAnswers(make, context, range, remote) : []),
  ]
}

/**
 * Without a tunnel go packets from pod to pod, and nothing else: the node's own stack may have translated what it sends, and has
 * to get the answers back by the switch. So both are led by the tunnel, to which an answer to a node's own address goes as well.
 */
function byItself({ flow, end }: FlowMaker, range: Cidr, way: Way, remote: Ip | undefined): Flow[] {
  const family = familyOf(range)
  const judged: Action[] = [load('sourceVni', GLOBAL_VNI), load('origin', ORIGIN.tunnel), goto('track')]
  const pods = { ...ipPacket(family, { to: range }), ...holds('origin', ORIGIN.pod) }
  const leave: Action[] = [
    load('destinationPort', DIRECT_PORT),
    { op: 'set', field: 'eth_dst', value: DIRECT_MAC },
    goto('remote'),
  ]
  const toNode = { ...pods, ...ipPacket(family, { to: localRange(range).gateway }) }
  return [
    ...(remote === undefined ? [] : [flow('route', 130, toNode, sendTo(remote, moveVni))]),
    flow('direct', 100, ipPacket(family, { from: range }), judged),
    ...(isRoute(way.is) ? [flow('route', 120, pods, leave)] : []),
    ...(way.is === 'none' ? [end('no-way', 'route', 120, pods)] : []),
  ]
}

/**
 * Where tunnels to a remote machine end; undefined when it has no address of the underlay's family, and for an external
 * host when that address is another machine's.
 */
export function tunnelEnd(
  { cluster, self }: NodeContext,
  peer: NodeNetwork,
  claimants: readonly NodeNetwork[],
): Ip | undefined {
  const end = tunnelAddress(cluster, peer)
  if (end === undefined || peer.machine.kind === 'node') return end
  return self.addresses.includes(end) || givesWay(cluster, peer, claimants) ? undefined : end
}

/**
 * The fragment of an address that remote machines lay claim to, usually one. It is one fragment for all of them, or the
 * first to leave would take the others' flows along. Nobody has a node's own addresses but itself.
 */
export function addressFragment(context: NodeContext, address: Ip, claimants: readonly NodeNetwork[]): Fragment {
  const key = addressKey(address)
  const title = `address ${address} of ${claimants.map(({ node }) => node).join(' and ')}`
  if (context.self.addresses.includes(address)) return { key, title, ...NO_TABLES }
  const make = flowsOf(key)
  const isTunnelEnd = claimants.some((peer) => tunnelAddress(context.cluster, peer) === address)
  const publishes = context.cluster.services === 'weft' && claimants.some(({ machine }) => machine.kind === 'node')
  return {
    key,
    title,
    flows: [
      ...(isTunnelEnd
        ? [make.drop('tunnel-source', 50, sentFrom(address)), probesFrom(make, address, sentFrom(address))]
        : []),
      ...(publishes ? nodeAddressFlows(make, address) : []),
    ],
    groups: [],
  }
}

/**
 * A node without a ready agent may still be another plugin's, which asks for MAC addresses by way of the tunnel (k8s-ovs,
 * OpenShift SDN): while nodes come over one by one, the others need an answer.
 */
function asksNeighbours({ machine, status }: NodeNetwork): boolean {
  return machine.kind === 'node' && status?.ready !== true
}

function neighbourAnswers({ flow }: FlowMaker, context: NodeContext, range: Cidr, remote: Ip): Flow[] {
  const local = context.ranges.filter(({ family }) => family === 4)
  if (familyOf(range) === 6 || familyOf(remote) === 6) return []
  const back: Action = { op: 'set', field: 'tun_dst', value: remote }
  return local.map(({ range: own }) => {
    const request: Match = { ...sentFrom(remote), eth_type: ETH_ARP, arp_op: 1, arp_spa: range, arp_tpa: own }
    return flow('tunnel', 100, request, [back, ...answerArp(context.routerMac)])
  })
}

/** A packet that came through the tunnel from this address. */
function sentFrom(remote: Ip): Match {
  return { [familyOf(remote) === 4 ? 'tun_src' : 'tun_ipv6_src']: remote }
}

/** Whose packets they are. A node knows its pods; what an external host says of itself counts for nothing. */
function tenantOf(machine: Machine): Action {
  if (machine.kind === 'external') return load('sourceVni', machine.vni)
  return { op: 'move', from: { field: 'tun_id', offset: 0, bits: 32 }, to: REGISTERS.sourceVni }
}

/** A node judges for its pods itself. An external host is of one tenant: what others send ends here. */
function routes({ flow, end }: FlowMaker, range: Cidr, machine: Machine, remote: Ip): Flow[] {
  const to = ipPacket(familyOf(range), { to: range })
  if (machine.kind === 'node') return [flow('route', 100, to, sendTo(remote, moveVni))]
  const send = sendTo(remote, { op: 'set', field: 'tun_id', value: BigInt(machine.vni) })
  if (machine.vni === GLOBAL_VNI) return [flow('route', 100, to, send)]
  return [
    flow('route', 110, { ...to, ...holds('sourceVni', machine.vni) }, send),
    flow('route', 110, { ...to, ...holds('sourceVni', GLOBAL_VNI) }, send),
    end('tenant-isolation', 'route', 100, to),
  ]
}

const moveVni: Action = { op: 'move', from: REGISTERS.sourceVni, to: { field: 'tun_id', offset: 0, bits: 32 } }

function sendTo(remote: Ip, setVni: Action): Action[] {
  return [
    setVni,
    { op: 'set', field: familyOf(remote) === 4 ? 'tun_dst' : 'tun_ipv6_dst', value: remote },
    load('destinationPort', TUNNEL_PORT),
    goto('commit'),
  ]
}
