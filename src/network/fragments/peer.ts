/**
 * A remote machine: packets from it are accepted, packets to its pods, or to itself, go through the tunnel.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { type NodeContext, tunnelAddress } from '../context.ts'
import { type Cidr, familyOf, type Ip } from '../model/address.ts'
import type { Machine, NodeNetwork } from '../model/node.ts'
import { GLOBAL_VNI } from '../model/tenant.ts'
import { ETH_ARP, type FlowMaker, flowsOf, goto, holds, ipPacket, load } from '../pipeline/build.ts'
import { ORIGIN, REGISTERS, TUNNEL_PORT } from '../pipeline/stages.ts'
import { givesWay } from '../shared-address.ts'
import { answerArp } from './answer-arp.ts'
import { addressKey, type Fragment, NO_TABLES, peerKey } from './fragment.ts'
import { nodeAddressFlows } from './services-base.ts'

/**
 * The fragment of a remote machine; without flows when no tunnel to it has an end. `claimants` are those who lay claim to
 * its addresses.
 */
export function peerFragment(
  context: NodeContext,
  peer: NodeNetwork,
  claimants: readonly NodeNetwork[] = [],
): Fragment {
  const key = peerKey(peer.node)
  const title = `${peer.machine.kind === 'node' ? 'node' : 'external host'} ${peer.node}`
  const remote = tunnelEnd(context, peer, claimants)
  if (remote === undefined) return { key, title, ...NO_TABLES }
  const make = flowsOf(key)
  const accept: Action[] = [tenantOf(peer.machine), load('origin', ORIGIN.tunnel), goto('track')]
  const flows = peer.ranges.flatMap((range) => [
    make.flow('tunnel', 100, { ...sentFrom(remote), ...ipPacket(familyOf(range), { from: range }) }, accept),
    ...routes(make, range, peer.machine, remote),
    ...(asksNeighbours(peer) ? neighbourAnswers(make, context, range, remote) : []),
  ])
  return { key, title, flows, groups: [] }
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
      ...(isTunnelEnd ? [make.drop('tunnel-source', 50, sentFrom(address))] : []),
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
