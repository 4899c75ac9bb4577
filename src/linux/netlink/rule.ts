/**
 * Policy routing rules (RTM_*RULE), named as in ip-rule(8).
 * @module
 */
import { type Family, formatIp, maskPrefix, parsePrefix } from '../ip.ts'
import { AF_INET, AF_INET6 } from '../sockaddr.ts'
import { NLM_F_CREATE, NLM_F_EXCL, RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from './constants.ts'
import { type Attributes, headerView, present, readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import type { MessageWriter } from './writer.ts'

const actions = [
  'none',
  'table',
  'goto',
  'nop',
  'reserved4',
  'reserved5',
  'blackhole',
  'unreachable',
  'prohibit',
] as const
export type RuleAction = (typeof actions)[number]

/** A rule: selectors, and what to do. Lower priorities are asked first; `from` and `to` are `ip/length`. */
export interface RuleSpec {
  readonly family: Family
  readonly priority: number
  /** Default: look into `table`. */
  readonly action?: RuleAction
  /** Default: 254, main. */
  readonly table?: number
  readonly from?: string
  readonly to?: string
  readonly mark?: number
  /** Bits of the mark that count; default: all. */
  readonly mask?: number
  readonly inputLink?: string
  readonly outputLink?: string
  readonly invert?: boolean
  /** Who made it (FRA_PROTOCOL), 0 to 255. Default: 4, static. */
  readonly protocol?: number
  readonly suppressPrefixLength?: number
}

/** A rule as the kernel tells it. */
export type Rule = RuleSpec & Required<Pick<RuleSpec, 'action' | 'table'>>

/** Throws LINUX_EEXIST when the same rule is there. */
export function ruleAdd(rtnl: RtnlSocket, spec: RuleSpec): void {
  change(rtnl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Throws LINUX_ENOENT when no rule matches everything that is given. */
export function ruleDel(rtnl: RtnlSocket, spec: RuleSpec): void {
  change(rtnl, RTM_DELRULE, 0, spec)
}

/** Rules of one family or both, in the kernel's order. */
export function ruleList(rtnl: RtnlSocket, family?: Family): readonly Rule[] {
  const families = family === undefined ? ([4, 6] as const) : [family]
  return families.flatMap((each) =>
    rtnl
      .dump({ type: RTM_GETRULE, fill: (writer) => header(writer, each, 0, 0, 0, 0) })
      .filter((message) => message.type === RTM_NEWRULE)
      .map((message) => decodeRule(message.body)),
  )
}

/** Decodes the body of RTM_NEWRULE or RTM_DELRULE. */
export function decodeRule(body: Uint8Array): Rule {
  const view = headerView(body, 12, 'fib_rule_hdr')
  const attributes = readAttributes(body, 12)
  const suppress = attributes.i32(Fra.SUPPRESS_PREFIXLEN)
  const flags = view.getUint32(8, true)
  return present({
    family: view.getUint8(0) === AF_INET6 ? (6 as const) : (4 as const),
    priority: attributes.u32(Fra.PRIORITY) ?? 0,
    action: actions[view.getUint8(7)] ?? 'none',
    table: attributes.u32(Fra.TABLE) ?? view.getUint8(4),
    from: prefixText(attributes, Fra.SRC, view.getUint8(2)),
    to: prefixText(attributes, Fra.DST, view.getUint8(1)),
    mark: attributes.u32(Fra.FWMARK),
    mask: attributes.u32(Fra.FWMASK),
    inputLink: attributes.text(Fra.IIFNAME),
    outputLink: attributes.text(Fra.OIFNAME),
    invert: (flags & FIB_RULE_INVERT) !== 0 ? true : undefined,
    protocol: attributes.u8(Fra.PROTOCOL),
    suppressPrefixLength: suppress === undefined || suppress < 0 ? undefined : suppress,
  })
}

const Fra = {
  DST: 1,
  SRC: 2,
  IIFNAME: 3,
  PRIORITY: 6,
  FWMARK: 10,
  SUPPRESS_PREFIXLEN: 14,
  TABLE: 15,
  FWMASK: 16,
  OIFNAME: 17,
  PROTOCOL: 21,
} as const
const FIB_RULE_INVERT = 2
const TABLE_MAIN = 254
const PROTOCOL_STATIC = 4

function change(rtnl: RtnlSocket, type: number, flags: number, spec: RuleSpec): void {
  rtnl.request({
    type,
    flags,
    about: `priority ${spec.priority}`,
    fill: (writer) => write(writer, spec, type === RTM_DELRULE),
  })
}

function write(writer: MessageWriter, spec: RuleSpec, deleting: boolean): void {
  const from = spec.from === undefined ? undefined : parsePrefix(spec.from)
  const to = spec.to === undefined ? undefined : parsePrefix(spec.to)
  // A deletion compares what is given and nothing else.
  const action = spec.action ?? (deleting ? 'none' : 'table')
  const table = action === 'table' && !deleting ? (spec.table ?? TABLE_MAIN) : spec.table
  const protocol = spec.protocol ?? (deleting ? undefined : PROTOCOL_STATIC)
  header(
    writer,
    spec.family,
    to?.length ?? 0,
    from?.length ?? 0,
    actions.indexOf(action),
    spec.invert === true ? FIB_RULE_INVERT : 0,
  )
  writer
    .u32(Fra.PRIORITY, spec.priority)
    .raw(Fra.DST, to === undefined ? undefined : maskPrefix(to))
    .raw(Fra.SRC, from === undefined ? undefined : maskPrefix(from))
    .u32(Fra.FWMARK, spec.mark)
    .u32(Fra.FWMASK, spec.mask)
    .text(Fra.IIFNAME, spec.inputLink)
    .text(Fra.OIFNAME, spec.outputLink)
    .u32(Fra.TABLE, table)
    .u32(Fra.SUPPRESS_PREFIXLEN, spec.suppressPrefixLength)
    .u8(Fra.PROTOCOL, protocol)
}

/** struct fib_rule_hdr: family, lengths, tos, table (by attribute), two reserved bytes, action, flags. */
function header(writer: MessageWriter, family: Family, to: number, from: number, action: number, flags: number): void {
  const number = family === 4 ? AF_INET : AF_INET6
  writer.byte(number).byte(to).byte(from).byte(0).byte(0).byte(0).byte(0).byte(action).word(flags)
}

function prefixText(attributes: Attributes, type: number, length: number): string | undefined {
  const bytes = attributes.raw(type)
  return bytes === undefined ? undefined : `${formatIp(bytes)}/${length}`
}
