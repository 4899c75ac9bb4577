/**
 * A network link as the kernel tells it (RTM_NEWLINK), decoded.
 * @module
 */
import { formatMac } from '../ip.ts'
import { AF_INET6 } from '../sockaddr.ts'
import {
  ADDR_GEN_MODES,
  type AddrGenMode,
  AF_SPEC_ADDR_GEN_MODE,
  IFF_LOWER_UP,
  IFF_UP,
  Ifla,
  IflaInfo,
} from './link-constants.ts'
import { decodeKind, type LinkKindData } from './link-kinds.ts'
import { type Attributes, type Defined, headerView, present, readAttributes } from './reader.ts'

/** Sizes are in bytes; `index` is unique in its namespace; `parent` is the peer of a veth, the lower link of a macvlan. */
export type Link = Defined<{
  readonly index: number
  readonly name: string
  /** IFF_ flags of if(7); `up` is what was asked for, `lowerUp` what the carrier says. */
  readonly flags: number
  readonly up: boolean
  readonly lowerUp: boolean
  /** ARPHRD_ number: 1 is Ethernet, 772 the loopback. */
  readonly hardware: number
  readonly mtu: number
  readonly txQueueLength: number
  readonly group: number
  readonly promiscuity: number
  /** IF_OPER_ number: 6 is up, 2 down. */
  readonly operState: number
  readonly mac: string | undefined
  /** The MAC address that the hardware was made with; software links have none. */
  readonly permanentMac: string | undefined
  /** The device of the machine that it is the link of, by its name in `/sys/bus/<bus>/devices`; since Linux 5.14. */
  readonly device: { readonly bus: string; readonly name: string } | undefined
  readonly alias: string | undefined
  /** Index of the bridge or other master. */
  readonly master: number | undefined
  readonly parent: number | undefined
  /** The kernel's id of the namespace in which `parent` is an index; absent: the link's own. */
  readonly parentNsId: number | undefined
  readonly kind: string | undefined
  readonly data: LinkKindData | undefined
  readonly addrGenMode: AddrGenMode | undefined
}>

/** Decodes the body of RTM_NEWLINK or RTM_DELLINK. Throws LINUX_MALFORMED when shorter than its header. */
export function decodeLink(body: Uint8Array): Link {
  const view = headerView(body, IFINFOMSG, 'ifinfomsg')
  const flags = view.getUint32(8, true)
  const attributes = readAttributes(body, IFINFOMSG)
  const mac = attributes.raw(Ifla.ADDRESS)
  const permanent = attributes.raw(Ifla.PERM_ADDRESS)
  const info = attributes.nested(Ifla.LINKINFO)
  const kind = info?.text(IflaInfo.KIND)
  return present({
    index: view.getInt32(4, true),
    name: attributes.text(Ifla.IFNAME) ?? '',
    flags,
    up: (flags & IFF_UP) !== 0,
    lowerUp: (flags & IFF_LOWER_UP) !== 0,
    hardware: view.getUint16(2, true),
    mtu: attributes.u32(Ifla.MTU) ?? 0,
    txQueueLength: attributes.u32(Ifla.TXQLEN) ?? 0,
    group: attributes.u32(Ifla.GROUP) ?? 0,
    promiscuity: attributes.u32(Ifla.PROMISCUITY) ?? 0,
    operState: attributes.u8(Ifla.OPERSTATE) ?? 0,
    mac: mac === undefined ? undefined : formatMac(mac),
    permanentMac: permanent === undefined ? undefined : formatMac(permanent),
    device: deviceOf(attributes),
    alias: attributes.text(Ifla.IFALIAS),
    master: attributes.u32(Ifla.MASTER),
    parent: attributes.u32(Ifla.LINK),
    parentNsId: attributes.i32(Ifla.LINK_NETNSID),
    kind,
    data: kind === undefined ? undefined : decodeKind(kind, info?.nested(IflaInfo.DATA)),
    addrGenMode: addrGenMode(attributes),
  })
}

/** Bytes of struct ifinfomsg. */
const IFINFOMSG = 16

function deviceOf(attributes: Attributes): Link['device'] {
  const name = attributes.text(Ifla.PARENT_DEV_NAME)
  const bus = attributes.text(Ifla.PARENT_DEV_BUS_NAME)
  return name === undefined || bus === undefined ? undefined : { bus, name }
}

function addrGenMode(attributes: Attributes): AddrGenMode | undefined {
  const mode = attributes.nested(Ifla.AF_SPEC)?.nested(AF_INET6)?.u8(AF_SPEC_ADDR_GEN_MODE)
  return mode === undefined ? undefined : ADDR_GEN_MODES[mode]
}
