/**
 * Creating links. A veth is born with both ends in place: names, MAC addresses, MTUs, groups and namespaces are given in
 * one message, because moving an end later costs a grace period of the kernel (17–20 ms).
 * @module
 */
import { hasErrno } from '../errno.ts'
import { parseMac } from '../ip.ts'
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, RTM_NEWLINK } from './constants.ts'
import { decodeLink, type Link } from './link.ts'
import { IFF_UP, Ifla, IflaInfo, VETH_INFO_PEER } from './link-constants.ts'
import { type BridgeData, encodeBridge, encodeVxlan, type VxlanData } from './link-kinds.ts'
import { encodeStacked, type StackedSpec } from './link-kinds-stacked.ts'
import { checkAlias, checkLinkName } from './link-name.ts'
import { linkDel, linkGet, linkSet } from './link-ops.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import type { MessageWriter } from './writer.ts'

/** What every link can be born with. MTU and queue length in bytes and packets. */
export interface LinkBirth extends PeerBirth {
  readonly up?: boolean
}

/** What the peer of a veth can be born with: the kernel refuses to set it up before both ends exist. */
export interface PeerBirth {
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
  /** Link group, for deleting many at once; 0 is the kernel's default. */
  readonly group?: number
  readonly txQueueLength?: number
  /** The namespace to be born in, by descriptor; default: that of the socket. */
  readonly nsFd?: number
}

/** A link to create. `alias` (up to 255 bytes) is set by a second message: the kernel takes none at birth. */
export type LinkSpec = LinkBirth & {
  /** Index of the bridge to join. */
  readonly master?: number
  readonly alias?: string
} & (
    | { readonly kind: 'veth'; readonly peer: PeerBirth }
    | ({ readonly kind: 'bridge' } & BridgeData)
    | StackedSpec
    | ({ readonly kind: 'vxlan' } & VxlanData)
    /** Intermediate functional block: what is redirected to it passes its queueing discipline. */
    | { readonly kind: 'ifb' }
  )

/**
 * Creates a link and returns it (from its own namespace only when `nsFd` is not given: then `undefined`).
 * Throws LINUX_EEXIST when the name (or, for a veth, the peer's name in its namespace) is taken.
 */
export function linkAdd(rtnl: RtnlSocket, spec: LinkSpec & { readonly nsFd?: never }): Link
export function linkAdd(rtnl: RtnlSocket, spec: LinkSpec): Link | undefined
export function linkAdd(rtnl: RtnlSocket, spec: LinkSpec): Link | undefined {
  checkSpec(spec)
  const answers = rtnl.request({
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL | (spec.nsFd === undefined ? NLM_F_ECHO : 0),
    about: spec.name,
    fill: (writer) => writeSpec(writer, spec),
  })
  if (spec.nsFd !== undefined) return undefined
  const echo = answers.find((each) => each.type === RTM_NEWLINK)
  // Kernels before 6.2 do not echo.
  const link = echo === undefined ? linkGet(rtnl, spec.name) : decodeLink(echo.body)
  return spec.alias === undefined ? link : withAlias(rtnl, link, spec.alias)
}

function checkSpec(spec: LinkSpec): void {
  checkLinkName(spec.name)
  if (spec.kind === 'veth') checkLinkName(spec.peer.name)
  if (spec.alias !== undefined) checkAlias(spec.alias, spec.nsFd === undefined)
}

function withAlias(rtnl: RtnlSocket, link: Link, alias: string): Link {
  try {
    linkSet(rtnl, link.index, { alias })
  } catch (error) {
    // A link without its mark is nobody's: take it back, unless it went by itself.
    if (!hasErrno(error, 'ENODEV')) linkDel(rtnl, link.index).catch(() => undefined)
    throw error
  }
  return { ...link, alias }
}

function writeSpec(writer: MessageWriter, spec: LinkSpec): void {
  writeBirth(writer, spec)
  writer.u32(Ifla.MASTER, spec.master)
  if ('parent' in spec && spec.kind !== 'vxlan') writer.u32(Ifla.LINK, spec.parent)
  writer.nest(Ifla.LINKINFO, (info) => {
    info.text(IflaInfo.KIND, spec.kind)
    if (spec.kind !== 'ifb') info.nest(IflaInfo.DATA, (data) => writeData(data, spec))
  })
}

function writeBirth(writer: MessageWriter, birth: LinkBirth): void {
  const flags = birth.up === true ? IFF_UP : 0
  writer
    .half(0)
    .half(0)
    .word(0)
    .word(flags)
    .word(flags)
    .text(Ifla.IFNAME, birth.name)
    .raw(Ifla.ADDRESS, birth.mac === undefined ? undefined : parseMac(birth.mac))
    .u32(Ifla.MTU, birth.mtu)
    .u32(Ifla.GROUP, birth.group)
    .u32(Ifla.TXQLEN, birth.txQueueLength)
    .u32(Ifla.NET_NS_FD, birth.nsFd)
}

function writeData(writer: MessageWriter, spec: Exclude<LinkSpec, { readonly kind: 'ifb' }>): void {
  switch (spec.kind) {
    case 'veth':
      writer.nest(VETH_INFO_PEER, (peer) => writeBirth(peer, spec.peer))
      return
    case 'bridge':
      encodeBridge(spec, writer)
      return
    case 'vxlan':
      encodeVxlan(spec, writer)
      return
    case 'macvlan':
    case 'ipvlan':
    case 'vlan':
      encodeStacked(spec, writer)
      return
  }
}
