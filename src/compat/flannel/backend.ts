/**
 * How packets for other machines leave, as flannel's configuration names it.
 * @module
 */
import { configFault, quoted } from './errors.ts'
import { caseless, type Fields, fieldOf, numberOf, switchOf } from './fields.ts'

/** A back end and what is configured of it. */
export type Backend = VxlanBackend | HostGatewayBackend | UdpBackend

/** A VXLAN device of the kernel; Linux' own port is not IANA's. */
export interface VxlanBackend {
  readonly type: 'vxlan'
  readonly vni: number
  readonly port: number
  /** Of the device that carries it, in bytes; absent: as that device says. */
  readonly mtu?: number
  /** A machine on the same segment is reached without the tunnel. */
  readonly directRouting: boolean
  readonly learning: boolean
}

/** Routes by the other machines' addresses. */
export interface HostGatewayBackend {
  readonly type: 'host-gw'
}

/** The bare packets in UDP, by a process of ours. */
export interface UdpBackend {
  readonly type: 'udp'
  readonly port: number
}

/** Linux' port for VXLAN, which flannel takes. */
export const VXLAN_PORT = 8472
export const UDP_PORT = 8285

/** flannel's other back ends, and what to say of them. */
const REFUSED: Readonly<Record<string, string>> = {
  ipip: 'IP in IP is not made here yet',
  wireguard: 'WireGuard is not made here yet',
  ipsec: 'IPsec is not made here yet',
  extension: 'commands of others are not run here',
  alloc: 'it only hands out subnets, and leaves the way between machines to others',
  'tencent-vpc': 'it writes the routes of a cloud, for which there is no client here',
  'aws-vpc': 'flannel itself has no client for that cloud any more',
  gce: 'flannel itself has no client for that cloud any more',
  'ali-vpc': 'flannel itself has no client for that cloud any more',
}

/** Reads the object `Backend`; absent, it is flannel's own default, `udp`. Throws FLANNEL_CONFIG. */
export function decodeBackend(input: unknown): Backend {
  if (input === undefined || input === null) return { type: 'udp', port: UDP_PORT }
  const fields = caseless(input)
  if (fields === undefined) throw configFault('Backend is no JSON object', 'write it like {"Type": "vxlan"}')
  const type = fieldOf(fields, 'Type') ?? 'udp'
  switch (type) {
    case 'vxlan':
      return vxlan(fields)
    case 'host-gw':
      return { type: 'host-gw' }
    case 'udp':
      return { type: 'udp', port: numberOf(fields, 'Port', 65_535) ?? UDP_PORT }
    default: {
      const why = typeof type === 'string' && Object.hasOwn(REFUSED, type) ? REFUSED[type] : undefined
      const message =
        why === undefined ? `there is no back end ${quoted(type)}` : `the back end ${quoted(type)} is refused: ${why}`
      throw configFault(message, 'set "Backend": {"Type": "vxlan"}, or host-gw or udp')
    }
  }
}

function vxlan(fields: Fields): VxlanBackend {
  if (switchOf(fields, 'GBP') === true) {
    throw configFault('VXLAN group policies are refused: GBP is not made here yet', 'leave GBP out')
  }
  const mtu = numberOf(fields, 'MTU', 65_535)
  return {
    type: 'vxlan',
    vni: numberOf(fields, 'VNI', 0xff_ff_ff) ?? 1,
    port: numberOf(fields, 'Port', 65_535) ?? VXLAN_PORT,
    ...(mtu === undefined ? {} : { mtu }),
    directRouting: switchOf(fields, 'DirectRouting') ?? false,
    learning: switchOf(fields, 'Learning') ?? false,
  }
}
