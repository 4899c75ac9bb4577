/**
 * The packet that is traced.
 * @module
 */
import { FIELDS, type FieldName } from '../../flow/fields.ts'
import type { Scalar } from '../../flow/flow.ts'
import { formatMatch } from '../../flow/format.ts'
import { NEXT_HOP_MAC } from '../../network/host.ts'
import { type Family, formatIp, type Ip } from '../../network/model/address.ts'
import { ETH_IPV4, ETH_IPV6 } from '../../network/pipeline/build.ts'
import { GATEWAY_PORT } from '../../network/pipeline/stages.ts'
import { CT_STATE } from '../../network/simulate/connections.ts'
import type { Packet } from '../../network/simulate/simulate.ts'
import { originalFields } from '../../network/simulate/track.ts'
import { tupleOf } from '../../network/simulate/tuple.ts'
import type { Sender } from './party.ts'

/** What is asked: one packet of a conversation. */
export interface Probe {
  readonly family: Family
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp'
  readonly source: Ip
  readonly destination: Ip
  /** Of TCP, UDP and SCTP. */
  readonly sourcePort: number
  readonly destinationPort: number
  /** The answering half: an echo reply instead of a request. */
  readonly answer: boolean
  /** Bytes of the IP packet. */
  readonly size: number
}

/** Fields as flows write them. */
export type Fields = { readonly [field in FieldName]?: Scalar }

/** The packet that comes back. */
export function answerTo(probe: Probe): Probe {
  return {
    ...probe,
    source: probe.destination,
    destination: probe.source,
    sourcePort: probe.destinationPort,
    destinationPort: probe.sourcePort,
    answer: true,
  }
}

/** The probe as it arrives: a service may have given it other ends on its way. */
export function probeOf(packet: Packet, probe: Probe): Probe {
  const tuple = tupleOf(packet, true)
  if (tuple === undefined) return probe
  return {
    ...probe,
    source: formatIp(tuple.family, tuple.source),
    destination: formatIp(tuple.family, tuple.destination),
    sourcePort: Number(tuple.sourcePort),
    destinationPort: Number(tuple.destinationPort),
  }
}

/** The fields of a probe as its sender's port sees it. */
export function fieldsFrom(sender: Sender, probe: Probe): Fields {
  return { ...linkFrom(sender), ...inner(probe) }
}

/** The fields of a packet from outside that the node's own stack hands over. */
export function fieldsFromOutside(routerMac: string, probe: Probe): Fields {
  return { in_port: GATEWAY_PORT, eth_src: routerMac, eth_dst: NEXT_HOP_MAC, ...inner(probe) }
}

/**
 * A packet as `ofproto/trace` reads it: new to connection tracking, of which Open vSwitch asks us. Registers are zero at
 * the start and stay out. `hash` is what the datapath's own hash of it would be, by which groups choose.
 */
export function questionText(packet: Packet, hash = 1): string {
  const { flow, tuple } = { flow: packetText(packet), tuple: tupleOf(packet) }
  if (tuple === undefined) return `dp_hash=${hash},${flow}`
  return `dp_hash=${hash},${packetText(new Map([...packet, ...originalFields(tuple), ['ct_state', CT_STATE.trk | CT_STATE.new]]))}`
}

/** A packet as ovs-ofctl writes it. */
function packetText(packet: Packet): string {
  const fields = [...packet].filter(([field]) => !field.startsWith('reg'))
  const text = formatMatch(Object.fromEntries(fields.map(([field, value]) => [field, scalarOf(field, value)])))
  // Dumps say icmp_type in both families and tp_dst for every protocol; the packet parser wants the field's own name.
  if (packet.has('icmpv6_type')) return text.replaceAll(',icmp_', ',icmpv6_')
  const protocol = (['tcp', 'udp', 'sctp'] as const).find((name) => packet.has(`${name}_dst`))
  return protocol === undefined ? text : text.replaceAll(',tp_', `,${protocol}_`)
}

function scalarOf(field: FieldName, value: bigint): Scalar {
  const { kind, bits } = FIELDS[field]
  if (kind === 'ipv4') return formatIp(4, value)
  if (kind === 'ipv6') return formatIp(6, value)
  if (kind === 'mac')
    return value
      .toString(16)
      .padStart(12, '0')
      .replace(/(..)(?=.)/g, '$1:')
  return bits <= 32 ? Number(value) : value
}

function linkFrom(sender: Sender): Fields {
  const { routerMac } = sender.facts
  if (sender.kind === 'node') return { in_port: GATEWAY_PORT, eth_src: routerMac, eth_dst: NEXT_HOP_MAC }
  const { ofport, mac } = sender.lease.endpoint
  return { in_port: ofport, eth_src: mac, eth_dst: routerMac }
}

function inner(probe: Probe): Fields {
  const ends =
    probe.family === 4
      ? { eth_type: ETH_IPV4, ipv4_src: probe.source, ipv4_dst: probe.destination }
      : { eth_type: ETH_IPV6, ipv6_src: probe.source, ipv6_dst: probe.destination }
  return { ...ends, ip_ttl: 64, ...transport(probe) }
}

function transport({ protocol, family, sourcePort, destinationPort, answer }: Probe): Fields {
  if (protocol === 'tcp') return { ip_proto: 6, tcp_src: sourcePort, tcp_dst: destinationPort }
  if (protocol === 'udp') return { ip_proto: 17, udp_src: sourcePort, udp_dst: destinationPort }
  if (protocol === 'sctp') return { ip_proto: 132, sctp_src: sourcePort, sctp_dst: destinationPort }
  if (family === 4) return { ip_proto: 1, icmp_type: answer ? 0 : 8, icmp_code: 0 }
  return { ip_proto: 58, icmpv6_type: answer ? 129 : 128, icmpv6_code: 0 }
}
