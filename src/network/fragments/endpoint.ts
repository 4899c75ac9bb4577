/**
 * A pod's interface on this node: what it may send, and how packets reach it.
 * @module
 */
import type { Flow, Match } from '../../flow/flow.ts'
import type { NodeContext } from '../context.ts'
import { familyOf, type Ip, linkLocalFromMac } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  type FlowMaker,
  flowsOf,
  goto,
  icmpv6,
  ipPacket,
  load,
} from '../pipeline/build.ts'
import { ORIGIN } from '../pipeline/stages.ts'
import { policerOf } from '../qos/shaping.ts'
import { endpointKey, type Fragment } from './fragment.ts'
import { turnAround } from './services-base.ts'

/** The fragment of an endpoint whose namespace has this VNI. */
export function endpointFragment(context: NodeContext, endpoint: Endpoint, vni: number): Fragment {
  const key = endpointKey(endpoint.id)
  const make = flowsOf(key)
  const flows = [
    ...classify(make, endpoint, vni),
    ...guard(make, endpoint),
    ...endpoint.addresses.flatMap((address) => [
      ...neighbourDiscovery(make, endpoint, address),
      ...delivery(make, context, endpoint, address, vni),
    ]),
  ]
  return { key, title: `pod ${endpoint.namespace}/${endpoint.pod}`, flows, groups: [] }
}

function classify({ flow }: FlowMaker, endpoint: Endpoint, vni: number): Flow[] {
  const policer = policerOf(endpoint)
  return [
    flow('classify', 100, { in_port: endpoint.ofport }, [
      ...(policer === undefined ? [] : [{ op: 'meter', meter: policer.id } as const]),
      load('sourceVni', vni),
      load('origin', ORIGIN.pod),
      goto('guard'),
    ]),
  ]
}

function guard({ flow, drop }: FlowMaker, endpoint: Endpoint): Flow[] {
  const port: Match = { in_port: endpoint.ofport }
  const own: Match = { ...port, eth_src: endpoint.mac }
  const sources = endpoint.addresses.some((address) => familyOf(address) === 6)
    ? [...endpoint.addresses, linkLocalFromMac(endpoint.mac)]
    : endpoint.addresses
  return [
    ...sources.map((from) => flow('guard', 300, { ...own, ...ipPacket(familyOf(from), { from }) }, [goto('manners')])),
    ...endpoint.addresses
      .filter((address) => familyOf(address) === 4)
      .map((address) =>
        flow('guard', 300, { ...own, eth_type: ETH_ARP, arp_spa: address, arp_sha: endpoint.mac }, [goto('neighbour')]),
      ),
    drop('unaddressed', 200, { ...own, eth_type: ETH_IPV4, ipv4_src: '0.0.0.0' }),
    drop('unaddressed', 200, { ...own, eth_type: ETH_IPV6, ipv6_src: '::' }),
    drop('unaddressed', 200, { ...own, eth_type: ETH_ARP, arp_spa: '0.0.0.0' }),
    drop('spoofed-ipv4', 100, { ...own, eth_type: ETH_IPV4 }),
    drop('spoofed-ipv6', 100, { ...own, eth_type: ETH_IPV6 }),
    drop('spoofed-arp', 100, { ...own, eth_type: ETH_ARP }),
    drop('ethertype', 50, own),
    drop('spoofed-mac', 10, port),
  ]
}

/** True neighbour messages: solicitations with the pod's own MAC or none, advertisements of its own addresses. */
function neighbourDiscovery({ flow, drop }: FlowMaker, endpoint: Endpoint, address: Ip): Flow[] {
  const port: Match = { in_port: endpoint.ofport }
  if (familyOf(address) === 4) {
    return [drop('own-neighbour', 200, { ...port, eth_type: ETH_ARP, arp_tpa: address })]
  }
  const solicitation: Match = { ...port, ...icmpv6(135) }
  const own = [address, linkLocalFromMac(endpoint.mac)]
  return [
    flow('manners', 300, { ...solicitation, nd_sll: endpoint.mac }, [goto('neighbour')]),
    flow('manners', 300, { ...solicitation, nd_sll: '00:00:00:00:00:00' }, [goto('neighbour')]),
    ...own.flatMap((target) => [
      flow('manners', 300, { ...port, ...icmpv6(136), nd_target: target, nd_tll: endpoint.mac }, [goto('neighbour')]),
      drop('own-neighbour', 200, { ...port, ...icmpv6(135), nd_target: target }),
      drop('own-neighbour', 200, { ...port, ...icmpv6(136), nd_target: target }),
    ]),
  ]
}

function delivery({ flow }: FlowMaker, context: NodeContext, endpoint: Endpoint, address: Ip, vni: number): Flow[] {
  const family = familyOf(address)
  return [
    flow('gateway', 100, ipPacket(family, { from: address }), [
      load('sourceVni', vni),
      load('origin', ORIGIN.gateway),
      load('byNode', 1),
      goto('translate'),
    ]),
    ...(context.cluster.services === 'weft'
      ? [flow('turn', 300, ipPacket(family, { from: address, to: address }), turnAround(family))]
      : []),
    flow('route', 200, ipPacket(family, { to: address }), [
      load('destinationVni', vni),
      load('destinationPort', endpoint.ofport),
      { op: 'set', field: 'eth_src', value: context.routerMac },
      { op: 'set', field: 'eth_dst', value: endpoint.mac },
      goto('tenant'),
    ]),
  ]
}
