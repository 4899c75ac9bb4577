/**
 * Whole nftables tables of any namespace, in one transaction and without a process. For small tables of our own; large
 * rulesets go through nft(8) (nft.ts).
 * @module
 */
import { Errno, malformed, systemError } from '../../errno.ts'
import {
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../constants.ts'
import { type NetlinkMessage, readAttributes, readMessages } from '../reader.ts'
import { kernelTransport, type NetlinkTransport } from '../transport.ts'
import { MessageWriter } from '../writer.ts'
import * as n from './numbers.ts'
import { type NftStatement, nested, writeStatement } from './statement.ts'

/** A rule: its statements, in order. */
export type NftRule = readonly NftStatement[]

/** A base chain whose policy is to accept. */
export interface NftChain {
  readonly name: string
  readonly type: 'filter' | 'route' | 'nat'
  readonly hook: keyof typeof n.HOOKS
  /** Of nft(8): -150 is `mangle`. */
  readonly priority: number
  readonly rules: readonly NftRule[]
}

/** A table of the family `inet`. */
export interface NftTable {
  readonly name: string
  readonly chains: readonly NftChain[]
}

/** Adds the table (about 0.2 ms). Throws LINUX_EEXIST when there is one of that name. */
export function nftTableAdd(table: NftTable, nsFd?: number): void {
  transact(nsFd, table.name, birth(table, NLM_F_EXCL))
}

/**
 * Makes the table what is given, whatever it was; nothing between is ever seen. Deleting waits for a grace period of the kernel
 * (5–10 ms), also where there was none.
 */
export function nftTableReplace(table: NftTable, nsFd?: number): void {
  const { name } = table
  transact(nsFd, name, [
    // What is not there cannot be deleted.
    [n.NFT_MSG_NEWTABLE, NLM_F_CREATE, named(name)],
    [n.NFT_MSG_DELTABLE, 0, named(name)],
    ...birth(table, 0),
  ])
}

function named(name: string): Step[2] {
  return (w) => w.text(n.NftaTable.NAME, name)
}

function birth({ name, chains }: NftTable, flags: number): readonly Step[] {
  return [
    [n.NFT_MSG_NEWTABLE, NLM_F_CREATE | flags, named(name)],
    ...chains.flatMap((chain): readonly Step[] => [
      [n.NFT_MSG_NEWCHAIN, NLM_F_CREATE, (w: MessageWriter) => writeChain(w, name, chain)] as const,
      ...chain.rules.map(
        (rule) =>
          [
            n.NFT_MSG_NEWRULE,
            NLM_F_CREATE | NLM_F_APPEND,
            (w: MessageWriter) => writeRule(w, name, chain, rule),
          ] as const,
      ),
    ]),
  ]
}

/** Removes the table; false when there is none. */
export function nftTableDel(name: string, nsFd?: number): boolean {
  try {
    transact(nsFd, name, [[n.NFT_MSG_DELTABLE, 0, named(name)]])
    return true
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === ENOENT) return false
    throw error
  }
}

/** How many rules each chain of the table has, chains without any left out; empty when there is no such table. */
export function nftRuleCounts(name: string, nsFd?: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const transport = kernelTransport(nsFd, n.NETLINK_NETFILTER)
  try {
    const writer = new MessageWriter()
    writeMessage(writer, n.NFT_MSG_GETRULE, NLM_F_DUMP, (w) => w.text(n.NftaRule.TABLE, name))
    send(transport, writer.finish(), name)
    for (const each of dumped(transport, name)) {
      const attributes = readAttributes(each.body, NFGENMSG)
      const chain = attributes.text(n.NftaRule.CHAIN)
      if (chain === undefined || attributes.text(n.NftaRule.TABLE) !== name) continue
      counts.set(chain, (counts.get(chain) ?? 0) + 1)
    }
    return counts
  } finally {
    transport.close()
  }
}

type Step = readonly [type: number, flags: number, fill: (writer: MessageWriter) => unknown]

const NLM_F_APPEND = 0x800
const ENOENT = 2
/** Bytes of struct nfgenmsg. */
const NFGENMSG = 4

function writeChain(writer: MessageWriter, table: string, { name, type, hook, priority }: NftChain): void {
  writer.text(n.NftaChain.TABLE, table).text(n.NftaChain.NAME, name)
  nested(writer, n.NftaChain.HOOK, (w) => w.be32(n.NftaHook.HOOKNUM, n.HOOKS[hook]).be32(n.NftaHook.PRIORITY, priority))
  writer.be32(n.NftaChain.POLICY, n.NF_ACCEPT).text(n.NftaChain.TYPE, type)
}

function writeRule(writer: MessageWriter, table: string, chain: NftChain, rule: NftRule): void {
  writer.text(n.NftaRule.TABLE, table).text(n.NftaRule.CHAIN, chain.name)
  nested(writer, n.NftaRule.EXPRESSIONS, (list) => {
    for (const statement of rule) writeStatement(list, statement)
  })
}

/** One batch: all of it, or nothing. The last step alone is acknowledged; whatever fails says so. */
function transact(nsFd: number | undefined, about: string, steps: readonly Step[]): void {
  const writer = new MessageWriter(1024)
  boundary(writer, n.NFNL_MSG_BATCH_BEGIN, 0)
  for (const [i, [type, flags, fill]] of steps.entries())
    writeMessage(writer, type, flags | (i === steps.length - 1 ? NLM_F_ACK : 0), fill, i + 1)
  boundary(writer, n.NFNL_MSG_BATCH_END, steps.length + 1)
  const transport = kernelTransport(nsFd, n.NETLINK_NETFILTER)
  try {
    send(transport, writer.finish(), about)
    for (;;) {
      for (const each of receive(transport, about)) {
        const code = errorOf(each)
        if (code < 0) throw systemError(-code, stepName(steps[each.seq - 1]), `table ${about}`)
        if (each.type === NLMSG_ERROR && each.seq === steps.length) return
      }
    }
  } finally {
    transport.close()
  }
}

function boundary(writer: MessageWriter, type: number, seq: number): void {
  const at = writer.length
  writer.message(type, NLM_F_REQUEST, (w) => w.byte(0).byte(0).byte(0).byte(n.NFNL_SUBSYS_NFTABLES))
  number(writer, at, seq)
}

function writeMessage(writer: MessageWriter, type: number, flags: number, fill: Step[2], seq = 1): void {
  const at = writer.length
  writer.message(type, NLM_F_REQUEST | flags, (w) => {
    w.byte(n.NFPROTO_INET).byte(0).half(0)
    fill(w)
  })
  number(writer, at, seq)
}

/** The sequence number of the message at this place. */
function number(writer: MessageWriter, at: number, seq: number): void {
  const bytes = writer.finish()
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at + 8, seq, true)
}

function send(transport: NetlinkTransport, bytes: Uint8Array, about: string): void {
  const sent = transport.send(bytes)
  if (sent < 0) throw systemError(-sent, 'nf_tables', `table ${about}`)
}

function receive(transport: NetlinkTransport, about: string): readonly NetlinkMessage[] {
  for (;;) {
    const got = transport.receive()
    if (typeof got !== 'number') return readMessages(got)
    if (got !== -Errno.EINTR) throw systemError(got === 0 ? Errno.EMSGSIZE : -got, 'nf_tables', `table ${about}`)
  }
}

function dumped(transport: NetlinkTransport, about: string): readonly NetlinkMessage[] {
  const found: NetlinkMessage[] = []
  for (;;) {
    for (const each of receive(transport, about)) {
      const code = errorOf(each)
      if (code === -ENOENT) return []
      if (code < 0) throw systemError(-code, 'nf_tables', `table ${about}`)
      if (each.type === NLMSG_DONE) return found
      found.push(each)
    }
  }
}

/** The negative errno in an error message; 0 in others. */
function errorOf({ type, body }: NetlinkMessage): number {
  if (type !== NLMSG_ERROR) return 0
  if (body.length < 4) throw malformed('a netlink error message without its number')
  return new DataView(body.buffer, body.byteOffset).getInt32(0, true)
}

function stepName(step: Step | undefined): string {
  const names = new Map([
    [n.NFT_MSG_NEWTABLE, 'NFT_MSG_NEWTABLE'],
    [n.NFT_MSG_DELTABLE, 'NFT_MSG_DELTABLE'],
    [n.NFT_MSG_NEWCHAIN, 'NFT_MSG_NEWCHAIN'],
    [n.NFT_MSG_NEWRULE, 'NFT_MSG_NEWRULE'],
  ])
  return names.get(step?.[0] ?? 0) ?? 'nf_tables'
}
