/** Which packets policies get to judge. */
import { from, icmp4, icmp6, node, REMOTE, tcp4, tcp6, tunnelled, UNDERLAY, v4, v6 } from './packets.ts'
import { SAMPLE_PODS } from './sample-node.ts'
import {
  answer,
  EGRESS,
  FIREWALL,
  GATEWAY,
  INGRESS,
  known,
  OUT,
  OUTSIDE,
  type SteeringCase,
  TUNNEL,
  to,
  UNASKED,
} from './steering.ts'
import { SERVICE_STEERING } from './steering-services.ts'

const { web, api, vault, dns } = SAMPLE_PODS

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
    endings: UNASKED,
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
  ...SERVICE_STEERING,
]
