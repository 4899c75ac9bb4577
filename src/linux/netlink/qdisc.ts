/**
 * Queueing disciplines of links (RTM_*QDISC), named as in tc(8).
 * @module
 */
import { badArgument, hasErrno } from '../errno.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC } from './constants.ts'
import { decodeQdisc, encodeQdisc, type QdiscData } from './qdisc-kinds.ts'
import { type Defined, present, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import {
  formatTcHandle,
  readTcCounters,
  readTcHeader,
  TC_INGRESS,
  TC_INGRESS_HANDLE,
  TC_ROOT,
  TCMSG,
  Tca,
  type TcCounters,
  writeTcHeader,
} from './tc-message.ts'

/** Where a qdisc hangs: link index, and parent (`TC_ROOT`, or a class). `handle` 0 lets the kernel choose. */
export interface QdiscPlace {
  readonly link: number
  /** Default: the root. `ingress` and `clsact` have a place of their own. */
  readonly parent?: number
  readonly handle?: number
}

/** A qdisc to be made. */
export type QdiscSpec = QdiscPlace & QdiscData

/** A qdisc as the kernel tells it. */
export type Qdisc = Defined<{
  readonly link: number
  readonly parent: number
  readonly handle: number
  readonly kind: string
  /** Undefined for kinds that are only named here. */
  readonly data: QdiscData | undefined
  readonly counters: TcCounters | undefined
}>

/** Throws LINUX_EEXIST when the place is taken. */
export function qdiscAdd(rtnl: RtnlSocket, spec: QdiscSpec): void {
  change(rtnl, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Changes the qdisc of that kind in its place, without losing what waits in it, or makes it. Another kind is replaced. */
export function qdiscReplace(rtnl: RtnlSocket, spec: QdiscSpec): void {
  change(rtnl, NLM_F_CREATE | NLM_F_REPLACE, spec)
}

/** Removes what hangs there, with all below it. False when there was nothing. */
export function qdiscDel(rtnl: RtnlSocket, place: Required<Pick<QdiscPlace, 'link' | 'parent'>>): boolean {
  const { link, parent } = place
  const handle = parent === TC_INGRESS ? TC_INGRESS_HANDLE : 0
  try {
    rtnl.request({
      type: RTM_DELQDISC,
      about: aboutPlace(place),
      fill: (writer) => writeTcHeader(writer, { link, handle, parent, info: 0 }),
    })
    return true
  } catch (error) {
    // What the kernel put there itself cannot be named: it answers so.
    if (hasErrno(error, 'ENOENT', 'EINVAL')) return false
    throw error
  }
}

/** Qdiscs that somebody made, of one link or all. */
export function qdiscList(rtnl: RtnlSocket, filter: { readonly link?: number } = {}): readonly Qdisc[] {
  const messages = rtnl.dump({
    type: RTM_GETQDISC,
    fill: (writer) =>
      writer
        .half(0)
        .half(0)
        .word(filter.link ?? 0)
        .word(0)
        .word(0)
        .word(0),
  })
  const all = messages.filter(({ type }) => type === RTM_NEWQDISC).map(({ body }) => decodeQdiscMessage(body))
  // What the kernel puts on every link by itself has no handle.
  return all.filter(({ link, handle }) => handle !== 0 && (filter.link === undefined || link === filter.link))
}

/** Decodes the body of RTM_NEWQDISC or RTM_DELQDISC. Throws LINUX_MALFORMED when shorter than its header. */
export function decodeQdiscMessage(body: Uint8Array): Qdisc {
  const { link, parent, handle } = readTcHeader(body)
  const attributes = readAttributes(body, TCMSG)
  const kind = attributes.text(Tca.KIND) ?? ''
  return present({
    link,
    parent,
    handle,
    kind,
    data: decodeQdisc(kind, attributes.raw(Tca.OPTIONS)),
    counters: readTcCounters(attributes.nested(Tca.STATS2)),
  })
}

function change(rtnl: RtnlSocket, flags: number, spec: QdiscSpec): void {
  const isIngress = spec.kind === 'ingress' || spec.kind === 'clsact'
  if (isIngress && spec.parent !== undefined && spec.parent !== TC_INGRESS)
    throw badArgument(`${spec.kind} has one place only`)
  const parent = isIngress ? TC_INGRESS : (spec.parent ?? TC_ROOT)
  const handle = isIngress ? TC_INGRESS_HANDLE : (spec.handle ?? 0)
  rtnl.request({
    type: RTM_NEWQDISC,
    flags,
    about: aboutPlace({ link: spec.link, parent }),
    fill: (writer) => {
      writeTcHeader(writer, { link: spec.link, handle, parent, info: 0 }).text(Tca.KIND, spec.kind)
      encodeQdisc(writer, Tca.OPTIONS, spec)
    },
  })
}

function aboutPlace({ link, parent }: { readonly link: number; readonly parent: number }): string {
  return `of link ${link}, ${formatTcHandle(parent)}`
}
