/**
 * Statements of nftables rules, as the expressions that the kernel runs.
 * @module
 */
import { familyOf, parseIp } from '../../ip.ts'
import { checkLinkName } from '../link-name.ts'
import type { MessageWriter } from '../writer.ts'
import * as n from './numbers.ts'

/** What a rule asks or does, in nft(8)'s words. Marks have 32 bits. */
export type NftStatement =
  | NftMatch
  | { readonly set: 'ct mark'; readonly value: number }
  | { readonly set: 'meta mark'; readonly from: 'ct mark' }
  /** Sets these bits, and leaves the others. */
  | { readonly set: 'meta mark'; readonly bits: number }
  | { readonly verdict: 'drop' }
  /** In chains of type nat alone. */
  | { readonly verdict: 'masquerade' }
  | { readonly verdict: 'snat'; readonly to: string }

type NftMatch =
  | { readonly match: 'iifname' | 'oifname'; readonly name: string }
  /** Link groups; `iifgroup` behind routing, too, which takes Linux 5.7. */
  | { readonly match: 'iifgroup' | 'oifgroup'; readonly group: number; readonly not?: true }
  | { readonly match: 'ct state new' }
  | { readonly match: 'ct direction'; readonly value: 'original' | 'reply' }
  | { readonly match: 'ct mark'; readonly value: number }
  /** The next hop of the packet's route. */
  | { readonly match: 'rt nexthop'; readonly address: string }
  | { readonly match: 'ip6 saddr'; readonly address: string }
  /** ICMP's and ICMPv6's word that there is a better way. */
  | { readonly match: 'icmp redirect'; readonly family: 4 | 6 }
  /** An answer to the packet's source would not leave where the packet came in: `fib saddr . iif oif missing`. */
  | { readonly match: 'fib saddr . iif oif missing' }

/** Writes a statement into a list of expressions. */
export function writeStatement(list: MessageWriter, statement: NftStatement): void {
  if ('match' in statement) writeMatch(list, statement)
  else if ('verdict' in statement) writeVerdict(list, statement)
  else if (statement.set === 'ct mark') {
    immediate(list, word(statement.value))
    expression(list, 'ct', (w) => w.be32(n.NftaCt.KEY, n.NFT_CT_MARK).be32(n.NftaCt.SREG, n.NFT_REG_1))
  } else {
    if ('from' in statement) load(list, 'ct', n.NFT_CT_MARK)
    else {
      load(list, 'meta', n.NFT_META_MARK)
      bitwise(list, ~statement.bits >>> 0, statement.bits)
    }
    expression(list, 'meta', (w) => w.be32(n.NftaMeta.KEY, n.NFT_META_MARK).be32(n.NftaMeta.SREG, n.NFT_REG_1))
  }
}

function writeMatch(list: MessageWriter, statement: NftMatch): void {
  switch (statement.match) {
    case 'iifname':
    case 'oifname':
      load(list, 'meta', statement.match === 'iifname' ? n.NFT_META_IIFNAME : n.NFT_META_OIFNAME)
      compare(list, n.NFT_CMP_EQ, linkName(statement.name))
      return
    case 'iifgroup':
    case 'oifgroup':
      load(list, 'meta', statement.match === 'iifgroup' ? n.NFT_META_IIFGROUP : n.NFT_META_OIFGROUP)
      compare(list, statement.not === true ? n.NFT_CMP_NEQ : n.NFT_CMP_EQ, word(statement.group))
      return
    case 'ct state new':
      load(list, 'ct', n.NFT_CT_STATE)
      bitwise(list, n.CT_STATE_NEW, 0)
      compare(list, n.NFT_CMP_NEQ, word(0))
      return
    case 'ct direction':
      load(list, 'ct', n.NFT_CT_DIRECTION)
      compare(list, n.NFT_CMP_EQ, Uint8Array.of(statement.value === 'original' ? 0 : 1))
      return
    case 'ct mark':
      load(list, 'ct', n.NFT_CT_MARK)
      compare(list, n.NFT_CMP_EQ, word(statement.value))
      return
    case 'rt nexthop': {
      const bytes = parseIp(statement.address)
      const key = n.NFT_RT_NEXTHOP[familyOf(bytes)]
      expression(list, 'rt', (w) => w.be32(n.NftaRt.KEY, key).be32(n.NftaRt.DREG, n.NFT_REG_1))
      compare(list, n.NFT_CMP_EQ, bytes)
      return
    }
    case 'ip6 saddr': {
      const bytes = parseIp(statement.address)
      load(list, 'meta', n.NFT_META_NFPROTO)
      compare(list, n.NFT_CMP_EQ, Uint8Array.of(n.NFPROTO[6]))
      payload(list, n.NFT_PAYLOAD.network, IP6_SADDR, bytes.length)
      compare(list, n.NFT_CMP_EQ, bytes)
      return
    }
    case 'icmp redirect': {
      const { protocol, type } = n.REDIRECT[statement.family]
      load(list, 'meta', n.NFT_META_L4PROTO)
      compare(list, n.NFT_CMP_EQ, Uint8Array.of(protocol))
      payload(list, n.NFT_PAYLOAD.transport, 0, 1)
      compare(list, n.NFT_CMP_EQ, Uint8Array.of(type))
      return
    }
    case 'fib saddr . iif oif missing':
      expression(list, 'fib', (w) =>
        w
          .be32(n.NftaFib.RESULT, n.NFT_FIB_RESULT_OIF)
          .be32(n.NftaFib.FLAGS, n.NFT_FIB_BACK)
          .be32(n.NftaFib.DREG, n.NFT_REG_1),
      )
      compare(list, n.NFT_CMP_EQ, word(0))
  }
}

function writeVerdict(list: MessageWriter, statement: Extract<NftStatement, { readonly verdict: string }>): void {
  switch (statement.verdict) {
    case 'drop':
      expression(list, 'immediate', (w) => {
        w.be32(n.NftaImmediate.DREG, n.NFT_REG_VERDICT)
        nested(w, n.NftaImmediate.DATA, (inner) =>
          nested(inner, n.NFTA_DATA_VERDICT, (code) => code.be32(n.NFTA_VERDICT_CODE, n.NF_DROP)),
        )
      })
      return
    case 'masquerade':
      expression(list, 'masq', () => undefined)
      return
    case 'snat': {
      const bytes = parseIp(statement.to)
      immediate(list, bytes)
      expression(list, 'nat', (w) =>
        w
          .be32(n.NftaNat.TYPE, n.NFT_NAT_SNAT)
          .be32(n.NftaNat.FAMILY, n.NFPROTO[familyOf(bytes)])
          .be32(n.NftaNat.REG_ADDR_MIN, n.NFT_REG_1),
      )
    }
  }
}

function immediate(list: MessageWriter, value: Uint8Array): void {
  expression(list, 'immediate', (w) => {
    w.be32(n.NftaImmediate.DREG, n.NFT_REG_1)
    data(w, n.NftaImmediate.DATA, value)
  })
}

/** Where the source is in an IPv6 header. */
const IP6_SADDR = 8

function payload(list: MessageWriter, base: number, offset: number, length: number): void {
  expression(list, 'payload', (w) =>
    w
      .be32(n.NftaPayload.DREG, n.NFT_REG_1)
      .be32(n.NftaPayload.BASE, base)
      .be32(n.NftaPayload.OFFSET, offset)
      .be32(n.NftaPayload.LEN, length),
  )
}

/** Register 1 becomes itself and the mask, exclusive-or the rest. */
function bitwise(list: MessageWriter, mask: number, xor: number): void {
  expression(list, 'bitwise', (w) => {
    w.be32(n.NftaBitwise.SREG, n.NFT_REG_1).be32(n.NftaBitwise.DREG, n.NFT_REG_1).be32(n.NftaBitwise.LEN, 4)
    data(w, n.NftaBitwise.MASK, word(mask))
    data(w, n.NftaBitwise.XOR, word(xor))
  })
}

/** Into register 1; both kinds number their attributes alike. */
function load(list: MessageWriter, name: 'meta' | 'ct', key: number): void {
  expression(list, name, (w) => w.be32(n.NftaMeta.KEY, key).be32(n.NftaMeta.DREG, n.NFT_REG_1))
}

function compare(list: MessageWriter, operation: number, value: Uint8Array): void {
  expression(list, 'cmp', (w) => {
    w.be32(n.NftaCmp.SREG, n.NFT_REG_1).be32(n.NftaCmp.OP, operation)
    data(w, n.NftaCmp.DATA, value)
  })
}

function expression(list: MessageWriter, name: string, fill: (writer: MessageWriter) => unknown): void {
  nested(list, n.NFTA_LIST_ELEM, (element) => {
    element.text(n.NftaExpr.NAME, name)
    nested(element, n.NftaExpr.DATA, fill)
  })
}

function data(writer: MessageWriter, type: number, value: Uint8Array): void {
  nested(writer, type, (inner) => inner.raw(n.NFTA_DATA_VALUE, value))
}

/** nf_tables wants nested attributes marked as such. */
export function nested(writer: MessageWriter, type: number, fill: (inner: MessageWriter) => unknown): void {
  writer.nest(type | NLA_F_NESTED, (inner) => void fill(inner))
}

const NLA_F_NESTED = 0x8000

/** Registers hold host order. */
function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** IFNAMSIZ bytes: the whole name is compared. */
function linkName(name: string): Uint8Array {
  checkLinkName(name)
  const bytes = new Uint8Array(16)
  bytes.set(new TextEncoder().encode(name))
  return bytes
}
