/**
 * The packets of connections, as the port they come in by sees them.
 */

import { NEXT_HOP_MAC } from '../../../src/network/host.ts'
import { familyOf, type Ip, ipValue, macFromIp } from '../../../src/network/model/address.ts'
import { type Endpoint, endpointId } from '../../../src/network/model/endpoint.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import { FIRST_ENDPOINT_PORT, GATEWAY_PORT } from '../../../src/network/pipeline/stages.ts'
import type { Connection } from '../../../src/network/policy/verdict.ts'
import type { Fields } from '../packets.ts'

/** Which half of a conversation a packet belongs to. */
export type Part = 'question' | 'answer'

const CLIENT_PORT = 40_000
const IP_PROTO = { TCP: 6, UDP: 17, SCTP: 132 } as const
const PORT_FIELDS = {
  TCP: ['tcp_src', 'tcp_dst'],
  UDP: ['udp_src', 'udp_dst'],
  SCTP: ['sctp_src', 'sctp_dst'],
} as const

/** A packet from its IP header on. */
export function ipFields(connection: Connection, part: Part): Fields {
  const { source, destination, protocol, port, sourcePort = CLIENT_PORT, icmp } = connection
  const [from, to] = part === 'question' ? [source.address, destination.address] : [destination.address, source.address]
  const ends = addressFields(from, to)
  if (protocol === 'ICMP')
    return { ...ends, ...(icmp === undefined ? echo(familyOf(from) === 6, part) : message(familyOf(from) === 6, icmp)) }
  const [sourceField, destinationField] = PORT_FIELDS[protocol]
  const [fromPort, toPort] = part === 'question' ? [sourcePort, port] : [port, sourcePort]
  return { ...ends, ip_proto: IP_PROTO[protocol], [sourceField]: fromPort, [destinationField]: toPort }
}

/** What a packet of a pod has before that. */
export function fromPod(pod: Pod, routerMac: string): Fields {
  const { mac, ofport } = endpointOf(pod)
  return { in_port: ofport, eth_src: mac, eth_dst: routerMac }
}

/** What a packet that the node's stack hands over has before that. */
export function fromStack(routerMac: string): Fields {
  return { in_port: GATEWAY_PORT, eth_src: routerMac, eth_dst: NEXT_HOP_MAC }
}

/** A pod's attachment, as an agent makes it. */
export function endpointOf({ namespace, name, uid, addresses }: Pod): Endpoint {
  const [first] = addresses
  if (first === undefined) throw new Error(`pod ${namespace}/${name} has no address`)
  const containerId = `c-${uid}`
  return {
    ...{ id: endpointId(containerId, 'eth0'), containerId, ifname: 'eth0', namespace, pod: name, podUid: uid },
    ...{ mac: macFromIp(first), addresses, ofport: FIRST_ENDPOINT_PORT + Number(ipValue(first) & 0xffn) },
  }
}

function addressFields(from: Ip, to: Ip): Fields {
  return familyOf(from) === 4
    ? { eth_type: 0x0800, ipv4_src: from, ipv4_dst: to }
    : { eth_type: 0x86dd, ipv6_src: from, ipv6_dst: to }
}

/** A message that is sent, and nobody answers. */
function message(isV6: boolean, { type, code }: NonNullable<Connection['icmp']>): Fields {
  return isV6
    ? { ip_proto: 58, icmpv6_type: type, icmpv6_code: code }
    : { ip_proto: 1, icmp_type: type, icmp_code: code }
}

/** A ping and its answer. */
function echo(isV6: boolean, part: Part): Fields {
  if (isV6) return { ip_proto: 58, icmpv6_type: part === 'question' ? 128 : 129, icmpv6_code: 0 }
  return { ip_proto: 1, icmp_type: part === 'question' ? 8 : 0, icmp_code: 0 }
}
