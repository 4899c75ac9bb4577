/**
 * Statements of nftables rules, as the expressions that the kernel runs.
 * @module
 */
import { checkLinkName } from '../link-name.ts'
import type { MessageWriter } from '../writer.ts'
import * as n from './numbers.ts'

/** What a rule asks or does, in nft(8)'s words. Marks have 32 bits. */
export type NftStatement =
  | NftMatch
  | { readonly set: 'ct mark'; readonly value: number }
  | { readonly set: 'meta mark'; readonly from: 'ct mark' }

type NftMatch =
  | { readonly match: 'iifname'; readonly name: string }
  | { readonly match: 'ct state new' }
  | { readonly match: 'ct mark'; readonly value: number }

/** Writes a statement into a list of expressions. */
export function writeStatement(list: MessageWriter, statement: NftStatement): void {
  if ('match' in statement) writeMatch(list, statement)
  else if (statement.set === 'ct mark') {
    expression(list, 'immediate', (w) => {
      w.be32(n.NftaImmediate.DREG, n.NFT_REG_1)
      data(w, n.NftaImmediate.DATA, word(statement.value))
    })
    expression(list, 'ct', (w) => w.be32(n.NftaCt.KEY, n.NFT_CT_MARK).be32(n.NftaCt.SREG, n.NFT_REG_1))
  } else {
    load(list, 'ct', n.NFT_CT_MARK)
    expression(list, 'meta', (w) => w.be32(n.NftaMeta.KEY, n.NFT_META_MARK).be32(n.NftaMeta.SREG, n.NFT_REG_1))
  }
}

function writeMatch(list: MessageWriter, statement: NftMatch): void {
  switch (statement.match) {
    case 'iifname':
      load(list, 'meta', n.NFT_META_IIFNAME)
      compare(list, n.NFT_CMP_EQ, linkName(statement.name))
      return
    case 'ct state new':
      load(list, 'ct', n.NFT_CT_STATE)
      expression(list, 'bitwise', (w) => {
        w.be32(n.NftaBitwise.SREG, n.NFT_REG_1).be32(n.NftaBitwise.DREG, n.NFT_REG_1).be32(n.NftaBitwise.LEN, 4)
        data(w, n.NftaBitwise.MASK, word(n.CT_STATE_NEW))
        data(w, n.NftaBitwise.XOR, word(0))
      })
      compare(list, n.NFT_CMP_NEQ, word(0))
      return
    case 'ct mark':
      load(list, 'ct', n.NFT_CT_MARK)
      compare(list, n.NFT_CMP_EQ, word(statement.value))
  }
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
