/**
 * Kinds of links that stand on another one, of which the kernel is told by IFLA_LINK: what each has of its own
 * (IFLA_INFO_DATA). Numbers of linux/if_link.h and linux/if_ether.h.
 * @module
 */
import { badArgument } from '../errno.ts'
import { type Attributes, type Defined, present } from './reader.ts'
import type { MessageWriter } from './writer.ts'

const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const
export type MacvlanMode = keyof typeof MACVLAN_MODES

const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const
export type IpvlanMode = keyof typeof IPVLAN_MODES

const VLAN_PROTOCOLS = { '802.1q': 0x8100, '802.1ad': 0x88a8 } as const
export type VlanProtocol = keyof typeof VLAN_PROTOCOLS

export interface MacvlanData {
  readonly mode?: MacvlanMode
}

export interface IpvlanData {
  readonly mode?: IpvlanMode
}

/** A VLAN of another link; `id` is 12 bits. */
export interface VlanData {
  readonly id?: number
  readonly protocol?: VlanProtocol
}

export type StackedKindData =
  | ({ readonly kind: 'macvlan' } & Defined<MacvlanData>)
  | ({ readonly kind: 'ipvlan' } & Defined<IpvlanData>)
  | ({ readonly kind: 'vlan' } & Defined<VlanData>)

/** A link to be made of one of these kinds; `parent` is the index of the link it stands on. */
export type StackedSpec = { readonly parent: number } & (
  | ({ readonly kind: 'macvlan' } & MacvlanData)
  | ({ readonly kind: 'ipvlan' } & IpvlanData)
  | ({ readonly kind: 'vlan' } & VlanData)
)

export function encodeStacked(data: StackedSpec, writer: MessageWriter): void {
  switch (data.kind) {
    case 'macvlan':
      writer.u32(IflaMacvlan.MODE, data.mode === undefined ? undefined : MACVLAN_MODES[data.mode])
      return
    case 'ipvlan':
      writer.u16(IflaIpvlan.MODE, data.mode === undefined ? undefined : IPVLAN_MODES[data.mode])
      return
    case 'vlan':
      if (data.id !== undefined && !(data.id >= 0 && data.id < 2 ** 12)) {
        throw badArgument(`VLAN ${data.id} has no 12 bits`)
      }
      writer
        .u16(IflaVlan.ID, data.id)
        .be16(IflaVlan.PROTOCOL, data.protocol === undefined ? undefined : VLAN_PROTOCOLS[data.protocol])
      return
  }
}

/** The typed data of these kinds; undefined for others. */
export function decodeStacked(kind: string, data: Attributes): StackedKindData | undefined {
  switch (kind) {
    case 'macvlan':
      return { kind, ...present({ mode: nameOf(MACVLAN_MODES, data.u32(IflaMacvlan.MODE)) }) }
    case 'ipvlan':
      return { kind, ...present({ mode: nameOf(IPVLAN_MODES, data.u16(IflaIpvlan.MODE)) }) }
    case 'vlan':
      return {
        kind,
        ...present({ id: data.u16(IflaVlan.ID), protocol: nameOf(VLAN_PROTOCOLS, data.be16(IflaVlan.PROTOCOL)) }),
      }
    default:
      return undefined
  }
}

const IflaMacvlan = { MODE: 1 } as const
const IflaIpvlan = { MODE: 1 } as const
const IflaVlan = { ID: 1, PROTOCOL: 5 } as const

function nameOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  value: number | undefined,
): Name | undefined {
  for (const [name, number] of Object.entries(numbers)) if (number === value) return name as Name
  return undefined
}
