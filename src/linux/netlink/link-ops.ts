/**
 * Reading, changing and deleting links. A link is named by its index or its name.
 * @module
 */
import { badArgument, hasErrno, systemError } from '../errno.ts'
import { parseMac } from '../ip.ts'
import { AF_INET6 } from '../sockaddr.ts'
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK } from './constants.ts'
import { decodeLink, type Link } from './link.ts'
import {
  ADDR_GEN_MODES,
  type AddrGenMode,
  AF_SPEC_ADDR_GEN_MODE,
  IFF_UP,
  Ifla,
  RTEXT_FILTER_SKIP_STATS,
} from './link-constants.ts'
import { checkAlias, checkLinkName } from './link-name.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import type { MessageWriter } from './writer.ts'

/** An index (positive) or a name. */
export type LinkRef = number | string

/** What can be changed on a link; what is absent stays. `master: 0` leaves the bridge. MTU in bytes. */
export interface LinkChange {
  readonly up?: boolean
  readonly name?: string
  readonly mtu?: number
  readonly mac?: string
  readonly master?: number
  readonly alias?: string
  readonly group?: number
  readonly txQueueLength?: number
  readonly addrGenMode?: AddrGenMode
}

/** Throws LINUX_ENODEV when there is none. */
export function linkGet(rtnl: RtnlSocket, link: LinkRef): Link {
  const request = { type: RTM_GETLINK, about: String(link), fill: refer(link, (w) => w.u32(Ifla.EXT_MASK, NO_STATS)) }
  const answer = rtnl.request(request).find((each) => each.type === RTM_NEWLINK)
  if (answer === undefined) throw systemError(ENODEV, 'RTM_GETLINK', String(link))
  return decodeLink(answer.body)
}

/** The same, undefined when there is none. */
export function linkFind(rtnl: RtnlSocket, link: LinkRef): Link | undefined {
  try {
    return linkGet(rtnl, link)
  } catch (error) {
    if (hasErrno(error, 'ENODEV')) return undefined
    throw error
  }
}

/** Every link of the namespace, or those with a master (by index) or of a kind: the kernel filters these two. */
export function linkList(
  rtnl: RtnlSocket,
  filter: { readonly master?: number; readonly group?: number } = {},
): readonly Link[] {
  const messages = rtnl.dump({
    type: RTM_GETLINK,
    fill: (w) => header(w, 0).u32(Ifla.EXT_MASK, NO_STATS).u32(Ifla.MASTER, filter.master),
  })
  const links = messages.filter((each) => each.type === RTM_NEWLINK).map((each) => decodeLink(each.body))
  return filter.group === undefined ? links : links.filter((link) => link.group === filter.group)
}

/** Changes a link in one message. */
export function linkSet(rtnl: RtnlSocket, link: LinkRef, change: LinkChange): void {
  if (change.name !== undefined) checkLinkName(change.name)
  if (change.alias !== undefined) checkAlias(change.alias, true)
  const flags = change.up === true ? IFF_UP : 0
  const mask = change.up === undefined ? 0 : IFF_UP
  rtnl.request({
    type: RTM_SETLINK,
    about: String(link),
    fill: refer(link, (w) => writeChange(w, change, typeof link === 'string'), flags, mask),
  })
}

/** Moves a link into another namespace, under a new name if given. Slow (17–20 ms): on a thread. */
export async function linkSetNetns(rtnl: RtnlSocket, link: LinkRef, nsFd: number, name?: string): Promise<void> {
  if (name !== undefined) checkLinkName(name)
  const index = typeof link === 'number' ? link : linkGet(rtnl, link).index
  await rtnl.requestSlow({
    type: RTM_NEWLINK,
    about: String(link),
    fill: refer(index, (w) => w.u32(Ifla.NET_NS_FD, nsFd).text(Ifla.IFNAME, name)),
  })
}

/** Deletes a link (a veth with its peer). Slow (17–20 ms): on a thread. Throws LINUX_ENODEV when there is none. */
export async function linkDel(rtnl: RtnlSocket, link: LinkRef): Promise<void> {
  await rtnl.requestSlow({ type: RTM_DELLINK, about: String(link), fill: refer(link, (w) => w) })
}

/** Deletes every link of a group in one go (0.5–0.8 ms each). Resolves to false when the group was empty. */
export async function linkDelGroup(rtnl: RtnlSocket, group: number): Promise<boolean> {
  // Group 0 holds every link that nobody grouped: the node's own uplinks among them.
  if (!Number.isInteger(group) || group <= 0) throw badArgument(`link group ${group} cannot be deleted`)
  try {
    await rtnl.requestSlow({
      type: RTM_DELLINK,
      about: `group ${group}`,
      fill: (w) => header(w, 0).u32(Ifla.GROUP, group),
    })
    return true
  } catch (error) {
    if (hasErrno(error, 'ENODEV')) return false
    throw error
  }
}

const ENODEV = 19
const NO_STATS = RTEXT_FILTER_SKIP_STATS

function writeChange(writer: MessageWriter, change: LinkChange, byName: boolean): void {
  const { addrGenMode } = change
  if (byName && change.name !== undefined) throw badArgument('rename a link by its index')
  writer
    .text(Ifla.IFNAME, change.name)
    .raw(Ifla.ADDRESS, change.mac === undefined ? undefined : parseMac(change.mac))
    .u32(Ifla.MTU, change.mtu)
    .u32(Ifla.MASTER, change.master)
    .text(Ifla.IFALIAS, change.alias)
    .u32(Ifla.GROUP, change.group)
    .u32(Ifla.TXQLEN, change.txQueueLength)
  if (addrGenMode === undefined) return
  writer.nest(Ifla.AF_SPEC, (spec) =>
    spec.nest(AF_INET6, (inet6) => inet6.u8(AF_SPEC_ADDR_GEN_MODE, ADDR_GEN_MODES.indexOf(addrGenMode))),
  )
}

/** The header that names a link, then the rest. */
function refer(link: LinkRef, rest: (writer: MessageWriter) => unknown, flags = 0, mask = 0) {
  // Index 0 in a delete would mean "see the other attributes".
  if (typeof link === 'number' && !(link > 0)) throw badArgument(`link index ${link}`)
  if (typeof link === 'string') checkLinkName(link)
  return (writer: MessageWriter): void => {
    header(writer, typeof link === 'number' ? link : 0, flags, mask)
    if (typeof link === 'string') writer.text(Ifla.IFNAME, link)
    rest(writer)
  }
}

/** struct ifinfomsg. */
function header(writer: MessageWriter, index: number, flags = 0, mask = 0): MessageWriter {
  return writer.half(0).half(0).word(index).word(flags).word(mask)
}
