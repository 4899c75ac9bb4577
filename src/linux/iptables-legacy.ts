/**
 * The filter tables of the old iptables (`iptables-legacy`), which nft does not show: read by the socket option that
 * iptables itself reads them by (linux/netfilter_ipv4/ip_tables.h and its IPv6 twin).
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Family } from './ip.ts'
import { formatIp } from './ip.ts'
import { AF_INET, AF_INET6 } from './sockaddr.ts'
import { closeFd, openSocket, SOCK_RAW } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/** A condition that is understood, or `unknown` for a match of an extension. */
export type LegacyCondition =
  | {
      readonly subject: 'inLink' | 'outLink' | 'source' | 'destination' | 'protocol'
      readonly values: readonly string[]
      readonly negated: boolean
    }
  | { readonly subject: 'unknown' }

export type LegacyVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'unknown' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

/** A rule; `handle` is its number in the chain, from 1, as iptables counts. */
export interface LegacyRule {
  readonly handle: number
  readonly comment: undefined
  readonly conditions: readonly LegacyCondition[]
  readonly verdict: LegacyVerdict | undefined
}

/** A chain of the table `filter`. */
export interface LegacyChain {
  readonly family: 'ip' | 'ip6'
  readonly table: string
  readonly name: string
  readonly base: { readonly type: 'filter'; readonly hook: string; readonly policy: 'accept' | 'drop' } | undefined
  readonly rules: readonly LegacyRule[]
}

/**
 * The chains of the old filter table of a family; none where nobody uses it. Asking for a table that is not there would
 * make it, so the kernel's list of tables is read first: that of the program's own namespace.
 */
export function legacyFilter(family: Family): readonly LegacyChain[] {
  if (!tableNames(family).includes('filter')) return []
  const fd = openSocket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_RAW)
  try {
    const info = new Uint8Array(INFO_SIZE)
    info.set(FILTER)
    const level = family === 4 ? SOL_IP : SOL_IPV6
    if (systemCalls().getsockopt(fd, level, GET_INFO, info) < 0) return []
    const size = new DataView(info.buffer).getUint32(INFO_SIZE - 4, true)
    const entries = new Uint8Array(ENTRIES_HEADER + size)
    entries.set(FILTER)
    new DataView(entries.buffer).setUint32(NAME_SIZE, size, true)
    // Somebody changed the table in between: the next look finds it whole.
    if (systemCalls().getsockopt(fd, level, GET_ENTRIES, entries) < 0) return []
    return decodeLegacyTable(family, info, entries.subarray(ENTRIES_HEADER))
  } finally {
    closeFd(fd)
  }
}

/** Decodes `ipt_getinfo` and the entries behind it. Bytes that make no sense end the decoding; never throws. */
export function decodeLegacyTable(family: Family, info: Uint8Array, bytes: Uint8Array): readonly LegacyChain[] {
  if (info.length < INFO_SIZE) return []
  const head = new DataView(info.buffer, info.byteOffset, info.length)
  const entries = readEntries(LAYOUT[family], bytes)
  const starts = new Map(entries.flatMap((one, i) => (one.chain === undefined ? [] : [[i + 1, one.chain] as const])))
  const nameAt = new Map([...starts].flatMap(([i, name]) => (entries[i] ? [[entries[i].offset, name] as const] : [])))
  const rulesOf = (part: readonly Entry[]): LegacyRule[] =>
    part.map((entry, i) => ({ handle: i + 1, comment: undefined, ...ruleOf(family, entry, nameAt) }))
  const place = { family: family === 4 ? ('ip' as const) : ('ip6' as const), table: 'filter (iptables-legacy)' }
  const hooks = HOOKS.flatMap(([hook, index]): LegacyChain[] => {
    const [from, policyAt] = [head.getUint32(36 + 4 * index, true), head.getUint32(56 + 4 * index, true)]
    const policy = entries.find(({ offset }) => offset === policyAt)
    if (policy === undefined) return []
    const part = entries.filter(({ offset }) => offset >= from && offset < policyAt)
    const base = {
      type: 'filter' as const,
      hook,
      policy: policy.verdict === DROP ? ('drop' as const) : ('accept' as const),
    }
    return [{ ...place, name: hook.toUpperCase(), base, rules: rulesOf(part) }]
  })
  const chains = [...starts].flatMap(([start, name]): LegacyChain[] => {
    const length = entries.slice(start).findIndex(({ chain, isError }) => chain !== undefined || isError)
    // The last entry of a chain is its way back.
    return [{ ...place, name, base: undefined, rules: rulesOf(entries.slice(start, start + Math.max(0, length - 1))) }]
  })
  return [...hooks, ...chains]
}

const NAME_SIZE = 32
const FILTER = new TextEncoder().encode('filter')
const INFO_SIZE = 84
const ENTRIES_HEADER = 40
const GET_INFO = 64
const GET_ENTRIES = 65
const SOL_IP = 0
const SOL_IPV6 = 41
const IPPROTO_RAW = 255
const HOOKS = [
  ['input', 1],
  ['forward', 2],
] as const
const ACCEPT = -2
const DROP = -1
const RETURN = -5
const F_GOTO = 0x02
const INVERTED = { inLink: 0x01, outLink: 0x02, source: 0x08, destination: 0x10, protocol: 0x40 } as const

interface Layout {
  readonly address: number
  readonly links: number
  readonly protocol: number
  readonly offsets: number
  readonly size: number
}

/** struct ipt_entry and struct ip6t_entry. */
const LAYOUT: { readonly [F in Family]: Layout } = {
  4: { address: 4, links: 16, protocol: 80, offsets: 88, size: 112 },
  6: { address: 16, links: 64, protocol: 128, offsets: 140, size: 168 },
}

interface Entry {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly hasMatches: boolean
  /** Of the standard target. */
  readonly verdict: number | undefined
  /** Name of the target otherwise. */
  readonly target: string
  /** The chain that begins behind this entry. */
  readonly chain: string | undefined
  readonly isError: boolean
}

function readEntries(layout: Layout, bytes: Uint8Array): readonly Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Entry[] = []
  for (let offset = 0; offset + layout.size + 32 <= bytes.length; ) {
    const [targetAt, next] = [
      view.getUint16(offset + layout.offsets, true),
      view.getUint16(offset + layout.offsets + 2, true),
    ]
    if (targetAt < layout.size || next < targetAt + 32 || offset + next > bytes.length) break
    const target = textAt(bytes, offset + targetAt + 2, 29)
    const hasValue = next >= targetAt + 36
    const isError = target === 'ERROR'
    const name = isError ? textAt(bytes, offset + targetAt + 32, 30) : ''
    entries.push({
      offset,
      bytes: bytes.subarray(offset, offset + next),
      hasMatches: targetAt > layout.size,
      verdict: target === '' && hasValue ? view.getInt32(offset + targetAt + 32, true) : undefined,
      target,
      chain: isError && name !== 'ERROR' ? name : undefined,
      isError,
    })
    offset += next
  }
  return entries
}

function ruleOf(
  family: Family,
  entry: Entry,
  nameAt: ReadonlyMap<number, string>,
): Pick<LegacyRule, 'conditions' | 'verdict'> {
  const { address, links, protocol } = LAYOUT[family]
  const { bytes } = entry
  const inverse = bytes[protocol + 3 + (family === 6 ? 1 : 0)] ?? 0
  const condition = (subject: keyof typeof INVERTED, value: string | undefined): LegacyCondition[] =>
    value === undefined ? [] : [{ subject, values: [value], negated: (inverse & INVERTED[subject]) !== 0 }]
  const proto = (bytes[protocol] ?? 0) | ((bytes[protocol + 1] ?? 0) << 8)
  const conditions: LegacyCondition[] = [
    ...condition('inLink', linkAt(bytes, links)),
    ...condition('outLink', linkAt(bytes, links + 16)),
    ...condition('source', networkAt(bytes, 0, address)),
    ...condition('destination', networkAt(bytes, address, address)),
    ...condition('protocol', proto === 0 ? undefined : (PROTOCOLS[proto] ?? String(proto))),
    ...(entry.hasMatches ? [{ subject: 'unknown' } as const] : []),
  ]
  const flags = bytes[protocol + 2 + (family === 6 ? 1 : 0)] ?? 0
  return { conditions, verdict: verdictOf(entry, (flags & F_GOTO) !== 0, nameAt) }
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 47: 'gre' }
/** Targets after which a packet goes on. */
const PASSING = new Set(['LOG', 'NFLOG', 'MARK', 'CONNMARK', 'TCPMSS', 'CT'])

function verdictOf(
  { verdict, target }: Entry,
  isGoto: boolean,
  nameAt: ReadonlyMap<number, string>,
): LegacyVerdict | undefined {
  if (verdict === undefined) {
    if (target === 'REJECT') return { kind: 'drop' }
    return PASSING.has(target) ? undefined : { kind: 'unknown' }
  }
  if (verdict === ACCEPT) return { kind: 'accept' }
  if (verdict === DROP) return { kind: 'drop' }
  if (verdict === RETURN) return { kind: 'return' }
  const chain = nameAt.get(verdict)
  // A rule without a target leads to the next one.
  return chain === undefined ? undefined : { kind: isGoto ? 'goto' : 'jump', chain }
}

/** `docker*` stands for every name that begins so; undefined for any link. */
function linkAt(bytes: Uint8Array, at: number): string | undefined {
  const name = textAt(bytes, at, 16)
  if (name === '') return undefined
  const covered = bytes.subarray(at + 32, at + 48).indexOf(0)
  // Where the mask covers the end of the name as well, the name is meant as it is.
  return covered < 0 || covered > name.length ? name : `${name.slice(0, covered)}*`
}

function networkAt(bytes: Uint8Array, at: number, size: number): string | undefined {
  const mask = bytes.subarray(at + 2 * size, at + 3 * size)
  const bits = mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return bits === 0 ? undefined : `${formatIp(bytes.subarray(at, at + size))}/${bits}`
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  const part = bytes.subarray(at, at + length)
  const end = part.indexOf(0)
  return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end))
}

function tableNames(family: Family): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`, 'utf8').split('\n')
  } catch {
    return []
  }
}
