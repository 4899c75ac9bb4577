/**
 * Classes of `htb` qdiscs (RTM_*TCLASS), named as in tc-htb(8).
 * @module
 */
import { hasErrno } from '../errno.ts'
import { NLM_F_CREATE, NLM_F_EXCL, RTM_DELTCLASS, RTM_GETTCLASS, RTM_NEWTCLASS } from './constants.ts'
import { TcaHtb } from './qdisc-kinds.ts'
import { type Attributes, type Defined, present, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import {
  formatTcHandle,
  readTcCounters,
  readTcHeader,
  TCMSG,
  Tca,
  type TcCounters,
  writeTcHeader,
} from './tc-message.ts'
import { burstBytes, burstTicks, RATESPEC, rate64, readRate, writeRate } from './tc-rate.ts'
import type { MessageWriter } from './writer.ts'

/** What a class gives: rates in bit/s, bursts and quantum in bytes. */
export interface HtbClassData {
  /** What it is guaranteed. */
  readonly rate: number
  /** What it may have of others' leftovers. */
  readonly ceil: number
  /** What it may send at once after a silence: of its own rate, and up to the ceiling. */
  readonly burst: number
  readonly cburst: number
  /** How much it sends before its neighbour's turn. */
  readonly quantum: number
  /** Leftovers go to lower numbers first. Default 0. */
  readonly priority?: number
}

/** A class to be made: its own handle, and its parent's (a class's, or the qdisc's). */
export interface ClassSpec extends HtbClassData {
  readonly link: number
  readonly parent: number
  readonly handle: number
}

/** A class as the kernel tells it. */
export type TrafficClass = Defined<{
  readonly link: number
  /** `TC_ROOT` for one directly below the qdisc. */
  readonly parent: number
  readonly handle: number
  readonly kind: string
  readonly data: Required<HtbClassData> | undefined
  readonly counters: TcCounters | undefined
}>

/** Throws LINUX_EEXIST when the handle is taken. */
export function classAdd(rtnl: RtnlSocket, spec: ClassSpec): void {
  change(rtnl, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Changes a class in place, without losing what waits in it, or makes it. */
export function classReplace(rtnl: RtnlSocket, spec: ClassSpec): void {
  change(rtnl, NLM_F_CREATE, spec)
}

/** Removes a class that nothing hangs below. False when there was none. */
export function classDel(rtnl: RtnlSocket, { link, handle }: Pick<ClassSpec, 'link' | 'handle'>): boolean {
  try {
    rtnl.request({
      type: RTM_DELTCLASS,
      about: aboutClass(link, handle),
      fill: (writer) => writeTcHeader(writer, { link, handle, parent: 0, info: 0 }),
    })
    return true
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** Classes of a link. */
export function classList(rtnl: RtnlSocket, link: number): readonly TrafficClass[] {
  return rtnl
    .dump({ type: RTM_GETTCLASS, fill: (writer) => writeTcHeader(writer, { link, handle: 0, parent: 0, info: 0 }) })
    .filter(({ type }) => type === RTM_NEWTCLASS)
    .map(({ body }) => decodeClass(body))
}

/** Decodes the body of RTM_NEWTCLASS or RTM_DELTCLASS. Throws LINUX_MALFORMED when shorter than its header. */
export function decodeClass(body: Uint8Array): TrafficClass {
  const { link, parent, handle } = readTcHeader(body)
  const attributes = readAttributes(body, TCMSG)
  const kind = attributes.text(Tca.KIND) ?? ''
  const options = attributes.nested(Tca.OPTIONS)
  return present({
    link,
    parent,
    handle,
    kind,
    data: kind === 'htb' && options !== undefined ? decodeHtbClass(options) : undefined,
    counters: readTcCounters(attributes.nested(Tca.STATS2)),
  })
}

/** Bytes of struct tc_htb_opt. */
const HTB_OPT = 2 * RATESPEC + 20

function change(rtnl: RtnlSocket, flags: number, spec: ClassSpec): void {
  const { link, parent, handle } = spec
  rtnl.request({
    type: RTM_NEWTCLASS,
    flags,
    about: aboutClass(link, handle),
    fill: (writer) =>
      writeTcHeader(writer, { link, handle, parent, info: 0 })
        .text(Tca.KIND, 'htb')
        .nest(Tca.OPTIONS, (options) => encodeHtbClass(options, spec)),
  })
}

/** struct tc_htb_opt: rate, ceil, buffer, cbuffer, quantum, level, prio. */
function encodeHtbClass(writer: MessageWriter, data: HtbClassData): void {
  const { rate, ceil, burst, cburst, quantum, priority = 0 } = data
  writer
    .struct(TcaHtb.PARMS, (opt) => {
      writeRate(opt, rate)
      writeRate(opt, ceil)
      opt.word(burstTicks(rate, burst)).word(burstTicks(ceil, cburst)).word(quantum).word(0).word(priority)
    })
    .u64(TcaHtb.RATE64, rate64(rate))
    .u64(TcaHtb.CEIL64, rate64(ceil))
}

function decodeHtbClass(attributes: Attributes): Required<HtbClassData> | undefined {
  const opt = attributes.raw(TcaHtb.PARMS)
  if (opt === undefined || opt.length < HTB_OPT) return undefined
  const view = new DataView(opt.buffer, opt.byteOffset, opt.byteLength)
  const rate = readRate(view, 0, attributes.u64(TcaHtb.RATE64))
  const ceil = readRate(view, RATESPEC, attributes.u64(TcaHtb.CEIL64))
  const at = 2 * RATESPEC
  if (rate === 0 || ceil === 0) return undefined
  return {
    rate,
    ceil,
    burst: burstBytes(rate, view.getUint32(at, true)),
    cburst: burstBytes(ceil, view.getUint32(at + 4, true)),
    quantum: view.getUint32(at + 8, true),
    priority: view.getUint32(at + 16, true),
  }
}

function aboutClass(link: number, handle: number): string {
  return `${formatTcHandle(handle)} of link ${link}`
}
