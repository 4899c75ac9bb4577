/**
 * What each kind of link has of its own (IFLA_INFO_DATA): encoders and decoders side by side.
 * @module
 */
import { badArgument } from '../errno.ts'
import { formatIp, parseIp } from '../ip.ts'
import { decodeStacked, type StackedKindData } from './link-kinds-stacked.ts'
import { type Attributes, type Defined, present } from './reader.ts'
import type { MessageWriter } from './writer.ts'

/** A Linux bridge; the forward delay is in hundredths of a second, ageing as well. */
export interface BridgeData {
  readonly stp?: boolean
  readonly vlanFiltering?: boolean
  readonly forwardDelay?: number
  readonly ageingTime?: number
  readonly multicastSnooping?: boolean
}

/** A VXLAN device; `vni` is 24 bits; `external` takes the tunnel key from the packet's metadata. */
export interface VxlanData {
  readonly vni?: number
  readonly port?: number
  readonly local?: string
  readonly remote?: string
  readonly parent?: number
  readonly learning?: boolean
  readonly external?: boolean
  readonly ttl?: number
  readonly udpZeroChecksum6?: boolean
}

export type LinkKindData =
  | ({ readonly kind: 'bridge' } & Defined<BridgeData>)
  | StackedKindData
  | ({ readonly kind: 'vxlan' } & Defined<VxlanData>)

export function encodeBridge(data: BridgeData, writer: MessageWriter): void {
  writer
    .u32(IflaBr.FORWARD_DELAY, data.forwardDelay)
    .u32(IflaBr.AGEING_TIME, data.ageingTime)
    .u32(IflaBr.STP_STATE, bit(data.stp))
    .u8(IflaBr.VLAN_FILTERING, bit(data.vlanFiltering))
    .u8(IflaBr.MCAST_SNOOPING, bit(data.multicastSnooping))
}

export function encodeVxlan(data: VxlanData, writer: MessageWriter): void {
  if (data.vni !== undefined && !(data.vni >= 0 && data.vni < 2 ** 24))
    throw badArgument(`VNI ${data.vni} has no 24 bits`)
  writer
    .u32(IflaVxlan.ID, data.vni)
    .u32(IflaVxlan.LINK, data.parent)
    .u8(IflaVxlan.TTL, data.ttl)
    .u8(IflaVxlan.LEARNING, bit(data.learning))
    .be16(IflaVxlan.PORT, data.port)
    .u8(IflaVxlan.UDP_ZERO_CSUM6_TX, bit(data.udpZeroChecksum6))
    .u8(IflaVxlan.UDP_ZERO_CSUM6_RX, bit(data.udpZeroChecksum6))
    .u8(IflaVxlan.COLLECT_METADATA, bit(data.external))
  endpoint(writer, data.local, IflaVxlan.LOCAL, IflaVxlan.LOCAL6)
  endpoint(writer, data.remote, IflaVxlan.GROUP, IflaVxlan.GROUP6)
}

/** The typed data of the kinds we know; undefined for others. */
export function decodeKind(kind: string, data: Attributes | undefined): LinkKindData | undefined {
  if (data === undefined) return undefined
  if (kind === 'bridge') return decodeBridge(data)
  return kind === 'vxlan' ? decodeVxlan(data) : decodeStacked(kind, data)
}

const IflaBr = { FORWARD_DELAY: 1, AGEING_TIME: 4, STP_STATE: 5, VLAN_FILTERING: 7, MCAST_SNOOPING: 23 } as const
const IflaVxlan = {
  ID: 1,
  GROUP: 2,
  LINK: 3,
  LOCAL: 4,
  TTL: 5,
  LEARNING: 7,
  PORT: 15,
  GROUP6: 16,
  LOCAL6: 17,
  UDP_ZERO_CSUM6_TX: 19,
  UDP_ZERO_CSUM6_RX: 20,
  COLLECT_METADATA: 25,
} as const

function decodeBridge(data: Attributes): LinkKindData {
  const fields: BridgeData = present({
    stp: truth(data.u32(IflaBr.STP_STATE)),
    vlanFiltering: truth(data.u8(IflaBr.VLAN_FILTERING)),
    forwardDelay: data.u32(IflaBr.FORWARD_DELAY),
    ageingTime: data.u32(IflaBr.AGEING_TIME),
    multicastSnooping: truth(data.u8(IflaBr.MCAST_SNOOPING)),
  })
  return { kind: 'bridge', ...fields }
}

function decodeVxlan(data: Attributes): LinkKindData {
  const local = data.raw(IflaVxlan.LOCAL) ?? data.raw(IflaVxlan.LOCAL6)
  const remote = data.raw(IflaVxlan.GROUP) ?? data.raw(IflaVxlan.GROUP6)
  const fields: VxlanData = present({
    vni: data.u32(IflaVxlan.ID),
    port: data.be16(IflaVxlan.PORT),
    local: local === undefined ? undefined : formatIp(local),
    remote: remote === undefined ? undefined : formatIp(remote),
    parent: data.u32(IflaVxlan.LINK),
    learning: truth(data.u8(IflaVxlan.LEARNING)),
    external: truth(data.u8(IflaVxlan.COLLECT_METADATA)),
    ttl: data.u8(IflaVxlan.TTL),
    udpZeroChecksum6: truth(data.u8(IflaVxlan.UDP_ZERO_CSUM6_TX)),
  })
  return { kind: 'vxlan', ...fields }
}

function endpoint(writer: MessageWriter, address: string | undefined, type4: number, type6: number): void {
  if (address === undefined) return
  const bytes = parseIp(address)
  writer.raw(bytes.length === 4 ? type4 : type6, bytes)
}

function bit(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

function truth(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0
}
