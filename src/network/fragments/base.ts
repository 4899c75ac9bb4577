/**
 * What every node's pipeline has, whoever else is there.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { LINK_LOCAL_V6, LOOPBACK, MULTICAST, type NodeContext, ownVni, podNetworks } from '../context.ts'
import { tunnelPackets } from '../fabric/encapsulation.ts'
import { GUEST_MACS } from '../guests.ts'
import { OUTSIDE_HOP_MAC } from '../host-names.ts'
import type { Family, Mac } from '../model/address.ts'
import { GLOBAL_VNI } from '../model/tenant.ts'
import { openServices } from '../outside.ts'
import { tellAgent } from '../pipeline/answers.ts'
import {
  ETH_ARP,
  ETH_IPV4,
  type FlowMaker,
  flowsOf,
  goto,
  holds,
  holdsAll,
  ICMP_ERRORS,
  icmpv6,
  ipPacket,
  load,
  PROTO_ICMP,
  tracked,
  udpTo,
} from '../pipeline/build.ts'
import { DIRECT_PORT, GATEWAY_PORT, ORIGIN, PROBE_ETHERTYPE, REGISTERS, TUNNEL_PORT } from '../pipeline/stages.ts'
import { answerArp, copy } from './answer-arp.ts'
import { BASE_KEY, type Fragment } from './fragment.ts'
import { policyStages } from './policy-base.ts'
import { probeStage } from './probes.ts'
import { translateStages } from './services-base.ts'
import { ALLOWED, commitStage, givebackStage, trackStage, unfinishedDatagrams } from './tracking.ts'

const FAMILIES: readonly Family[] = [4, 6]
const TAGGED: Match = { vlan_tci: { value: 0x1000, mask: 0x1000 } }

/** The base fragment of a node. */
export function baseFragment(context: NodeContext): Fragment {
  const make = flowsOf(BASE_KEY)
  const flows = [
    ...classify(make, context),
    ...tunnel(make),
    ...probeStage(make),
    ...direct(make),
    ...gateway(make, context),
    ...guard(make),
    ...manners(make),
    ...neighbour(make, context),
    ...translateStages(make, context),
    ...trackStage(make, context),
    ...policyStages(make, context),
    ...route(make, context),
    ...node(make, context),
    ...remote(make),
    ...tenant(make),
    ...commitStage(make, context),
    ...givebackStage(make, context),
    ...unfinishedDatagrams(make),
    ...fit(make),
    ...deliver(make),
  ]
  return { key: BASE_KEY, title: 'every node', flows, groups: [] }
}

function classify({ flow, drop }: FlowMaker, { takesDirect }: NodeContext): Flow[] {
  return [
    drop('vlan-tagged', 300, TAGGED),
    flow('classify', 200, { in_port: TUNNEL_PORT }, [goto('tunnel')]),
    flow('classify', 200, { in_port: GATEWAY_PORT }, [goto('gateway')]),
    ...(takesDirect ? [flow('classify', 200, { in_port: DIRECT_PORT }, [goto('direct')])] : []),
    drop('unknown-port', 0, {}),
  ]
}

function tunnel({ drop, end }: FlowMaker): Flow[] {
  return [end('probe', 'tunnel', 200, { eth_type: PROBE_ETHERTYPE }), drop('unknown-peer', 0, {})]
}

/** Neighbours on that link are permanent: nobody has to ask. */
function direct({ drop }: FlowMaker): Flow[] {
  return [
    drop('direct-chatter', 50, { eth_type: ETH_ARP }),
    ...MULTICAST[6].map((to) => drop('direct-chatter', 50, ipPacket(6, { to }))),
    drop('direct-source', 0, {}),
  ]
}

function gateway({ flow, drop }: FlowMaker, context: NodeContext): Flow[] {
  const { cluster, ranges } = context
  const asNode = [load('sourceVni', ownVni(context)), load('origin', ORIGIN.gateway), goto('translate')]
  return [
    flow('gateway', 300, { eth_type: ETH_ARP }, [goto('neighbour')]),
    flow('gateway', 300, icmpv6(135), [goto('neighbour')]),
    ...FAMILIES.flatMap((family) => [
      ...MULTICAST[family].map((to) => flow('gateway', 200, ipPacket(family, { to }), [goto('manners')])),
      ...podNetworks(cluster, family).map((from) => drop('gateway-source', 50, ipPacket(family, { from }))),
      flow('gateway', 10, ipPacket(family), asNode),
    ]),
    ...(context.self.machine.kind === 'node' ? guests(flow) : []),
    ...(openServices(context.outside).length === 0 ? [] : outsiders({ flow, drop }, context)),
    ...ranges.map(({ family, gateway: from }) => flow('gateway', 150, ipPacket(family, { from }), asNode)),
    drop('gateway-ethertype', 0, {}),
  ]
}

/** Their tenant's, and never the node's: neither its reach nor its way past policies. */
function guests(flow: FlowMaker['flow']): Flow[] {
  const own: readonly Action[] = [
    {
      op: 'move',
      from: { field: 'eth_dst', offset: 0, bits: VNI_BITS },
      to: { ...REGISTERS.sourceVni, bits: VNI_BITS },
    },
    load('origin', ORIGIN.gateway),
    load('fromOutside', 1),
    load('guest', 1),
    goto('translate'),
  ]
  return FAMILIES.map((family) => flow('gateway', 160, { ...ipPacket(family), eth_dst: GUEST_MACS }, own))
}

const VNI_BITS = 24

/** Who calls a service from outside is everybody's, as the node is; but it is not the node, though it may have got its address. */
function outsiders({ flow, drop }: Pick<FlowMaker, 'flow' | 'drop'>, { cluster, ranges }: NodeContext): Flow[] {
  const led: Match = { eth_dst: OUTSIDE_HOP_MAC }
  const accept: readonly Action[] = [
    load('sourceVni', GLOBAL_VNI),
    load('origin', ORIGIN.gateway),
    load('fromOutside', 1),
    goto('translate'),
  ]
  return [
    ...ranges.map(({ family, gateway: from }) =>
      flow('gateway', 158, { ...ipPacket(family, { from }), ...led }, accept),
    ),
    ...FAMILIES.flatMap((family) =>
      podNetworks(cluster, family).map((from) =>
        drop('gateway-source', 157, { ...ipPacket(family, { from }), ...led }),
      ),
    ),
    ...FAMILIES.map((family) => flow('gateway', 156, { ...ipPacket(family), ...led }, accept)),
  ]
}

function guard({ drop }: FlowMaker): Flow[] {
  // Endpoints have drops of their own above this one; it is met by nobody as long as `classify` knows its ports.
  return [drop('spoofed-mac', 0, {})]
}

/** What pods say nowhere: routers' and servers' words. */
export function rogueWords({ drop }: Pick<FlowMaker, 'drop'>): Flow[] {
  return [
    drop('rogue-ra', 300, icmpv6(134)),
    drop('rogue-redirect', 300, icmpv6(137)),
    drop('rogue-redirect', 300, { eth_type: ETH_IPV4, ip_proto: PROTO_ICMP, icmp_type: 5 }),
    drop('rogue-dhcp', 300, udpTo(4, 68)),
    drop('rogue-dhcp', 300, udpTo(6, 546)),
  ]
}

function manners({ flow, drop }: FlowMaker): Flow[] {
  return [
    ...rogueWords({ drop }),
    drop('spoofed-nd', 200, icmpv6(135)),
    drop('spoofed-nd', 200, icmpv6(136)),
    ...FAMILIES.flatMap((family) => MULTICAST[family].map((to) => drop('multicast', 150, ipPacket(family, { to })))),
    ...FAMILIES.map((family) => drop('loopback', 120, ipPacket(family, { to: LOOPBACK[family] }))),
    drop('link-local', 100, ipPacket(6, { to: LINK_LOCAL_V6 })),
    drop('link-local', 100, ipPacket(6, { from: LINK_LOCAL_V6 })),
    flow('manners', 0, {}, [goto('translate')]),
  ]
}

/**
 * The kernel's datapath cannot write neighbour advertisements: Open vSwitch refuses such flows there. Pods do not need them;
 * they know their gateway's MAC from the start (src/agent/attach/endpoint-links.ts).
 */
function neighbour({ flow, drop }: FlowMaker, { cluster, routerMac, datapath }: NodeContext): Flow[] {
  const networks = datapath === 'netdev' ? podNetworks(cluster, 6) : []
  return [
    ...podNetworks(cluster, 4).map((network) =>
      flow('neighbour', 100, { eth_type: ETH_ARP, arp_op: 1, arp_tpa: network }, answerArp(routerMac)),
    ),
    ...networks.map((network) =>
      flow('neighbour', 100, { ...icmpv6(135), nd_target: network }, beginAdvertisement(routerMac)),
    ),
    drop('unanswered-neighbour', 0, {}),
    ...(networks.length === 0 ? [] : [flow('advertise', 100, icmpv6(136), completeAdvertisement(routerMac))]),
    drop('unfinished-advertisement', 0, {}),
  ]
}

function route({ flow, drop }: FlowMaker, context: NodeContext): Flow[] {
  const toNode = toNodeStack(context.routerMac)
  return [
    ...context.ranges.flatMap(({ family, range, gateway: to }) => [
      flow('route', 300, ipPacket(family, { to }), toNode),
      drop('no-such-endpoint', 150, ipPacket(family, { to: range })),
    ]),
    drop('wrong-node', 140, holds('origin', ORIGIN.tunnel)),
    ...FAMILIES.flatMap((family) =>
      podNetworks(context.cluster, family).map((to) => drop('no-such-node', 90, ipPacket(family, { to }))),
    ),
    // A service's endpoint outside the pod networks, asked for by the node itself.
    flow('route', 60, holdsAll({ origin: ORIGIN.gateway, turned: 1 }), toNode),
    flow('route', 50, holds('origin', ORIGIN.pod), toNode),
    drop('gateway-loop', 0, {}),
  ]
}

function node({ flow, drop, end }: FlowMaker, context: NodeContext): Flow[] {
  const { cluster } = context
  const vni = ownVni(context)
  const toGateway = [load('destinationPort', GATEWAY_PORT), goto('firewall')]
  return [
    ...tunnelPackets(cluster.encapsulation).map((match) => drop('tunnel-port', 100, match)),
    // Global pods are the cluster's own. Of others nobody can tell here whose connection an error is about.
    flow('node', 90, holds('sourceVni', GLOBAL_VNI), toGateway),
    ...ICMP_ERRORS.map((match) => drop('error-to-node', 80, match)),
    ...(vni === GLOBAL_VNI
      ? [flow('node', 0, {}, toGateway)]
      : [flow('node', 10, holds('sourceVni', vni), toGateway), end('tenant-isolation', 'node', 0, {})]),
  ]
}

function remote({ flow, drop }: FlowMaker): Flow[] {
  return [
    flow('remote', 200, holds('sourceVni', GLOBAL_VNI), [goto('receiver')]),
    // A pod of this node opened the connection, or may be told what became of it: the other end need not be known yet.
    flow('remote', 50, { ...ALLOWED, ...tracked('rpl') }, [goto('receiver')]),
    flow('remote', 50, { ...ALLOWED, ...tracked('rel') }, [goto('receiver')]),
    drop('unknown-remote-pod', 0, {}),
  ]
}

function tenant({ flow, drop }: FlowMaker): Flow[] {
  return [
    flow('tenant', 300, holds('sourceVni', GLOBAL_VNI), [goto('receiver')]),
    ...ICMP_ERRORS.map((match) => drop('error-to-global', 250, { ...match, ...holds('destinationVni', GLOBAL_VNI) })),
    flow('tenant', 200, holds('destinationVni', GLOBAL_VNI), [goto('receiver')]),
    drop('tenant-isolation', 0, {}),
  ]
}

function fit({ flow, dropWith }: FlowMaker): Flow[] {
  return [dropWith('too-big', 100, holds('oversize', 1), [tellAgent('tooBig')]), flow('fit', 0, {}, [goto('deliver')])]
}

function deliver({ flow, drop }: FlowMaker): Flow[] {
  const toPort: Action = { op: 'output_reg', from: REGISTERS.destinationPort }
  return [
    drop('no-endpoint-port', 100, holds('destinationPort', 0)),
    // A switch does not send a packet out of the port it came in by, unless it forgets which that was.
    flow('deliver', 90, holds('turned', 1), [{ op: 'set', field: 'in_port', value: 0 }, toPort]),
    flow('deliver', 0, {}, [toPort]),
  ]
}

/** Hands a packet to the node's own stack, unless the `node` stage objects. */
function toNodeStack(routerMac: Mac): Action[] {
  return [{ op: 'set', field: 'eth_dst', value: routerMac }, goto('node')]
}

/** Turns a neighbour solicitation into an advertisement (router, solicited, override) still lacking its option. */
function beginAdvertisement(mac: Mac): Action[] {
  return [
    copy('eth_src', 'eth_dst', 48),
    { op: 'set', field: 'eth_src', value: mac },
    copy('ipv6_src', 'ipv6_dst', 128),
    copy('nd_target', 'ipv6_src', 128),
    { op: 'set', field: 'icmpv6_type', value: 136 },
    { op: 'set', field: 'nd_reserved', value: 0xe0000000 },
    goto('advertise'),
  ]
}

/** Gives the advertisement its option: at that MAC. */
function completeAdvertisement(mac: Mac): Action[] {
  return [
    { op: 'set', field: 'nd_options_type', value: 2 },
    { op: 'set', field: 'nd_tll', value: mac },
    { op: 'output', port: 'in_port' },
  ]
}
