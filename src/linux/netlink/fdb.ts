/**
 * Forwarding entries of a VXLAN device, named as in bridge(8)'s `fdb … self`: to which machine frames for a MAC address
 * go.
 * @module
 */
import { formatIp, formatMac, parseIp, parseMac } from '../ip.ts'
import { NLM_F_CREATE, NLM_F_REPLACE, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './constants.ts'
import { headerView, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import type { MessageWriter } from './writer.ts'

/** An entry that stays until it is removed. */
export interface FdbEntry {
  /** Index of the VXLAN device. */
  readonly link: number
  readonly mac: string
  /** The machine's address. */
  readonly to: string
}

/** Adds, or leads a MAC address to another machine: it never has two. */
export function fdbReplace(rtnl: RtnlSocket, entry: FdbEntry): void {
  change(rtnl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, entry)
}

/** Throws LINUX_ENOENT when there is none. */
export function fdbDel(rtnl: RtnlSocket, entry: FdbEntry): void {
  change(rtnl, RTM_DELNEIGH, 0, entry)
}

/** The device's entries that lead to a machine. */
export function fdbList(rtnl: RtnlSocket, link: number): readonly FdbEntry[] {
  const messages = rtnl.dump({
    type: RTM_GETNEIGH,
    // The kernel takes struct ifinfomsg for this family as well, but struct ndmsg in strict checking.
    fill: (writer) => header(writer, 0, 0, 0).u32(Nda.IFINDEX, link),
  })
  return messages.flatMap(({ type, body }): FdbEntry[] => {
    const view = headerView(body, HEADER, 'ndmsg')
    if (type !== RTM_NEWNEIGH || view.getUint8(0) !== AF_BRIDGE || view.getInt32(4, true) !== link) return []
    const attributes = readAttributes(body, HEADER)
    const [mac, to] = [attributes.raw(Nda.LLADDR), attributes.raw(Nda.DST)]
    return mac === undefined || to === undefined ? [] : [{ link, mac: formatMac(mac), to: formatIp(to) }]
  })
}

const Nda = { DST: 1, LLADDR: 2, IFINDEX: 8 } as const
const AF_BRIDGE = 7
const NTF_SELF = 0x02
const NUD_NOARP = 0x40
const NUD_PERMANENT = 0x80
const HEADER = 12

function change(rtnl: RtnlSocket, type: number, flags: number, { link, mac, to }: FdbEntry): void {
  rtnl.request({
    type,
    flags,
    about: `${mac} on link ${link}`,
    fill: (writer) => {
      header(writer, link, NUD_NOARP | NUD_PERMANENT, NTF_SELF)
        .raw(Nda.DST, parseIp(to))
        .raw(Nda.LLADDR, parseMac(mac))
    },
  })
}

/** struct ndmsg. */
function header(writer: MessageWriter, link: number, state: number, flags: number): MessageWriter {
  return writer.byte(AF_BRIDGE).byte(0).half(0).word(link).half(state).byte(flags).byte(0)
}
