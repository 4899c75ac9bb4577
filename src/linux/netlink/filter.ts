/**
 * Filters that send what a link receives through another one (RTM_*TFILTER): `u32` or `matchall`, with `mirred` and,
 * where asked for, `skbedit` as its actions. Named as in tc(8).
 * @module
 */
import { hasErrno } from '../errno.ts'
import { NLM_F_CREATE, NLM_F_EXCL, RTM_DELTFILTER, RTM_GETTFILTER, RTM_NEWTFILTER } from './constants.ts'
import { type Attributes, readAttributeList, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import { formatTcHandle, readTcHeader, TCMSG, Tca, writeTcHeader } from './tc-message.ts'
import type { MessageWriter } from './writer.ts'

/** A filter that every packet matches, and what becomes of the packet. */
export interface FilterSpec {
  readonly link: number
  /** Where it hangs: `TC_INGRESS_HANDLE` below `ingress`, `TC_INGRESS_FILTERS` or `TC_EGRESS_FILTERS` below `clsact`. */
  readonly parent: number
  /** Order among the filters there, 1 first; at most 65535. */
  readonly priority: number
  /** `u32` is in every kernel; `matchall` says the same more plainly. */
  readonly kind: 'u32' | 'matchall'
  readonly actions: FilterActions
}

/** What becomes of a packet. */
export interface FilterActions {
  /** Index of the link through which it leaves instead. */
  readonly redirect?: number
  /** The priority that it has from here on: a class's handle. */
  readonly setPriority?: number
}

/** A filter as the kernel tells it; `actions` undefined where they are others than ours can be. */
export interface Filter {
  readonly link: number
  readonly parent: number
  readonly priority: number
  readonly kind: string
  readonly actions: FilterActions | undefined
}

/** Throws LINUX_EEXIST when there is one of that priority. */
export function filterAdd(rtnl: RtnlSocket, spec: FilterSpec): void {
  const { link, parent, priority, kind, actions } = spec
  rtnl.request({
    type: RTM_NEWTFILTER,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    about: aboutFilter(spec),
    fill: (writer) =>
      writeTcHeader(writer, { link, handle: 0, parent, info: infoOf(priority) })
        .text(Tca.KIND, kind)
        .nest(Tca.OPTIONS, (options) =>
          kind === 'u32' ? writeU32(options, actions) : writeMatchall(options, actions),
        ),
  })
}

/** Removes the filters of one priority. False when there were none. */
export function filterDel(rtnl: RtnlSocket, place: Pick<FilterSpec, 'link' | 'parent' | 'priority'>): boolean {
  const { link, parent, priority } = place
  try {
    rtnl.request({
      type: RTM_DELTFILTER,
      about: aboutFilter(place),
      fill: (writer) => writeTcHeader(writer, { link, handle: 0, parent, info: infoOf(priority) }),
    })
    return true
  } catch (error) {
    // Without a qdisc to hang below there is no filter either.
    if (hasErrno(error, 'ENOENT', 'EINVAL')) return false
    throw error
  }
}

/** Filters below one place of a link. */
export function filterList(rtnl: RtnlSocket, { link, parent }: Pick<FilterSpec, 'link' | 'parent'>): readonly Filter[] {
  try {
    return rtnl
      .dump({ type: RTM_GETTFILTER, fill: (writer) => writeTcHeader(writer, { link, handle: 0, parent, info: 0 }) })
      .filter(({ type }) => type === RTM_NEWTFILTER)
      .flatMap(({ body }) => decodeFilter(body) ?? [])
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EINVAL')) return []
    throw error
  }
}

/** Decodes the body of RTM_NEWTFILTER; undefined for what is no filter by itself (u32's hash tables). */
export function decodeFilter(body: Uint8Array): Filter | undefined {
  const { link, parent, info } = readTcHeader(body)
  const attributes = readAttributes(body, TCMSG)
  const kind = attributes.text(Tca.KIND) ?? ''
  const options = attributes.nested(Tca.OPTIONS)
  const act = kind === 'u32' ? TcaU32.ACT : kind === 'matchall' ? TcaMatchall.ACT : undefined
  if (kind === 'u32' && options?.has(TcaU32.SEL) !== true) return undefined
  const actions = act === undefined ? undefined : decodeActions(options?.raw(act))
  return { link, parent, priority: info >>> 16, kind, actions }
}

const ETH_P_ALL = 3
const TcaU32 = { SEL: 5, ACT: 7 } as const
const TcaMatchall = { ACT: 2 } as const
const TcaAct = { KIND: 1, OPTIONS: 2 } as const
const TcaMirred = { PARMS: 2 } as const
const TcaSkbedit = { PARMS: 2, PRIORITY: 3 } as const
const TC_ACT_PIPE = 3
const TC_ACT_STOLEN = 4
const TCA_EGRESS_REDIR = 1
const U32_TERMINAL = 1

/** Priority in the upper half, protocol in network order in the lower. */
function infoOf(priority: number): number {
  return priority * 0x10000 + (ETH_P_ALL << 8)
}

/** struct tc_u32_sel with one key that matches everything. */
function writeU32(writer: MessageWriter, actions: FilterActions): void {
  writer
    .struct(TcaU32.SEL, (sel) => {
      sel.byte(U32_TERMINAL).byte(0).byte(1).byte(0).half(0).half(0).half(0).half(0).word(0)
      return sel.word(0).word(0).word(0).word(0)
    })
    .nest(TcaU32.ACT, (list) => writeActions(list, actions))
}

function writeMatchall(writer: MessageWriter, actions: FilterActions): void {
  writer.nest(TcaMatchall.ACT, (list) => writeActions(list, actions))
}

function writeActions(writer: MessageWriter, { redirect, setPriority }: FilterActions): void {
  let place = 1
  if (setPriority !== undefined) {
    writer.nest(place, (act) =>
      act.text(TcaAct.KIND, 'skbedit').nest(TcaAct.OPTIONS, (options) => {
        options
          .struct(TcaSkbedit.PARMS, (parms) => writeGeneric(parms, TC_ACT_PIPE))
          .u32(TcaSkbedit.PRIORITY, setPriority)
      }),
    )
    place += 1
  }
  if (redirect === undefined) return
  writer.nest(place, (act) =>
    act.text(TcaAct.KIND, 'mirred').nest(TcaAct.OPTIONS, (options) => {
      options.struct(TcaMirred.PARMS, (parms) =>
        writeGeneric(parms, TC_ACT_STOLEN).word(TCA_EGRESS_REDIR).word(redirect),
      )
    }),
  )
}

/** tc_gen: index, capab, action, refcnt, bindcnt. */
function writeGeneric(writer: MessageWriter, action: number): MessageWriter {
  return writer.word(0).word(0).word(action).word(0).word(0)
}

function decodeActions(bytes: Uint8Array | undefined): FilterActions | undefined {
  if (bytes === undefined) return undefined
  const acts = readAttributeList(bytes).map(({ value }) => readAttributes(value))
  const [first, second] = acts
  if (first === undefined || acts.length > 2) return undefined
  const setPriority =
    first.text(TcaAct.KIND) === 'skbedit' ? first.nested(TcaAct.OPTIONS)?.u32(TcaSkbedit.PRIORITY) : undefined
  if (setPriority === undefined) return second === undefined ? withRedirect(first, undefined) : undefined
  return second === undefined ? { setPriority } : withRedirect(second, setPriority)
}

function withRedirect(act: Attributes, setPriority: number | undefined): FilterActions | undefined {
  if (act.text(TcaAct.KIND) !== 'mirred') return undefined
  const parms = act.nested(TcaAct.OPTIONS)?.raw(TcaMirred.PARMS)
  if (parms === undefined || parms.length < 28) return undefined
  const view = new DataView(parms.buffer, parms.byteOffset, parms.byteLength)
  if (view.getInt32(20, true) !== TCA_EGRESS_REDIR) return undefined
  const redirect = view.getUint32(24, true)
  return setPriority === undefined ? { redirect } : { redirect, setPriority }
}

function aboutFilter({ link, parent, priority }: Pick<FilterSpec, 'link' | 'parent' | 'priority'>): string {
  return `${priority} of link ${link}, ${formatTcHandle(parent)}`
}
