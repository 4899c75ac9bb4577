/**
 * Addresses of links (RTM_*ADDR), named as in ip-address(8).
 * @module
 */
import { type Family, familyOf, formatIp, parseIp, parsePrefix } from '../ip.ts'
import { AF_INET, AF_INET6 } from '../sockaddr.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from './constants.ts'
import { type Defined, headerView, present, readAttributes, viewOf } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import { type Scope, scopeNumber, scopeOf } from './scope.ts'
import type { MessageWriter } from './writer.ts'

/** An address to add. `address` is `ip/length`; lifetimes are in seconds. */
export interface AddressSpec {
  /** Index of the link. */
  readonly link: number
  readonly address: string
  /** The other end of a point-to-point link, `ip/length`. */
  readonly peer?: string
  readonly broadcast?: string
  /** IPv4: a name for the address, the link's or one that begins with it and a colon. */
  readonly label?: string
  readonly scope?: Scope
  /** Of the route to the prefix. */
  readonly metric?: number
  /** Skip duplicate address detection: the address can be used at once (IPv6). */
  readonly nodad?: boolean
  /** Add no route to the address's prefix. */
  readonly noprefixroute?: boolean
  readonly validLifetime?: number
  readonly preferredLifetime?: number
}

/** An address as the kernel tells it. */
export type Address = Defined<{
  readonly link: number
  readonly family: Family
  readonly address: string
  readonly peer: string | undefined
  readonly broadcast: string | undefined
  readonly label: string | undefined
  readonly scope: Scope
  readonly metric: number | undefined
  /** IFA_F_ flags. */
  readonly flags: number
  readonly permanent: boolean
  /** Detection of duplicates runs: the address cannot be used yet. */
  readonly tentative: boolean
  readonly dadFailed: boolean
  readonly nodad: boolean
  readonly noprefixroute: boolean
  /** Seconds left; absent: for ever. */
  readonly validLifetime: number | undefined
  readonly preferredLifetime: number | undefined
}>

/** Throws LINUX_EEXIST when the link has it. */
export function addrAdd(rtnl: RtnlSocket, spec: AddressSpec): void {
  change(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Adds, or changes flags and lifetimes of the one that is there. */
export function addrReplace(rtnl: RtnlSocket, spec: AddressSpec): void {
  change(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, spec)
}

/** Throws LINUX_EADDRNOTAVAIL when the link has it not. */
export function addrDel(rtnl: RtnlSocket, spec: Pick<AddressSpec, 'link' | 'address' | 'peer'>): void {
  change(rtnl, RTM_DELADDR, 0, spec)
}

/** Addresses of the namespace, filtered by the kernel. */
export function addrList(
  rtnl: RtnlSocket,
  filter: { readonly link?: number; readonly family?: Family } = {},
): readonly Address[] {
  const messages = rtnl.dump({
    type: RTM_GETADDR,
    fill: (w) =>
      w
        .byte(familyNumber(filter.family))
        .byte(0)
        .byte(0)
        .byte(0)
        .word(filter.link ?? 0),
  })
  return messages.filter((each) => each.type === RTM_NEWADDR).map((each) => decodeAddress(each.body))
}

/** Removes a link's addresses, of one family or both; how many. */
export function addrFlush(rtnl: RtnlSocket, link: number, family?: Family): number {
  const found = addrList(rtnl, family === undefined ? { link } : { link, family })
  for (const { address, peer } of found) addrDel(rtnl, { link, address, ...(peer === undefined ? {} : { peer }) })
  return found.length
}

/** Decodes the body of RTM_NEWADDR or RTM_DELADDR. */
export function decodeAddress(body: Uint8Array): Address {
  const view = headerView(body, 8, 'ifaddrmsg')
  const attributes = readAttributes(body, 8)
  const length = view.getUint8(1)
  const remote = attributes.raw(Ifa.ADDRESS) ?? new Uint8Array(0)
  const local = attributes.raw(Ifa.LOCAL) ?? remote
  const broadcast = attributes.raw(Ifa.BROADCAST)
  const flags = attributes.u32(Ifa.FLAGS) ?? view.getUint8(2)
  const pointToPoint = formatIp(local) !== formatIp(remote)
  const times = attributes.raw(Ifa.CACHEINFO)
  return present({
    link: view.getUint32(4, true),
    family: view.getUint8(0) === AF_INET6 ? (6 as const) : (4 as const),
    // With a peer, the length is the peer's: our own end is one address.
    address: `${formatIp(local)}/${pointToPoint ? local.length * 8 : length}`,
    peer: pointToPoint ? `${formatIp(remote)}/${length}` : undefined,
    broadcast: broadcast === undefined ? undefined : formatIp(broadcast),
    label: attributes.text(Ifa.LABEL),
    scope: scopeOf(view.getUint8(3)),
    metric: attributes.u32(Ifa.RT_PRIORITY),
    flags,
    permanent: (flags & IfaFlag.PERMANENT) !== 0,
    tentative: (flags & IfaFlag.TENTATIVE) !== 0,
    dadFailed: (flags & IfaFlag.DADFAILED) !== 0,
    nodad: (flags & IfaFlag.NODAD) !== 0,
    noprefixroute: (flags & IfaFlag.NOPREFIXROUTE) !== 0,
    validLifetime: secondsAt(times, 4),
    preferredLifetime: secondsAt(times, 0),
  })
}

/** A lifetime in struct ifa_cacheinfo. */
function secondsAt(times: Uint8Array | undefined, at: number): number | undefined {
  if (times === undefined || times.length < at + 4) return undefined
  const seconds = viewOf(times).getUint32(at, true)
  return seconds === FOREVER ? undefined : seconds
}

const Ifa = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, CACHEINFO: 6, FLAGS: 8, RT_PRIORITY: 9 } as const
const IfaFlag = { NODAD: 0x2, DADFAILED: 0x8, TENTATIVE: 0x40, PERMANENT: 0x80, NOPREFIXROUTE: 0x200 } as const

function change(rtnl: RtnlSocket, type: number, flags: number, spec: AddressSpec): void {
  rtnl.request({ type, flags, about: `${spec.address} on link ${spec.link}`, fill: (writer) => write(writer, spec) })
}

function write(writer: MessageWriter, spec: AddressSpec): void {
  const own = parsePrefix(spec.address)
  const remote = spec.peer === undefined ? own : parsePrefix(spec.peer)
  const flags = (spec.nodad === true ? IfaFlag.NODAD : 0) | (spec.noprefixroute === true ? IfaFlag.NOPREFIXROUTE : 0)
  writer
    .byte(familyNumber(familyOf(own.bytes)))
    .byte(remote.length)
    .byte(0)
    .byte(scopeNumber(spec.scope ?? 'global'))
    .word(spec.link)
    .raw(Ifa.LOCAL, own.bytes)
    .raw(Ifa.ADDRESS, remote.bytes)
    .raw(Ifa.BROADCAST, spec.broadcast === undefined ? undefined : parseIp(spec.broadcast))
    .text(Ifa.LABEL, spec.label)
    .u32(Ifa.FLAGS, flags)
    .u32(Ifa.RT_PRIORITY, spec.metric)
    .raw(Ifa.CACHEINFO, lifetimes(spec))
}

/** struct ifa_cacheinfo; all ones is for ever. */
function lifetimes(spec: AddressSpec): Uint8Array | undefined {
  if (spec.validLifetime === undefined && spec.preferredLifetime === undefined) return undefined
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, spec.preferredLifetime ?? spec.validLifetime ?? FOREVER, true)
  view.setUint32(4, spec.validLifetime ?? FOREVER, true)
  return bytes
}

const FOREVER = 0xffffffff

function familyNumber(family: Family | undefined): number {
  if (family === undefined) return 0
  return family === 4 ? AF_INET : AF_INET6
}
