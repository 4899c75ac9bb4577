/**
 * What becomes of a packet: one table, run by the simulator, by `ofproto/trace` of a real OVS, and where it makes sense
 * with packets.
 * @module
 */
import { linkLocalFromMac } from '../../src/network/model/address.ts'
import type { Endpoint } from '../../src/network/model/endpoint.ts'
import type { DropName } from '../../src/network/pipeline/drops.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../src/network/pipeline/stages.ts'
import {
  arp,
  BALANCER,
  type Fields,
  from,
  guest,
  icmp4,
  icmp6,
  MONITOR,
  nd,
  node,
  OTHER_MAC,
  PROBES,
  REMOTE,
  ROUTER,
  tcp4,
  tcp6,
  tunnelled,
  UNDERLAY,
  udp4,
  udp6,
  v4,
  v6,
} from './packets.ts'
import { SAMPLE_PODS } from './sample-node.ts'

/** Where a packet ends: out of a port, or dropped for a reason. */
export type Ending = { readonly port: number | 'in_port' } | { readonly drop: DropName }

/** A packet and where it must end. */
export interface PipelineCase {
  readonly name: string
  readonly packet: Fields
  readonly expect: Ending
}

const { web, api, vault, dns } = SAMPLE_PODS
/** The VNI of `shop` in the sample. */
const SHOP = 42
const stays = (pod: Endpoint) => ({ port: pod.ofport })

export const PIPELINE_CASES: readonly PipelineCase[] = [
  // pod to pod on this node
  { name: 'same tenant', packet: { ...from(web), ...tcp4(v4(web), v4(api)) }, expect: stays(api) },
  { name: 'same tenant, IPv6', packet: { ...from(web), ...tcp6(v6(web), v6(api)) }, expect: stays(api) },
  {
    name: 'another tenant',
    packet: { ...from(web), ...tcp4(v4(web), v4(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'another tenant, IPv6',
    packet: { ...from(web), ...tcp6(v6(web), v6(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  { name: 'to a global pod', packet: { ...from(vault), ...tcp4(v4(vault), v4(dns)) }, expect: stays(dns) },
  { name: 'from a global pod', packet: { ...from(dns), ...tcp6(v6(dns), v6(web)) }, expect: stays(web) },
  {
    name: 'nobody there',
    packet: { ...from(web), ...tcp4(v4(web), '10.128.1.200') },
    expect: { drop: 'no-such-endpoint' },
  },
  // pod to another node
  { name: 'to another node', packet: { ...from(web), ...tcp4(v4(web), REMOTE.v4) }, expect: { port: TUNNEL_PORT } },
  {
    name: 'to another node, IPv6',
    packet: { ...from(web), ...tcp6(v6(web), REMOTE.v6) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'to a range without a node',
    packet: { ...from(web), ...tcp4(v4(web), '10.130.0.9') },
    expect: { drop: 'no-such-node' },
  },
  // pod to a host outside the cluster
  {
    name: 'to a host of the own tenant',
    packet: { ...from(web), ...tcp4(v4(web), BALANCER.v4) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'to a host of the own tenant, IPv6',
    packet: { ...from(web), ...tcp6(v6(web), BALANCER.v6) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'to a host of another tenant',
    packet: { ...from(vault), ...tcp4(v4(vault), BALANCER.v4) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'global, to a host of a tenant',
    packet: { ...from(dns), ...tcp4(v4(dns), BALANCER.v4) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'to a global host',
    packet: { ...from(vault), ...tcp6(v6(vault), MONITOR.v6) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'host of the own tenant',
    packet: { ...tunnelled(UNDERLAY.balancer, 42), ...tcp4(BALANCER.v4, v4(web)) },
    expect: stays(web),
  },
  {
    name: 'host of the own tenant, under a wrong VNI',
    packet: { ...tunnelled(UNDERLAY.balancer, 77), ...tcp4(BALANCER.v4, v4(web)) },
    expect: stays(web),
  },
  {
    name: 'host of another tenant',
    packet: { ...tunnelled(UNDERLAY.balancer, 42), ...tcp4(BALANCER.v4, v4(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'host of another tenant that says it is global',
    packet: { ...tunnelled(UNDERLAY.balancer, 0), ...tcp6(BALANCER.v6, v6(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'host of another tenant that says it is of this one',
    packet: { ...tunnelled(UNDERLAY.balancer, 77), ...tcp4(BALANCER.v4, v4(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'host with the source of a node',
    packet: { ...tunnelled(UNDERLAY.balancer, 42), ...tcp4(REMOTE.v4, v4(web)) },
    expect: { drop: 'tunnel-source' },
  },
  {
    name: 'global host',
    packet: { ...tunnelled(UNDERLAY.monitor, 0), ...tcp4(MONITOR.v4, v4(vault)) },
    expect: stays(vault),
  },
  // through the tunnel
  {
    name: 'tunnel, same tenant',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, v4(web)) },
    expect: stays(web),
  },
  {
    name: 'tunnel, same tenant, IPv6',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp6(REMOTE.v6, v6(web)) },
    expect: stays(web),
  },
  {
    name: 'tunnel, another tenant',
    packet: { ...tunnelled(UNDERLAY.node2, 77), ...tcp4(REMOTE.v4, v4(web)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'tunnel, global',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...tcp4(REMOTE.v4, v4(web)) },
    expect: stays(web),
  },
  {
    name: 'tunnel, to the node',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, '10.128.0.1') },
    expect: { port: GATEWAY_PORT },
  },
  {
    name: 'tunnel, stranger',
    packet: { ...tunnelled(UNDERLAY.stranger, 42), ...tcp4(REMOTE.v4, v4(web)) },
    expect: { drop: 'unknown-peer' },
  },
  {
    name: 'tunnel, source of a third node',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4('10.130.0.9', v4(web)) },
    expect: { drop: 'tunnel-source' },
  },
  {
    name: 'tunnel, our own source',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...tcp4(v4(api), v4(web)) },
    expect: { drop: 'tunnel-source' },
  },
  {
    name: 'tunnel, for another node',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, '10.130.0.9') },
    expect: { drop: 'wrong-node' },
  },
  {
    name: 'tunnel, for the outside',
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, '198.51.100.7') },
    expect: { drop: 'wrong-node' },
  },
  {
    name: 'tunnel, ARP',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...arp(1, REMOTE.v4, OTHER_MAC, v4(web)) },
    expect: { drop: 'tunnel-source' },
  },
  {
    name: 'tunnel, a question of a node whether it carries',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...PROBES.question },
    expect: { port: 'in_port' },
  },
  {
    name: 'tunnel, a question of a host outside the cluster',
    packet: { ...tunnelled(UNDERLAY.monitor, 0), ...PROBES.question },
    expect: { port: 'in_port' },
  },
  {
    name: 'tunnel, a question of nobody known',
    packet: { ...tunnelled('192.0.2.99', 0), ...PROBES.question },
    expect: { drop: 'probe' },
  },
  {
    name: 'tunnel, the answer to a question',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...PROBES.answer },
    expect: { drop: 'probe' },
  },
  {
    name: 'tunnel, a frame that keeps it warm',
    packet: { ...tunnelled(UNDERLAY.node2, 0), ...PROBES.warming },
    expect: { drop: 'probe' },
  },
  {
    name: 'pod, a probe',
    packet: { ...PROBES.question, ...from(web), eth_dst: PROBES.question.eth_dst },
    expect: { drop: 'ethertype' },
  },
  { name: 'node, a probe', packet: { ...node, ...PROBES.question }, expect: { drop: 'gateway-ethertype' } },
  // the node
  { name: 'node to its pod', packet: { ...node, ...tcp4('10.128.0.1', v4(web)) }, expect: stays(web) },
  {
    name: 'node to its pod from its own address',
    packet: { ...node, ...tcp4(UNDERLAY.node1, v4(web)) },
    expect: stays(web),
  },
  {
    name: 'node to a remote pod',
    packet: { ...node, ...tcp6('fd00:10:128:1::1', REMOTE.v6) },
    expect: { port: TUNNEL_PORT },
  },
  { name: 'pod to its node', packet: { ...from(web), ...tcp4(v4(web), '10.128.0.1') }, expect: { port: GATEWAY_PORT } },
  {
    name: 'pod to the outside',
    packet: { ...from(web), ...tcp4(v4(web), '198.51.100.7') },
    expect: { port: GATEWAY_PORT },
  },
  { name: 'node, pod returning after translation', packet: { ...node, ...tcp4(v4(web), v4(api)) }, expect: stays(api) },
  {
    name: 'node, pod returning to another tenant',
    packet: { ...node, ...tcp4(v4(web), v4(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'node, address of a pod that is not here',
    packet: { ...node, ...tcp4('10.128.1.200', v4(web)) },
    expect: { drop: 'gateway-source' },
  },
  {
    name: 'node, address of a remote pod',
    packet: { ...node, ...tcp6(REMOTE.v6, v6(web)) },
    expect: { drop: 'gateway-source' },
  },
  {
    name: 'node, bouncing off the overlay',
    packet: { ...node, ...tcp4('198.51.100.7', '198.51.100.8') },
    expect: { drop: 'gateway-loop' },
  },
  // pods on the physical network, by way of this node and with its address
  { name: 'guest to its tenant', packet: { ...guest(SHOP), ...tcp4('10.128.0.1', v4(api)) }, expect: stays(api) },
  {
    name: 'guest to another tenant',
    packet: { ...guest(SHOP), ...tcp4('10.128.0.1', v4(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  {
    name: 'guest to another tenant, IPv6',
    packet: { ...guest(SHOP), ...tcp6('fd00:10:128:1::1', v6(vault)) },
    expect: { drop: 'tenant-isolation' },
  },
  { name: 'guest to a global pod', packet: { ...guest(SHOP), ...tcp4('10.128.0.1', v4(dns)) }, expect: stays(dns) },
  { name: 'global guest', packet: { ...guest(0), ...tcp6('fd00:10:128:1::1', v6(vault)) }, expect: stays(vault) },
  {
    name: 'guest to another node',
    packet: { ...guest(SHOP), ...tcp4('10.128.0.1', REMOTE.v4) },
    expect: { port: TUNNEL_PORT },
  },
  {
    name: 'guest to the outside, which is not by way of the overlay',
    packet: { ...guest(SHOP), ...tcp4('10.128.0.1', '198.51.100.7') },
    expect: { drop: 'gateway-loop' },
  },
  { name: 'node, multicast', packet: { ...node, ...icmp6(143, 'fe80::1', 'ff02::16') }, expect: { drop: 'multicast' } },
  { name: 'node, LLDP', packet: { ...node, eth_type: 0x88cc }, expect: { drop: 'gateway-ethertype' } },
  // neighbours
  {
    name: 'ARP for the gateway',
    packet: { ...from(web), ...arp(1, v4(web), web.mac, '10.128.0.1') },
    expect: { port: 'in_port' },
  },
  {
    name: 'ARP for a pod of another tenant is answered by the switch',
    packet: { ...from(web), ...arp(1, v4(web), web.mac, v4(vault)) },
    expect: { port: 'in_port' },
  },
  {
    name: 'ARP for its own address',
    packet: { ...from(web), ...arp(1, v4(web), web.mac, v4(web)) },
    expect: { drop: 'own-neighbour' },
  },
  {
    name: 'ARP for the outside',
    packet: { ...from(web), ...arp(1, v4(web), web.mac, '198.51.100.7') },
    expect: { drop: 'unanswered-neighbour' },
  },
  {
    name: 'ARP answer nobody asked for',
    packet: { ...from(web), ...arp(2, v4(web), web.mac, v4(api)) },
    expect: { drop: 'unanswered-neighbour' },
  },
  {
    name: 'ARP from the node',
    packet: { ...node, ...arp(1, '10.128.0.1', ROUTER, v4(web)) },
    expect: { port: 'in_port' },
  },
  {
    name: 'ND for the gateway',
    packet: { ...from(web), ...nd(135, v6(web), 'fd00:10:128:1::1', { nd_sll: web.mac }) },
    expect: { port: 'in_port' },
  },
  {
    name: 'ND for the gateway, from the link-local address',
    packet: { ...from(web), ...nd(135, linkLocalFromMac(web.mac), 'fd00:10:128:1::1', { nd_sll: web.mac }) },
    expect: { port: 'in_port' },
  },
  {
    name: 'ND without its option',
    packet: { ...from(web), ...nd(135, v6(web), 'fd00:10:128:1::1', {}) },
    expect: { port: 'in_port' },
  },
  {
    name: 'ND for the outside',
    packet: { ...from(web), ...nd(135, v6(web), '2001:db8:f::1', { nd_sll: web.mac }) },
    expect: { drop: 'unanswered-neighbour' },
  },
  {
    name: 'ND for its own address',
    packet: { ...from(web), ...nd(135, v6(web), v6(web), { nd_sll: web.mac }) },
    expect: { drop: 'own-neighbour' },
  },
  {
    name: 'duplicate address detection',
    packet: { ...from(web), ...nd(135, '::', v6(web), {}) },
    expect: { drop: 'unaddressed' },
  },
  {
    name: 'advertisement of its own address',
    packet: { ...from(web), ...nd(136, v6(web), v6(web), { nd_tll: web.mac }) },
    expect: { drop: 'own-neighbour' },
  },
  // forgery
  {
    name: 'spoofed MAC',
    packet: { ...from(web), eth_src: OTHER_MAC, ...tcp4(v4(web), v4(api)) },
    expect: { drop: 'spoofed-mac' },
  },
  { name: 'spoofed IPv4', packet: { ...from(web), ...tcp4(v4(api), v4(vault)) }, expect: { drop: 'spoofed-ipv4' } },
  {
    name: 'spoofed IPv4 of the gateway',
    packet: { ...from(web), ...tcp4('10.128.0.1', v4(vault)) },
    expect: { drop: 'spoofed-ipv4' },
  },
  { name: 'spoofed IPv6', packet: { ...from(web), ...tcp6(v6(vault), v6(api)) }, expect: { drop: 'spoofed-ipv6' } },
  {
    name: 'spoofed link-local',
    packet: { ...from(web), ...nd(135, 'fe80::1', 'fd00:10:128:1::1', { nd_sll: web.mac }) },
    expect: { drop: 'spoofed-ipv6' },
  },
  {
    name: 'spoofed ARP sender address',
    packet: { ...from(web), ...arp(1, v4(api), web.mac, '10.128.0.1') },
    expect: { drop: 'spoofed-arp' },
  },
  {
    name: 'spoofed ARP sender MAC',
    packet: { ...from(web), ...arp(2, v4(web), OTHER_MAC, v4(api)) },
    expect: { drop: 'spoofed-arp' },
  },
  {
    name: 'ARP probe',
    packet: { ...from(web), ...arp(1, '0.0.0.0', web.mac, v4(api)) },
    expect: { drop: 'unaddressed' },
  },
  {
    name: 'spoofed ND option',
    packet: { ...from(web), ...nd(135, v6(web), 'fd00:10:128:1::1', { nd_sll: OTHER_MAC }) },
    expect: { drop: 'spoofed-nd' },
  },
  {
    name: 'advertisement of another pod’s address',
    packet: { ...from(web), ...nd(136, v6(web), v6(api), { nd_tll: web.mac }) },
    expect: { drop: 'spoofed-nd' },
  },
  {
    name: 'advertisement of the gateway',
    packet: { ...from(web), ...nd(136, v6(web), 'fd00:10:128:1::1', { nd_tll: web.mac }) },
    expect: { drop: 'spoofed-nd' },
  },
  {
    name: 'router advertisement',
    packet: { ...from(web), ...icmp6(134, linkLocalFromMac(web.mac), 'ff02::1') },
    expect: { drop: 'rogue-ra' },
  },
  {
    name: 'redirect, IPv6',
    packet: { ...from(web), ...icmp6(137, linkLocalFromMac(web.mac), 'ff02::1') },
    expect: { drop: 'rogue-redirect' },
  },
  {
    name: 'redirect, IPv4',
    packet: {
      ...from(web),
      eth_type: 0x0800,
      ip_proto: 1,
      ipv4_src: v4(web),
      ipv4_dst: v4(api),
      icmp_type: 5,
      icmp_code: 1,
    },
    expect: { drop: 'rogue-redirect' },
  },
  { name: 'DHCP reply', packet: { ...from(web), ...udp4(v4(web), v4(api), 67, 68) }, expect: { drop: 'rogue-dhcp' } },
  {
    name: 'DHCPv6 reply',
    packet: { ...from(web), ...udp6(v6(web), v6(api), 547, 546) },
    expect: { drop: 'rogue-dhcp' },
  },
  {
    name: 'DHCP request',
    packet: { ...from(web), ...udp4('0.0.0.0', '255.255.255.255', 68, 67) },
    expect: { drop: 'unaddressed' },
  },
  {
    name: 'VXLAN to a node',
    packet: { ...from(web), ...udp4(v4(web), UNDERLAY.node2, 50000, 4789) },
    expect: { drop: 'tunnel-port' },
  },
  {
    name: 'VXLAN to the gateway',
    packet: { ...from(web), ...udp4(v4(web), '10.128.0.1', 50000, 4789) },
    expect: { drop: 'tunnel-port' },
  },
  {
    name: 'VXLAN to a node, IPv6',
    packet: { ...from(web), ...udp6(v6(web), '2001:db8::12', 50000, 4789) },
    expect: { drop: 'tunnel-port' },
  },
  {
    name: 'VXLAN between pods is their own affair',
    packet: { ...from(web), ...udp4(v4(web), v4(api), 50000, 4789) },
    expect: stays(api),
  },
  // errors about connections of others
  {
    name: 'ICMP error to the outside',
    packet: { ...from(web), ...icmp4(3, v4(web), '198.51.100.7') },
    expect: { drop: 'error-to-node' },
  },
  {
    name: 'ICMPv6 error to its node',
    packet: { ...from(web), ...icmp6(2, v6(web), 'fd00:10:128:1::1') },
    expect: { drop: 'error-to-node' },
  },
  {
    name: 'ICMP error of a global pod to the outside',
    packet: { ...from(dns), ...icmp4(3, v4(dns), '198.51.100.7') },
    expect: { port: GATEWAY_PORT },
  },
  {
    name: 'ICMP error to a global pod',
    packet: { ...from(web), ...icmp4(3, v4(web), v4(dns)) },
    expect: { drop: 'error-to-global' },
  },
  {
    name: 'ICMPv6 error to a global pod',
    packet: { ...from(web), ...icmp6(1, v6(web), v6(dns)) },
    expect: { drop: 'error-to-global' },
  },
  { name: 'ICMP error of a global pod', packet: { ...from(dns), ...icmp4(3, v4(dns), v4(web)) }, expect: stays(web) },
  { name: 'ICMP error within a tenant', packet: { ...from(web), ...icmp4(3, v4(web), v4(api)) }, expect: stays(api) },
  { name: 'ICMP error of the node', packet: { ...node, ...icmp4(3, '10.128.0.1', v4(web)) }, expect: stays(web) },
  {
    name: 'ping to the outside',
    packet: { ...from(web), ...icmp4(8, v4(web), '198.51.100.7') },
    expect: { port: GATEWAY_PORT },
  },
  { name: 'loopback address', packet: { ...from(web), ...tcp4(v4(web), '127.0.0.1') }, expect: { drop: 'loopback' } },
  { name: 'loopback address, IPv6', packet: { ...from(web), ...tcp6(v6(web), '::1') }, expect: { drop: 'loopback' } },
  // closed by default
  {
    name: 'VLAN tag',
    packet: { ...from(web), vlan_tci: 0x1064, ...tcp4(v4(web), v4(api)) },
    expect: { drop: 'vlan-tagged' },
  },
  { name: 'LLDP', packet: { ...from(web), eth_type: 0x88cc }, expect: { drop: 'ethertype' } },
  {
    name: 'multicast',
    packet: { ...from(web), ...udp4(v4(web), '224.0.0.251', 5353, 5353) },
    expect: { drop: 'multicast' },
  },
  {
    name: 'broadcast',
    packet: { ...from(web), ...udp4(v4(web), '255.255.255.255', 5353, 5353) },
    expect: { drop: 'multicast' },
  },
  {
    name: 'multicast, IPv6',
    packet: { ...from(web), ...udp6(v6(web), 'ff02::fb', 5353, 5353) },
    expect: { drop: 'multicast' },
  },
  {
    name: 'link-local to link-local',
    packet: { ...from(web), ...tcp6(linkLocalFromMac(web.mac), 'fe80::1') },
    expect: { drop: 'link-local' },
  },
  {
    name: 'unknown port',
    packet: { ...from(web), in_port: 99, ...tcp4(v4(web), v4(api)) },
    expect: { drop: 'unknown-port' },
  },
  {
    name: 'the bridge’s own port',
    packet: { ...from(web), in_port: 0xfffffffe, ...tcp4(v4(web), v4(api)) },
    expect: { drop: 'unknown-port' },
  },
]
