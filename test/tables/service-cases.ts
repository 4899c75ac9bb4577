/**
 * What becomes of the first packet of a connection to a service: one table, run by the simulator and by
 * `ofproto/trace` of a real OVS.
 * @module
 */
import { linkLocalFromMac } from '../../src/network/model/address.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../src/network/pipeline/stages.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from '../../src/network/virtual-addresses.ts'
import { type Fields, from, guest, icmp4, icmp6, node, tcp4, tcp6, UNDERLAY, udp4, udp6, v4, v6 } from './packets.ts'
import type { Ending } from './pipeline-cases.ts'
import { SAMPLE_PODS } from './sample-node.ts'

/** A packet and where it may end, one ending for each endpoint it may be led to. */
export interface ServiceCase {
  readonly name: string
  readonly packet: Fields
  readonly endings: readonly Ending[]
  /** The endpoint is a function of the client's address: a real switch shows one of the endings only. */
  readonly byClient?: true
}

const { web, api, vault, dns } = SAMPLE_PODS
const [SHOP, BANK] = [42, 43]
const VIP = { v4: '172.30.0.10', v6: 'fd00:172:30::10', empty: '172.30.0.11', nobody: '172.30.0.99' } as const
const CLIENT = { v4: '198.51.100.7', v6: '2001:db8:f::7' } as const
const HERE: readonly Ending[] = [{ port: web.ofport }, { port: api.ofport }]
const EVERYWHERE: readonly Ending[] = [...HERE, { port: TUNNEL_PORT }]
/** What is on another node is judged there. */
const FORBIDDEN: readonly Ending[] = [{ drop: 'tenant-isolation' }, { port: TUNNEL_PORT }]
const FIRST = { ip_frag: 1 }

const http4 = (source: string, destination: string, port = 80): Fields => ({
  ...tcp4(source, destination),
  tcp_dst: port,
})
const http6 = (source: string, destination: string, port = 80): Fields => ({
  ...tcp6(source, destination),
  tcp_dst: port,
})
const log4 = (source: string, destination: string): Fields => udp4(source, destination, 40000, 514)

export const SERVICE_CASES: readonly ServiceCase[] = [
  // from pods and the node, to the address of a service
  {
    name: 'a pod, which is an endpoint itself',
    packet: { ...from(web), ...http4(v4(web), VIP.v4) },
    endings: EVERYWHERE,
  },
  { name: 'a pod, IPv6', packet: { ...from(web), ...http6(v6(web), VIP.v6) }, endings: EVERYWHERE },
  { name: 'a pod, UDP', packet: { ...from(api), ...log4(v4(api), VIP.v4) }, endings: EVERYWHERE, byClient: true },
  {
    name: 'a pod, UDP over IPv6',
    packet: { ...from(api), ...udp6(v6(api), VIP.v6, 40000, 514) },
    endings: EVERYWHERE,
    byClient: true,
  },
  { name: 'a global pod', packet: { ...from(dns), ...http4(v4(dns), VIP.v4) }, endings: EVERYWHERE },
  { name: 'the node', packet: { ...node, ...http4('10.128.0.1', VIP.v4) }, endings: EVERYWHERE },
  { name: 'a guest of its tenant', packet: { ...guest(SHOP), ...http4('10.128.0.1', VIP.v4) }, endings: EVERYWHERE },
  { name: 'a guest of another tenant', packet: { ...guest(BANK), ...http4('10.128.0.1', VIP.v4) }, endings: FORBIDDEN },
  {
    name: 'a guest of another tenant, IPv6',
    packet: { ...guest(BANK), ...http6('fd00:10:128:1::1', VIP.v6) },
    endings: FORBIDDEN,
  },
  {
    name: 'a guest of another tenant, by a node port',
    packet: { ...guest(BANK), ...http4('10.128.0.1', NODE_PORT_ADDRESS[4], 30080) },
    endings: HERE.map(() => ({ drop: 'tenant-isolation' })),
  },
  { name: 'a pod of another tenant', packet: { ...from(vault), ...http4(v4(vault), VIP.v4) }, endings: FORBIDDEN },
  {
    name: 'a pod of another tenant, IPv6',
    packet: { ...from(vault), ...http6(v6(vault), VIP.v6) },
    endings: FORBIDDEN,
  },
  {
    name: 'the first fragment of a datagram',
    packet: { ...from(api), ...log4(v4(api), VIP.v4), ...FIRST },
    endings: EVERYWHERE,
    byClient: true,
  },
  {
    name: 'the first fragment of a datagram, IPv6',
    packet: { ...from(api), ...udp6(v6(api), VIP.v6, 40000, 514), ...FIRST },
    endings: EVERYWHERE,
    byClient: true,
  },
  // what no service is for
  {
    name: 'another port',
    packet: { ...from(web), ...http4(v4(web), VIP.v4, 81) },
    endings: [{ drop: 'no-such-service' }],
  },
  {
    name: 'the port of another protocol',
    packet: { ...from(web), ...udp4(v4(web), VIP.v4, 40000, 80) },
    endings: [{ drop: 'no-such-service' }],
  },
  {
    name: 'the endpoints’ port',
    packet: { ...from(web), ...http6(v6(web), VIP.v6, 8080) },
    endings: [{ drop: 'no-such-service' }],
  },
  {
    name: 'an address of no service',
    packet: { ...from(web), ...http4(v4(web), VIP.nobody) },
    endings: [{ drop: 'no-such-service' }],
  },
  { name: 'ping', packet: { ...from(web), ...icmp4(8, v4(web), VIP.v4) }, endings: [{ drop: 'no-such-service' }] },
  {
    name: 'a service without endpoints',
    packet: { ...from(web), ...http4(v4(web), VIP.empty) },
    endings: [{ drop: 'no-service-endpoint' }],
  },
  {
    name: 'SCTP',
    packet: { ...from(web), eth_type: 0x0800, ip_proto: 132, ipv4_src: v4(web), ipv4_dst: VIP.v4, sctp_dst: 80 },
    endings: [{ drop: 'sctp-untracked' }],
  },
  {
    name: 'an ICMP error about nobody’s connection',
    packet: { ...from(web), ...icmp4(3, v4(web), VIP.v4) },
    endings: [{ drop: 'invalid-connection' }],
  },
  // node ports
  {
    name: 'a node port, from outside: endpoints of this node only',
    packet: { ...node, ...http4(CLIENT.v4, NODE_PORT_ADDRESS[4], 30080) },
    endings: HERE,
  },
  {
    name: 'a node port, from outside, IPv6',
    packet: { ...node, ...http6(CLIENT.v6, NODE_PORT_ADDRESS[6], 30080) },
    endings: HERE,
  },
  {
    name: 'no node port, from outside',
    packet: { ...node, ...http4(CLIENT.v4, NODE_PORT_ADDRESS[4], 30081) },
    endings: [{ drop: 'no-such-service' }],
  },
  {
    name: 'a node port of its node, from a pod',
    packet: { ...from(web), ...http4(v4(web), UNDERLAY.node1, 30080) },
    endings: EVERYWHERE,
  },
  {
    name: 'a node port of another node, from a pod',
    packet: { ...from(dns), ...http4(v4(dns), UNDERLAY.node2, 30080) },
    endings: EVERYWHERE,
  },
  {
    name: 'a node port of another tenant’s service, from a pod',
    packet: { ...from(vault), ...http4(v4(vault), UNDERLAY.node1, 30080) },
    endings: FORBIDDEN,
  },
  {
    name: 'a node port, at the node’s address in the overlay',
    packet: { ...from(web), ...http4(v4(web), '10.128.0.1', 30080) },
    endings: EVERYWHERE,
  },
  {
    name: 'another port of a node',
    packet: { ...from(web), ...http4(v4(web), UNDERLAY.node1, 22) },
    endings: [{ port: GATEWAY_PORT }],
  },
  {
    name: 'a fragment for a node',
    packet: { ...from(web), ...udp4(v4(web), UNDERLAY.node1, 40000, 9), ...FIRST },
    endings: [{ port: GATEWAY_PORT }],
  },
  // the address under which those hear from themselves
  {
    name: 'an answer to itself that nobody waits for',
    packet: { ...from(web), ...http4(v4(web), TURN_ADDRESS[4]) },
    endings: [{ drop: 'unknown-turn' }],
  },
  {
    name: 'an answer to itself that nobody waits for, IPv6',
    packet: { ...from(web), ...http6(v6(web), TURN_ADDRESS[6]) },
    endings: [{ drop: 'unknown-turn' }],
  },
  {
    name: 'a forged address of the node itself',
    packet: { ...from(web), ...http4(TURN_ADDRESS[4], VIP.v4) },
    endings: [{ drop: 'spoofed-ipv4' }],
  },
  {
    name: 'a service, from a link-local address',
    packet: { ...from(web), ...http6(linkLocalFromMac(web.mac), VIP.v6) },
    endings: [{ drop: 'link-local' }],
  },
  {
    name: 'an ICMPv6 error to a service goes past it',
    packet: { ...from(dns), ...icmp6(2, v6(dns), VIP.v6) },
    endings: [{ port: GATEWAY_PORT }],
  },
]
