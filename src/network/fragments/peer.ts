/**
 * A remote node: packets from it are accepted, packets to its pods go through the tunnel.
 * @module
 */
import type { Action, Match } from '../../flow/flow.ts'
import { type NodeContext, tunnelAddress } from '../context.ts'
import { familyOf, type Ip } from '../model/address.ts'
import type { NodeNetwork } from '../model/node.ts'
import { flowsOf, goto, ipPacket, load } from '../pipeline/build.ts'
import { ORIGIN, REGISTERS } from '../pipeline/stages.ts'
import { type Fragment, NO_TABLES, peerKey } from './fragment.ts'
import { nodeAddressFlows } from './services-base.ts'

/** Ethernet header bytes that `check_pkt_larger` counts and an MTU does not. */
const ETHERNET = 14

/** The fragment of a remote node; without flows when it has no address of the underlay's family. */
export function peerFragment(context: NodeContext, peer: NodeNetwork): Fragment {
  const key = peerKey(peer.node)
  const title = `node ${peer.node}`
  const remote = tunnelAddress(context.cluster, peer)
  if (remote === undefined) return { key, title, ...NO_TABLES }
  const make = flowsOf(key)
  const { flow, drop } = make
  const fromPeer: Match = { [familyOf(remote) === 4 ? 'tun_src' : 'tun_ipv6_src']: remote }
  const accept: Action[] = [
    { op: 'move', from: { field: 'tun_id', offset: 0, bits: 32 }, to: REGISTERS.sourceVni },
    load('origin', ORIGIN.tunnel),
    goto('route'),
  ]
  const flows = peer.ranges.flatMap((range) => {
    const family = familyOf(range)
    return [
      flow('tunnel', 100, { ...fromPeer, ...ipPacket(family, { from: range }) }, accept),
      flow('route', 100, ipPacket(family, { to: range }), sendTo(remote, context.mtu)),
    ]
  })
  const addresses = context.cluster.services === 'weft' ? peer.addresses : []
  return {
    key,
    title,
    flows: [
      ...flows,
      drop('tunnel-source', 50, fromPeer),
      ...addresses.flatMap((each) => nodeAddressFlows(make, each)),
    ],
    groups: [],
  }
}

function sendTo(remote: Ip, mtu: number): Action[] {
  const register = REGISTERS.oversize
  return [
    { op: 'check_pkt_larger', size: mtu + ETHERNET, to: register },
    { op: 'move', from: REGISTERS.sourceVni, to: { field: 'tun_id', offset: 0, bits: 32 } },
    { op: 'set', field: familyOf(remote) === 4 ? 'tun_dst' : 'tun_ipv6_dst', value: remote },
    goto('fit'),
  ]
}
