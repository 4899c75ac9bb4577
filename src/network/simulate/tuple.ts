/**
 * The two ends of a conversation, read from a packet and written to it.
 * @module
 */
import type { FieldName } from '../../flow/fields.ts'
import type { Family } from '../model/address.ts'
import type { Packet } from './packet.ts'

/** Who talks to whom. Addresses and ports are numbers; ports are 0 where there are none. */
export interface Tuple {
  readonly family: Family
  readonly protocol: bigint
  readonly source: bigint
  readonly destination: bigint
  readonly sourcePort: bigint
  readonly destinationPort: bigint
}

const ETH_TYPES: ReadonlyMap<bigint, Family> = new Map([
  [0x0800n, 4],
  [0x86ddn, 6],
])

const SCTP = 132n

/** Protocols that the switch tracks. */
const PORTS: ReadonlyMap<bigint, readonly [FieldName, FieldName] | undefined> = new Map([
  [1n, undefined],
  [6n, ['tcp_src', 'tcp_dst']],
  [17n, ['udp_src', 'udp_dst']],
  [58n, undefined],
  [SCTP, ['sctp_src', 'sctp_dst']],
] as const)

/** Where a family's addresses are. */
export const ADDRESSES = { 4: ['ipv4_src', 'ipv4_dst'], 6: ['ipv6_src', 'ipv6_dst'] } as const

/** The ends of a packet, or undefined when nobody tracks such. A later fragment has no ports. */
export function tupleOf(packet: Packet, tracksSctp = false): Tuple | undefined {
  const family = ETH_TYPES.get(packet.get('eth_type') ?? 0n)
  const protocol = packet.get('ip_proto')
  if (family === undefined || protocol === undefined || !PORTS.has(protocol)) return undefined
  if (protocol === SCTP && !tracksSctp) return undefined
  const value = (field: FieldName | undefined): bigint => (field === undefined ? 0n : (packet.get(field) ?? 0n))
  const [source, destination] = ADDRESSES[family]
  const ports = PORTS.get(protocol)
  return {
    family,
    protocol,
    source: value(source),
    destination: value(destination),
    sourcePort: value(ports?.[0]),
    destinationPort: value(ports?.[1]),
  }
}

/** The same conversation, seen from the other end. */
export function reversed(tuple: Tuple): Tuple {
  return {
    ...tuple,
    source: tuple.destination,
    destination: tuple.source,
    sourcePort: tuple.destinationPort,
    destinationPort: tuple.sourcePort,
  }
}

/** Gives a packet this sender. */
export function writeSource(packet: Map<FieldName, bigint>, { family, protocol, source, sourcePort }: Tuple): void {
  packet.set(ADDRESSES[family][0], source)
  writePort(packet, PORTS.get(protocol)?.[0], sourcePort)
}

/** Gives a packet this receiver. */
export function writeDestination(packet: Map<FieldName, bigint>, tuple: Tuple): void {
  packet.set(ADDRESSES[tuple.family][1], tuple.destination)
  writePort(packet, PORTS.get(tuple.protocol)?.[1], tuple.destinationPort)
}

function writePort(packet: Map<FieldName, bigint>, field: FieldName | undefined, port: bigint): void {
  if (field !== undefined && packet.has(field)) packet.set(field, port)
}

/** Whether this is an ICMP message about another packet (RFC 792, RFC 4443). */
export function isIcmpError(packet: Packet): boolean {
  const protocol = packet.get('ip_proto')
  if (protocol === 1n) return [3n, 4n, 11n, 12n].includes(packet.get('icmp_type') ?? 0n)
  return protocol === 58n && (packet.get('icmpv6_type') ?? 0n) < 128n
}

/** A tuple as a key. */
export function tupleKey(tuple: Tuple): string {
  const { family, protocol, source, destination, sourcePort, destinationPort } = tuple
  return [family, protocol, source, sourcePort, destination, destinationPort].join(' ')
}
