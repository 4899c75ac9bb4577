import { parseIpv4, parseIpv6 } from '../../flow/address-text.ts'
import { NICIRA } from './action-codes.ts'
import { OpenFlowError } from './errors.ts'
import { NXT, OFPT } from './message-types.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

/** One direction of tracked connections. What is left out may be anything; addresses of either family. */
export interface Tuple {
  readonly source?: string
  readonly destination?: string
  readonly sourcePort?: number
  readonly destinationPort?: number
}

/** Which tracked connections are meant: those that agree with all of this. Nothing given means all of them. */
export interface ConnectionFilter {
  readonly zone?: number
  /** An IP protocol number. */
  readonly protocol?: number
  /** As their first packet was sent, before any translation. */
  readonly original?: Tuple
  /** As their answers come: of a connection to a service, `source` is the endpoint that was chosen. */
  readonly reply?: Tuple
}

/** Properties of the message, and of a tuple. */
const FLUSH = { original: 0, reply: 1, zone: 2 } as const
const TUPLE = { source: 0, destination: 1, sourcePort: 2, destinationPort: 3 } as const

/** Writes Nicira's ct_flush, which Open vSwitch knows since 3.1. Throws `OPENFLOW_ADDRESS_INVALID`. */
export function encodeCtFlush(w: Writer, version: number, xid: number, filter: ConnectionFilter): void {
  const start = beginMessage(w, version, OFPT.experimenter, xid)
  w.u32(NICIRA)
    .u32(NXT.ct_flush)
    .u8(filter.protocol ?? 0)
    .zeros(7)
  if (filter.original !== undefined) writeTuple(w, FLUSH.original, filter.original)
  if (filter.reply !== undefined) writeTuple(w, FLUSH.reply, filter.reply)
  if (filter.zone !== undefined) writeNumber(w, FLUSH.zone, filter.zone)
  endMessage(w, start)
}

function writeTuple(w: Writer, type: number, tuple: Tuple): void {
  const start = w.length
  w.u16(type).u16(0).u32(0)
  if (tuple.source !== undefined) writeAddress(w, TUPLE.source, tuple.source)
  if (tuple.destination !== undefined) writeAddress(w, TUPLE.destination, tuple.destination)
  if (tuple.sourcePort !== undefined) writeNumber(w, TUPLE.sourcePort, tuple.sourcePort)
  if (tuple.destinationPort !== undefined) writeNumber(w, TUPLE.destinationPort, tuple.destinationPort)
  w.setU16(start + 2, w.length - start)
}

function writeNumber(w: Writer, type: number, value: number): void {
  w.u16(type).u16(8).u16(value).u16(0)
}

/** Both families in sixteen bytes; IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
function writeAddress(w: Writer, type: number, text: string): void {
  const start = w.length
  w.u16(type).u16(20).zeros(16)
  const at = start + 4
  if (parseIpv4(text, w.bytes, at + 12)) w.bytes.fill(0xff, at + 10, at + 12)
  else if (!parseIpv6(text, w.bytes, at)) {
    throw new OpenFlowError(
      'OPENFLOW_ADDRESS_INVALID',
      `'${text.slice(0, 60)}' is no address`,
      'give an IPv4 or IPv6 address of the connections to forget',
    )
  }
  w.align8(start)
}
