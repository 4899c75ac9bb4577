/**
 * Which packets policies get to judge: on a node where policies would end all that is shown to them. One table, run by
 * the simulator and by `ofproto/trace` of a real OVS.
 * @module
 */
import type { Flow } from '../../src/flow/flow.ts'
import type { SwitchTables } from '../../src/network/fragments/fragment.ts'
import { familyOf } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import type { Endpoint } from '../../src/network/model/endpoint.ts'
import { flowsOf, ipPacket } from '../../src/network/pipeline/build.ts'
import type { DropName } from '../../src/network/pipeline/drops.ts'
import { GATEWAY_PORT, TRANSLATED_BY_NODE, TUNNEL_PORT, ZONES } from '../../src/network/pipeline/stages.ts'
import { NODE_PORT_ADDRESS } from '../../src/network/virtual-addresses.ts'
import {
  type Fields,
  from,
  icmp4,
  icmp6,
  node,
  REMOTE,
  tcp4,
  tcp6,
  tunnelled,
  UNDERLAY,
  udp4,
  v4,
  v6,
} from './packets.ts'
import type { Ending } from './pipeline-cases.ts'
import { SAMPLE_PODS, samplePlanner } from './sample-node.ts'
import type { Known } from './tracking.ts'

/** A packet, what is known of its connection, and where it may end: one ending for each endpoint it may be led to. */
export interface SteeringCase {
  readonly name: string
  readonly packet: Fields
  readonly endings: readonly Ending[]
  /** The endpoint is a function of the client's address: a real switch shows one of the endings only. */
  readonly byClient?: true
  readonly services?: Cluster['services']
  readonly known?: Known
  /** What an ICMP error is about. */
  readonly quoted?: Fields
}

const { web, api, vault, dns } = SAMPLE_PODS

/** The sample node with flows where policies have theirs, each for all of a pod's packets: they end whatever gets there. */
export function steered(cluster: Cluster): SwitchTables {
  const planner = samplePlanner(cluster)
  return { flows: [...planner.flows(), ...policyFlows()], groups: planner.groups() }
}

function policyFlows(): readonly Flow[] {
  const { end } = flowsOf('policy/test')
  const all = (pod: Endpoint, side: 'from' | 'to', reason: DropName, stage: 'sender' | 'receiver' | 'firewall') =>
    pod.addresses.map((address) => end(reason, stage, 100, ipPacket(familyOf(address), { [side]: address })))
  return [
    ...all(web, 'from', 'egress-isolated', 'sender'),
    ...all(web, 'to', 'ingress-isolated', 'receiver'),
    ...all(vault, 'from', 'firewall-denied', 'firewall'),
    ...all(dns, 'from', 'firewall-denied', 'firewall'),
  ]
}

const EGRESS: readonly Ending[] = [{ drop: 'egress-isolated' }]
const INGRESS: readonly Ending[] = [{ drop: 'ingress-isolated' }]
const FIREWALL: readonly Ending[] = [{ drop: 'firewall-denied' }]
const UNASKED: readonly Ending[] = [{ drop: 'unasked-answer' }]
const OUT: readonly Ending[] = [{ port: GATEWAY_PORT }]
const TUNNEL: readonly Ending[] = [{ port: TUNNEL_PORT }]
const to = (pod: Endpoint): readonly Ending[] => [{ port: pod.ofport }]

const OUTSIDE = { v4: '198.51.100.7', v6: '2001:db8:f::7' } as const
const GATEWAY = { v4: '10.128.0.1', v6: 'fd00:10:128:1::1' } as const
const VIP = { v4: '172.30.0.10', v6: 'fd00:172:30::10' } as const

const http = (packet: Fields, port = 80): Fields => ({ ...packet, tcp_dst: port })
/** The answer of a server’s port 8080 to {@link tcp4} or {@link tcp6}. */
const answer = (packet: Fields): Fields => ({ ...packet, tcp_src: 8080, tcp_dst: 40000 })
const known = (first: Fields, more: Partial<Known> = {}): Known => ({
  first,
  zone: ZONES.service,
  allowed: true,
  ...more,
})

export const STEERING_CASES: readonly SteeringCase[] = [
  // connections
  { name: 'from a policed pod', packet: { ...from(web), ...tcp4(v4(web), v4(api)) }, endings: EGRESS },
  { name: 'from a policed pod, IPv6', packet: { ...from(web), ...tcp6(v6(web), REMOTE.v6) }, endings: EGRESS },
  { name: 'to a policed pod', packet: { ...from(api), ...tcp4(v4(api), v4(web)) }, endings: INGRESS },
  { name: 'to a policed pod, IPv6', packet: { ...from(dns), ...tcp6(v6(dns), v6(web)) }, endings: INGRESS },
  {
    name: 'to a policed pod, through the tunnel',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, v4(web)) },
    endings: INGRESS,
  },
  {
    name: 'to a policed pod, from outside',
    packet: { ...node, ...tcp4(OUTSIDE.v4, v4(web)) },
    endings: INGRESS,
  },
  {
    name: 'from a policed pod, back from the node’s stack',
    packet: { ...node, ...tcp4(v4(web), v4(api)) },
    endings: EGRESS,
  },
  { name: 'between others', packet: { ...from(api), ...tcp4(v4(api), v4(dns)) }, endings: to(dns) },
  { name: 'from another to another node', packet: { ...from(api), ...tcp6(v6(api), REMOTE.v6) }, endings: TUNNEL },
  { name: 'ping', packet: { ...from(api), ...icmp4(8, v4(api), v4(web)) }, endings: INGRESS },
  // what is known already
  {
    name: 'more of an allowed connection is judged as its first packet was',
    packet: { ...from(api), ...tcp4(v4(api), v4(web)) },
    known: known(tcp4(v4(api), v4(web))),
    endings: INGRESS,
  },
  {
    name: 'more of a connection that lost its permission, which nobody denies any more',
    packet: { ...from(api), ...tcp4(v4(api), v4(dns)) },
    known: known(tcp4(v4(api), v4(dns)), { allowed: false }),
    endings: to(dns),
  },
  ...([true, false] as const).flatMap((allowed): SteeringCase[] => [
    {
      name: `an answer of a policed pod, ${allowed ? '' : 'not '}allowed`,
      packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
      known: known(tcp4(v4(api), v4(web)), { allowed }),
      endings: allowed ? to(api) : UNASKED,
    },
    {
      name: `an answer to a policed pod, ${allowed ? '' : 'not '}allowed, IPv6`,
      packet: { ...from(api), ...answer(tcp6(v6(api), v6(web))) },
      known: known(tcp6(v6(web), v6(api)), { allowed }),
      endings: allowed ? to(web) : UNASKED,
    },
    {
      name: `an answer into the tunnel, ${allowed ? '' : 'not '}allowed`,
      packet: { ...from(web), ...answer(tcp4(v4(web), REMOTE.v4)) },
      known: known(tcp4(REMOTE.v4, v4(web)), { allowed }),
      endings: allowed ? TUNNEL : UNASKED,
    },
    {
      name: `an answer out of the tunnel, ${allowed ? '' : 'not '}allowed`,
      packet: { ...tunnelled(UNDERLAY.node2, 42), ...answer(tcp4(REMOTE.v4, v4(web))) },
      known: known(tcp4(v4(web), REMOTE.v4), { allowed }),
      endings: allowed ? to(web) : UNASKED,
    },
    {
      name: `an answer from outside, ${allowed ? '' : 'not '}allowed`,
      packet: { ...node, ...answer(tcp6(OUTSIDE.v6, v6(web))) },
      known: known(tcp6(v6(web), OUTSIDE.v6), { allowed }),
      endings: allowed ? to(web) : UNASKED,
    },
    {
      name: `an answer to its node, ${allowed ? '' : 'not '}allowed`,
      packet: { ...from(web), ...answer(tcp4(v4(web), GATEWAY.v4)) },
      known: known(tcp4(GATEWAY.v4, v4(web)), { allowed }),
      endings: allowed ? OUT : UNASKED,
    },
    {
      name: `an answer to the outside, past the firewall, ${allowed ? '' : 'not '}allowed`,
      packet: { ...from(vault), ...answer(tcp4(v4(vault), OUTSIDE.v4)) },
      known: known(tcp4(OUTSIDE.v4, v4(vault)), { allowed }),
      endings: allowed ? OUT : UNASKED,
    },
  ]),
  {
    name: 'an answer to another tenant is not worth more than a connection',
    packet: { ...from(vault), ...answer(tcp4(v4(vault), v4(web))) },
    known: known(tcp4(v4(web), v4(vault))),
    endings: [{ drop: 'tenant-isolation' }],
  },
  // errors
  {
    name: 'an ICMP error about a known connection',
    packet: { ...from(api), ...icmp4(3, v4(api), v4(web)) },
    known: known(tcp4(v4(web), v4(api))),
    quoted: tcp4(v4(web), v4(api)),
    endings: to(web),
  },
  {
    name: 'an ICMP error of a policed pod about a known connection',
    packet: { ...from(web), ...icmp4(3, v4(web), v4(api)) },
    known: known(tcp4(v4(api), v4(web))),
    quoted: tcp4(v4(api), v4(web)),
    endings: to(api),
  },
  {
    name: 'an ICMP error about an answer',
    packet: { ...from(api), ...icmp4(3, v4(api), v4(web)) },
    known: known(tcp4(v4(api), v4(web))),
    quoted: answer(tcp4(v4(web), v4(api))),
    endings: to(web),
  },
  {
    name: 'an ICMP error of a policed pod about an answer',
    packet: { ...from(web), ...icmp4(3, v4(web), v4(api)) },
    known: known(tcp4(v4(web), v4(api))),
    quoted: answer(tcp4(v4(api), v4(web))),
    endings: to(api),
  },
  {
    name: 'an ICMP error about a connection that is not allowed any more',
    packet: { ...from(api), ...icmp4(3, v4(api), v4(web)) },
    known: known(tcp4(v4(web), v4(api)), { allowed: false }),
    quoted: tcp4(v4(web), v4(api)),
    endings: to(web),
  },
  {
    name: 'an ICMP error about nobody’s connection',
    packet: { ...from(api), ...icmp4(3, v4(api), v4(web)) },
    endings: INGRESS,
  },
  { name: 'an ICMPv6 error', packet: { ...from(api), ...icmp6(2, v6(api), v6(web)) }, endings: to(web) },
  {
    name: 'an ICMPv6 error of a policed pod',
    packet: { ...from(web), ...icmp6(1, v6(web), v6(api)) },
    endings: to(api),
  },
  {
    name: 'an ICMPv6 error to the outside, past the firewall',
    packet: { ...from(dns), ...icmp6(1, v6(dns), OUTSIDE.v6) },
    endings: OUT,
  },
  // the node
  ...[GATEWAY.v4, UNDERLAY.node1].map((address) => ({
    name: `a node to its own pod, from ${address}`,
    packet: { ...node, ...tcp4(address, v4(web)) },
    endings: to(web),
  })),
  ...[GATEWAY.v6, '2001:db8::11'].map((address) => ({
    name: `a node to its own pod, from ${address}`,
    packet: { ...node, ...tcp6(address, v6(web)) },
    endings: to(web),
  })),
  {
    name: 'another node’s address, by way of this node',
    packet: { ...node, ...tcp4(UNDERLAY.node2, v4(web)) },
    endings: INGRESS,
  },
  {
    name: 'a node’s address in the tunnel is nobody’s',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...tcp4(UNDERLAY.node1, v4(web)) },
    endings: [{ drop: 'tunnel-source' }],
  },
  { name: 'a policed pod to its node', packet: { ...from(web), ...tcp4(v4(web), GATEWAY.v4) }, endings: EGRESS },
  // the firewall
  { name: 'to the outside', packet: { ...from(vault), ...tcp4(v4(vault), OUTSIDE.v4) }, endings: FIREWALL },
  { name: 'to the outside, IPv6', packet: { ...from(vault), ...tcp6(v6(vault), OUTSIDE.v6) }, endings: FIREWALL },
  {
    name: 'to an address of its node outside the pod networks',
    packet: { ...from(vault), ...tcp4(v4(vault), UNDERLAY.node1) },
    endings: FIREWALL,
  },
  { name: 'to its gateway', packet: { ...from(vault), ...tcp4(v4(vault), GATEWAY.v4) }, endings: OUT },
  { name: 'to another pod', packet: { ...from(vault), ...tcp4(v4(vault), v4(dns)) }, endings: to(dns) },
  { name: 'of no policed pod to the outside', packet: { ...from(api), ...tcp4(v4(api), OUTSIDE.v4) }, endings: OUT },
  // services: judged by their endpoints
  {
    name: 'a policed pod to a service it is an endpoint of: it may hear from itself',
    packet: { ...from(web), ...http(tcp4(v4(web), VIP.v4)) },
    endings: [...EGRESS, ...to(web)],
  },
  {
    name: 'another pod to the service',
    packet: { ...from(api), ...http(tcp6(v6(api), VIP.v6)) },
    endings: [...INGRESS, ...to(api), ...TUNNEL],
  },
  {
    name: 'the node to the service',
    packet: { ...node, ...http(tcp4(GATEWAY.v4, VIP.v4)) },
    endings: [...to(web), ...to(api), ...TUNNEL],
  },
  {
    name: 'a node port, from outside',
    packet: { ...node, ...http(tcp4(OUTSIDE.v4, NODE_PORT_ADDRESS[4]), 30080) },
    endings: [...INGRESS, ...to(api)],
  },
  {
    name: 'a node port, from outside under the node’s address',
    packet: { ...node, ...http(tcp6(GATEWAY.v6, NODE_PORT_ADDRESS[6]), 30080) },
    endings: [...INGRESS, ...to(api)],
  },
  {
    name: 'a fragment to a node port, from outside under the node’s address',
    packet: { ...node, ...udp4(UNDERLAY.node1, NODE_PORT_ADDRESS[4], 40000, 30514), ip_frag: 1 },
    byClient: true,
    endings: [...INGRESS, ...to(api)],
  },
  // kube-proxy
  {
    name: 'a policed pod to a service of kube-proxy’s is judged when it comes back',
    services: 'kube-proxy',
    packet: { ...from(web), ...http(tcp4(v4(web), VIP.v4)) },
    endings: OUT,
  },
  {
    name: 'a pod with a firewall to a service of kube-proxy’s',
    services: 'kube-proxy',
    packet: { ...from(vault), ...http(tcp6(v6(vault), VIP.v6)) },
    endings: OUT,
  },
  {
    name: 'a policed pod, back from kube-proxy',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(v4(web), v4(api)) },
    endings: EGRESS,
  },
  {
    name: 'another pod, back from kube-proxy',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(v4(api), REMOTE.v4) },
    endings: TUNNEL,
  },
  {
    name: 'the answer that kube-proxy translates back',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy, mark: TRANSLATED_BY_NODE }),
    endings: OUT,
  },
  {
    name: 'the answer that kube-proxy translated back',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(VIP.v4, v4(web)), tcp_src: 80, tcp_dst: 40000 },
    known: known(http(tcp4(v4(web), VIP.v4)), { zone: ZONES.proxy }),
    endings: to(web),
  },
  {
    name: 'an answer that kube-proxy has no part in',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy }),
    endings: to(api),
  },
  {
    name: 'an answer that is not allowed, with kube-proxy',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy, allowed: false, mark: TRANSLATED_BY_NODE }),
    endings: UNASKED,
  },
]
