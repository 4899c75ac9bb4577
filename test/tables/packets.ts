/**
 * The packets of the case tables, field by field.
 * @module
 */
import type { FieldName } from '../../src/flow/fields.ts'
import type { Scalar } from '../../src/flow/flow.ts'
import { guestMac } from '../../src/network/guests.ts'
import type { Endpoint } from '../../src/network/model/endpoint.ts'
import { GATEWAY_PORT, PROBE, PROBE_ETHERTYPE, TUNNEL_PORT } from '../../src/network/pipeline/stages.ts'

export type Fields = { readonly [field in FieldName]?: Scalar }

export const ROUTER = '0a:58:0a:80:00:01'
export const OTHER_MAC = '02:00:00:00:00:99'
export const REMOTE = { v4: '10.129.0.9', v6: 'fd00:10:128:2::9' } as const
export const BALANCER = { v4: '10.131.18.1', v6: 'fd00:10:128:9::1' } as const
export const MONITOR = { v4: '10.131.20.1', v6: 'fd00:10:128:a::1' } as const
export const UNDERLAY = {
  node1: '192.0.2.11',
  node2: '192.0.2.12',
  stranger: '192.0.2.66',
  balancer: '192.0.2.19',
  monitor: '192.0.2.20',
} as const

export function v4(pod: Endpoint): string {
  return pod.addresses[0] ?? ''
}
export function v6(pod: Endpoint): string {
  return pod.addresses[1] ?? ''
}
export function from(pod: Endpoint): Fields {
  return { in_port: pod.ofport, eth_src: pod.mac, eth_dst: ROUTER }
}
export function tcp4(source: string, destination: string): Fields {
  return { eth_type: 0x0800, ip_proto: 6, ipv4_src: source, ipv4_dst: destination, tcp_src: 40000, tcp_dst: 8080 }
}
export function tcp6(source: string, destination: string): Fields {
  return { eth_type: 0x86dd, ip_proto: 6, ipv6_src: source, ipv6_dst: destination, tcp_src: 40000, tcp_dst: 8080 }
}
export function udp4(source: string, destination: string, sourcePort: number, destinationPort: number): Fields {
  return {
    eth_type: 0x0800,
    ip_proto: 17,
    ipv4_src: source,
    ipv4_dst: destination,
    udp_src: sourcePort,
    udp_dst: destinationPort,
  }
}
export function udp6(source: string, destination: string, sourcePort: number, destinationPort: number): Fields {
  return {
    eth_type: 0x86dd,
    ip_proto: 17,
    ipv6_src: source,
    ipv6_dst: destination,
    udp_src: sourcePort,
    udp_dst: destinationPort,
  }
}
export function arp(op: number, spa: string, sha: string, tpa: string): Fields {
  return { eth_type: 0x0806, arp_op: op, arp_spa: spa, arp_sha: sha, arp_tpa: tpa, arp_tha: '00:00:00:00:00:00' }
}
export function nd(
  type: 135 | 136,
  source: string,
  target: string,
  link: { nd_sll?: string; nd_tll?: string },
): Fields {
  const destination = type === 135 ? 'ff02::1:ff00:1' : 'ff02::1'
  return { ...icmp6(type, source, destination), nd_target: target, ...link }
}
export function icmp4(type: number, source: string, destination: string): Fields {
  return { eth_type: 0x0800, ip_proto: 1, ipv4_src: source, ipv4_dst: destination, icmp_type: type, icmp_code: 0 }
}
export function icmp6(type: number, source: string, destination: string): Fields {
  return { eth_type: 0x86dd, ip_proto: 58, ipv6_src: source, ipv6_dst: destination, icmpv6_type: type, icmpv6_code: 0 }
}
export function tunnelled(source: string, vni: number): Fields {
  return {
    in_port: TUNNEL_PORT,
    tun_src: source,
    tun_dst: UNDERLAY.node1,
    tun_id: vni,
    eth_src: OTHER_MAC,
    eth_dst: ROUTER,
  }
}
/** A packet of the node’s own stack. */
export const node: Fields = { in_port: GATEWAY_PORT, eth_src: ROUTER, eth_dst: '0a:58:a9:fe:4d:01' }
/** Frames that ask whether a tunnel carries. */
export const PROBES = {
  question: { eth_type: PROBE_ETHERTYPE, eth_src: PROBE.sender, eth_dst: PROBE.question },
  answer: { eth_type: PROBE_ETHERTYPE, eth_src: PROBE.sender, eth_dst: PROBE.answer },
  warming: { eth_type: PROBE_ETHERTYPE, eth_src: PROBE.sender, eth_dst: 'ff:ff:ff:ff:ff:ff' },
} as const satisfies Record<string, Fields>
/** What a pod on the physical network sends by way of its node, with the VNI of its tenant. */
export const guest = (vni: number): Fields => ({ ...node, eth_dst: guestMac(vni) })
