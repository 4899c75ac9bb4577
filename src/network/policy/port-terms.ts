/**
 * The ports of a rule as matches of the switch.
 * @module
 */
import type { Match } from '../../flow/flow.ts'
import type { Family } from '../model/address.ts'
import type { NamedPort } from '../model/pod.ts'
import type { PortMatch } from '../model/policy.ts'
import { portMasks } from '../model/port-masks.ts'
import type { Protocol } from '../model/service.ts'
import { ipPacket, PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../pipeline/build.ts'

const PROTOCOLS: { readonly [P in Protocol]: readonly [number, 'tcp_dst' | 'udp_dst' | 'sctp_dst'] } = {
  TCP: [PROTO_TCP, 'tcp_dst'],
  UDP: [PROTO_UDP, 'udp_dst'],
  SCTP: [PROTO_SCTP, 'sctp_dst'],
}

const FAMILIES: readonly Family[] = [4, 6]
const ALL_BITS = 0xffff

/**
 * Matches of the connections to these ports; absent: of every connection. `named` are the ports that the pod in question
 * has by names that policies use.
 */
export function portTerms(ports: readonly PortMatch[] | undefined, named: readonly NamedPort[] = []): readonly Match[] {
  if (ports === undefined) return [{}]
  const terms = ports.flatMap((port) => termsOf(port, named))
  return [...new Map(terms.map((term) => [JSON.stringify(term), term])).values()]
}

/** Matches of the connections to one port. */
export function termsOfNumber(protocol: Protocol, port: number): readonly Match[] {
  return numbers(protocol, port, port)
}

function termsOf(port: PortMatch, named: readonly NamedPort[]): readonly Match[] {
  switch (port.type) {
    case 'protocol':
      return FAMILIES.map((family) => transport(family, port.protocol))
    case 'numbers':
      return numbers(port.protocol, port.from, port.to)
    case 'named':
      return named
        .filter(({ name, protocol }) => name === port.name && (port.protocol ?? protocol) === protocol)
        .flatMap(({ protocol, port: number }) => numbers(protocol, number, number))
    case 'icmp':
      return [icmp(port.family, port.icmpType, port.code)]
    case 'ip':
      return FAMILIES.map((family) => ({ ...ipPacket(family), ip_proto: port.number }))
  }
}

function icmp(family: Family, type: number | undefined, code: number | undefined): Match {
  const [typeField, codeField] = family === 4 ? ['icmp_type', 'icmp_code'] : ['icmpv6_type', 'icmpv6_code']
  return {
    ...ipPacket(family),
    ip_proto: family === 4 ? PROTO_ICMP : PROTO_ICMPV6,
    ...(type === undefined ? {} : { [typeField]: type }),
    ...(type === undefined || code === undefined ? {} : { [codeField]: code }),
  }
}

function numbers(protocol: Protocol, from: number, to: number): readonly Match[] {
  const [, field] = PROTOCOLS[protocol]
  return portMasks(from, to).flatMap(({ value, mask }) =>
    FAMILIES.map((family) => ({
      ...transport(family, protocol),
      // Port 0 to 65535 are the protocol.
      ...(mask === 0 ? {} : { [field]: mask === ALL_BITS ? value : { value, mask } }),
    })),
  )
}

function transport(family: Family, protocol: Protocol): Match {
  return { ...ipPacket(family), ip_proto: PROTOCOLS[protocol][0] }
}
