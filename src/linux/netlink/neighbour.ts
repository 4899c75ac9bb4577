/**
 * Neighbours (RTM_*NEIGH), named as in ip-neighbour(8): who has which link-layer address.
 * @module
 */
import { type Family, familyOf, formatIp, formatMac, parseIp, parseMac } from '../ip.ts'
import { AF_INET, AF_INET6 } from '../sockaddr.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './constants.ts'
import { type Defined, headerView, present, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import type { MessageWriter } from './writer.ts'

/** NUD_ states; a permanent entry is never checked nor collected. */
const states = {
  none: 0,
  incomplete: 0x1,
  reachable: 0x2,
  stale: 0x4,
  delay: 0x8,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const
export type NeighbourState = keyof typeof states

/** A neighbour on a link (by index). A proxy entry answers for the address and has no MAC. */
export interface NeighbourSpec {
  readonly link: number
  readonly address: string
  readonly mac?: string
  /** Default: permanent. */
  readonly state?: NeighbourState
  readonly proxy?: boolean
  readonly router?: boolean
  /** Have the kernel find out now whether it is there; give state `none` and no MAC. */
  readonly use?: boolean
}

/** A neighbour as the kernel tells it. */
export type Neighbour = Defined<{
  readonly link: number
  readonly family: Family
  readonly address: string
  readonly mac: string | undefined
  readonly state: NeighbourState
  readonly proxy: boolean
  readonly router: boolean
}>

/** Throws LINUX_EEXIST when the address is known on the link. */
export function neighAdd(rtnl: RtnlSocket, spec: NeighbourSpec): void {
  change(rtnl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Adds, or takes the place of what was learned. */
export function neighReplace(rtnl: RtnlSocket, spec: NeighbourSpec): void {
  change(rtnl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, spec)
}

/** Throws LINUX_ENOENT when there is none. */
export function neighDel(rtnl: RtnlSocket, spec: Pick<NeighbourSpec, 'link' | 'address' | 'proxy'>): void {
  change(rtnl, RTM_DELNEIGH, 0, spec)
}

/** Neighbours, or with `proxy` the proxy entries, which the kernel lists apart. */
export function neighList(
  rtnl: RtnlSocket,
  filter: { readonly link?: number; readonly family?: Family; readonly proxy?: boolean } = {},
): readonly Neighbour[] {
  const family = filter.family === undefined ? 0 : familyNumber(filter.family)
  const flags = filter.proxy === true ? NTF_PROXY : 0
  const messages = rtnl.dump({
    type: RTM_GETNEIGH,
    fill: (writer) => header(writer, family, 0, 0, flags).u32(Nda.IFINDEX, filter.link),
  })
  const found = messages.filter((each) => each.type === RTM_NEWNEIGH).map((each) => decodeNeighbour(each.body))
  return filter.link === undefined ? found : found.filter((each) => each.link === filter.link)
}

/** Decodes the body of RTM_NEWNEIGH or RTM_DELNEIGH. */
export function decodeNeighbour(body: Uint8Array): Neighbour {
  const view = headerView(body, 12, 'ndmsg')
  const attributes = readAttributes(body, 12)
  const mac = attributes.raw(Nda.LLADDR)
  const flags = view.getUint8(10)
  return present({
    link: view.getInt32(4, true),
    family: view.getUint8(0) === AF_INET6 ? (6 as const) : (4 as const),
    address: formatIp(attributes.raw(Nda.DST) ?? new Uint8Array(0)),
    mac: mac === undefined ? undefined : formatMac(mac),
    state: stateOf(view.getUint16(8, true)),
    proxy: (flags & NTF_PROXY) !== 0,
    router: (flags & NTF_ROUTER) !== 0,
  })
}

const Nda = { DST: 1, LLADDR: 2, IFINDEX: 8 } as const
const NTF_USE = 0x01
const NTF_PROXY = 0x08
const NTF_ROUTER = 0x80

function change(rtnl: RtnlSocket, type: number, flags: number, spec: NeighbourSpec): void {
  rtnl.request({ type, flags, about: `${spec.address} on link ${spec.link}`, fill: (writer) => write(writer, spec) })
}

function write(writer: MessageWriter, spec: NeighbourSpec): void {
  const address = parseIp(spec.address)
  const flags = flagsOf(spec)
  header(writer, familyNumber(familyOf(address)), spec.link, states[spec.state ?? 'permanent'], flags)
    .raw(Nda.DST, address)
    .raw(Nda.LLADDR, spec.mac === undefined ? undefined : parseMac(spec.mac))
}

function flagsOf({ proxy, router, use }: NeighbourSpec): number {
  return (use === true ? NTF_USE : 0) | (proxy === true ? NTF_PROXY : 0) | (router === true ? NTF_ROUTER : 0)
}

/** struct ndmsg. */
function header(writer: MessageWriter, family: number, link: number, state: number, flags: number): MessageWriter {
  return writer.byte(family).byte(0).half(0).word(link).half(state).byte(flags).byte(0)
}

function stateOf(number: number): NeighbourState {
  for (const [state, value] of Object.entries(states)) if (value === number) return state as NeighbourState
  return 'none'
}

function familyNumber(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6
}
