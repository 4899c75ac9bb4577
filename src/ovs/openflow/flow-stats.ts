import { FlowError } from '../../flow/errors.ts'
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { OPENFLOW_15 } from './action-codes.ts'
import { decodeInstructions } from './decode-actions.ts'
import { malformed, OpenFlowError } from './errors.ts'
import { decodeMatch } from './oxm.ts'
import { Reader } from './reader.ts'

/** A flow as the switch holds it, with its counters. */
export interface DumpedFlow {
  readonly flow: Flow
  readonly packets: bigint
  readonly bytes: bigint
  /** Seconds since it was installed. */
  readonly duration: number
  /**
   * Why `flow` is only part of the truth: its match or actions use something outside the flow language (other
   * software installed it). `flow` then lacks what could not be read; remove such a flow by its cookie.
   */
  readonly opaque?: string
}

/** Reads the entries of one flow stats reply. Throws `OPENFLOW_MALFORMED`. */
export function decodeFlowStats(bytes: Uint8Array, start: number, version: number, into: DumpedFlow[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) {
    const length = r.u16('flow entry')
    if (length < 24) throw malformed('flow entry length')
    const entry = r.sub(length - 2, 'flow entry length')
    into.push(version >= OPENFLOW_15 ? decodeEntry15(entry) : decodeEntry13(entry))
  }
}

type Counters = Pick<DumpedFlow, 'packets' | 'bytes' | 'duration'>

function decodeEntry13(r: Reader): DumpedFlow {
  const table = r.u8()
  r.skip(1)
  const duration = r.u32() + r.u32() / 1e9
  const priority = r.u16()
  r.skip(10)
  const [cookie, packets, bytes] = [r.u64(), r.u64(), r.u64()]
  const { match, actions, opaque } = decodeContent(r, () => undefined)
  return finish({ table, priority, cookie, match, actions }, { packets, bytes, duration }, opaque)
}

function decodeEntry15(r: Reader): DumpedFlow {
  r.skip(2)
  const table = r.u8()
  r.skip(1)
  const priority = r.u16()
  r.skip(8)
  const cookie = r.u64()
  let counters: Counters = { packets: 0n, bytes: 0n, duration: 0 }
  const { match, actions, opaque } = decodeContent(r, () => {
    counters = decodeOxs(r)
  })
  return finish({ table, priority, cookie, match, actions }, counters, opaque)
}

function finish(flow: Flow, counters: Counters, opaque: string | undefined): DumpedFlow {
  return opaque === undefined ? { flow, ...counters } : { flow, ...counters, opaque }
}

type Content = { match: Match; actions: readonly Action[]; opaque?: string }

/** Match, whatever stands between, instructions. What the language lacks is told, not thrown. */
function decodeContent(r: Reader, between: () => void): Content {
  const matchReader = r.sub(matchLength(r), 'match length')
  between()
  const content: Content = { match: {}, actions: [] }
  try {
    content.match = decodeMatch(matchReader)
    content.actions = decodeInstructions(r)
  } catch (cause) {
    if (!isOpaque(cause)) throw cause
    content.opaque = cause.message
  }
  return content
}

function matchLength(r: Reader): number {
  const length = new Reader(r.bytes, r.at + 2, r.end).u16('match length')
  return (length + 7) & ~7
}

function isOpaque(cause: unknown): cause is Error {
  return cause instanceof FlowError || (cause instanceof OpenFlowError && cause.code.startsWith('OPENFLOW_UNKNOWN_'))
}

const OXS = 0x8002
const OXS_DURATION = 0
const OXS_PACKETS = 4
const OXS_BYTES = 5

/** The extensible statistics of OpenFlow 1.5: 16 reserved bits, the length, then fields as in a match. */
function decodeOxs(r: Reader): Counters {
  r.skip(2)
  const length = r.u16('statistics')
  if (length < 4) throw malformed('statistics length')
  const fields = r.sub(length - 4, 'statistics length')
  r.skip((8 - (length & 7)) & 7, 'statistics padding')
  let [packets, bytes, duration] = [0n, 0n, 0]
  while (fields.left > 0) {
    const header = fields.u32('statistics field')
    const value = fields.sub(header & 0xff, 'statistics field')
    const number = header >>> 16 === OXS ? (header >>> 9) & 0x7f : -1
    if (number === OXS_DURATION) duration = value.u32() + value.u32() / 1e9
    else if (number === OXS_PACKETS) packets = value.u64()
    else if (number === OXS_BYTES) bytes = value.u64()
  }
  return { packets, bytes, duration }
}
