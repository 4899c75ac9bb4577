/**
 * What qdiscs, classes and filters have in common: struct tcmsg, and handles as tc(8) writes them.
 * @module
 */
import { badArgument } from '../errno.ts'
import { headerView } from './reader.ts'
import type { MessageWriter } from './writer.ts'

/** TC_H_ numbers of linux/pkt_sched.h: places on a link that are no class. */
export const TC_ROOT = 0xffffffff
/** Where an `ingress` or `clsact` qdisc is. Filters hang below the handle of the one, below these two of the other. */
export const TC_INGRESS = 0xfffffff1
export const TC_INGRESS_HANDLE = 0xffff0000
export const TC_INGRESS_FILTERS = 0xfffffff2
export const TC_EGRESS_FILTERS = 0xfffffff3

/** Attributes of every tc message. */
export const Tca = { KIND: 1, OPTIONS: 2, STATS2: 7 } as const

/** TCA_STATS_QUEUE and TCA_STATS_BASIC, inside TCA_STATS2. */
const TcaStats = { BASIC: 1, QUEUE: 3 } as const

/** Bytes of struct tcmsg. */
export const TCMSG = 20

/** struct tcmsg: which link, which object, and where it hangs. */
export interface TcHeader {
  readonly link: number
  readonly handle: number
  readonly parent: number
  readonly info: number
}

/** A handle out of its two halves of 16 bits: `tcHandle(1, 0xfffe)` is `1:fffe`. Throws LINUX_ARGUMENT. */
export function tcHandle(major: number, minor: number): number {
  for (const half of [major, minor]) {
    if (!Number.isInteger(half) || half < 0 || half > 0xffff) throw badArgument(`${half} is no half of a tc handle`)
  }
  return major * 0x10000 + minor
}

/** A handle as tc(8) writes it: `1:`, `1:fffe`, `root`. */
export function formatTcHandle(handle: number): string {
  if (handle === TC_ROOT) return 'root'
  if (handle === TC_INGRESS) return 'ingress'
  const minor = handle % 0x10000
  return `${((handle - minor) / 0x10000).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

/** Writes struct tcmsg. */
export function writeTcHeader(writer: MessageWriter, { link, handle, parent, info }: TcHeader): MessageWriter {
  if (!Number.isInteger(link) || link <= 0) throw badArgument(`link index ${link}`)
  return writer.half(0).half(0).word(link).word(handle).word(parent).word(info)
}

/** Reads struct tcmsg. Throws LINUX_MALFORMED when the body is shorter. */
export function readTcHeader(body: Uint8Array): TcHeader {
  const view = headerView(body, TCMSG, 'tcmsg')
  return {
    link: view.getInt32(4, true),
    handle: view.getUint32(8, true),
    parent: view.getUint32(12, true),
    info: view.getUint32(16, true),
  }
}

/** What passed a qdisc or class, what it had to drop, and what waits in it (bytes). */
export interface TcCounters {
  readonly bytes: bigint
  readonly packets: number
  readonly drops: number
  readonly overlimits: number
  readonly backlog: number
}

/** The counters in TCA_STATS2; undefined where the kernel gave none. */
export function readTcCounters(
  stats: { raw(type: number): Uint8Array | undefined } | undefined,
): TcCounters | undefined {
  const basic = stats?.raw(TcaStats.BASIC)
  const queue = stats?.raw(TcaStats.QUEUE)
  if (basic === undefined || basic.length < 12 || queue === undefined || queue.length < 20) return undefined
  const counted = new DataView(basic.buffer, basic.byteOffset)
  const queued = new DataView(queue.buffer, queue.byteOffset)
  return {
    bytes: counted.getBigUint64(0, true),
    packets: counted.getUint32(8, true),
    backlog: queued.getUint32(4, true),
    drops: queued.getUint32(8, true),
    overlimits: queued.getUint32(16, true),
  }
}
