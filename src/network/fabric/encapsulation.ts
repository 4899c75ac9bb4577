/**
 * Tunnels between nodes: what they cost, what they look like on the wire, how their OVS port is configured.
 * VXLAN, Geneve and GRE are one kind of flow-based port here.
 * @module
 */
import type { Match } from '../../flow/flow.ts'
import type { Family } from '../model/address.ts'
import type { Encapsulation } from '../model/cluster.ts'
import { ipPacket, PROTO_GRE, udpTo } from '../pipeline/build.ts'
import { overheadOf } from './overhead.ts'

/** Bytes that a tunnel adds to an inner IP packet: 50 for VXLAN over IPv4, 70 over IPv6. */
export function tunnelOverhead(encapsulation: Encapsulation, underlay: Family): number {
  // GRE has the VNI as its key.
  return overheadOf(encapsulation.type === 'gre' ? 'keyed-gre' : encapsulation.type, underlay)
}

/** The largest packet a pod may send, given the uplink's MTU. */
export function overlayMtu(encapsulation: Encapsulation, underlay: Family, uplinkMtu: number): number {
  return uplinkMtu - tunnelOverhead(encapsulation, underlay)
}

/** What a tunnel packet looks like, in both families: a pod must not be able to send one to a node. */
export function tunnelPackets(encapsulation: Encapsulation): readonly Match[] {
  const families: readonly Family[] = [4, 6]
  if (encapsulation.type === 'gre') return families.map((family) => ({ ...ipPacket(family), ip_proto: PROTO_GRE }))
  return families.map((family) => udpTo(family, encapsulation.port))
}

/** How the tunnel's OVS interface is configured. `key` and `remote_ip` are set by flows. */
export interface TunnelInterface {
  readonly type: 'vxlan' | 'geneve' | 'gre' | 'ip6gre'
  readonly options: Readonly<Record<string, string>>
}

/** The OVS interface of a tunnel. */
export function tunnelInterface(encapsulation: Encapsulation, underlay: Family): TunnelInterface {
  const flowBased = { key: 'flow', remote_ip: 'flow', ...(underlay === 6 ? { local_ip: 'flow' } : {}) }
  if (encapsulation.type === 'gre') return { type: underlay === 6 ? 'ip6gre' : 'gre', options: flowBased }
  return { type: encapsulation.type, options: { ...flowBased, dst_port: String(encapsulation.port) } }
}
