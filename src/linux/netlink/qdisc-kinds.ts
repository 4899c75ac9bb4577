/**
 * What each queueing discipline has of its own (TCA_OPTIONS): encoders and decoders side by side, named as in tc(8).
 * @module
 */
import { type Attributes, readAttributes, viewOf } from './reader.ts'
import { burstBytes, burstTicks, RATESPEC, rate64, readRate, writeRate } from './tc-rate.ts'
import type { MessageWriter } from './writer.ts'

/** A token bucket: `rate` in bit/s, `burst` (its size) and `limit` (of what may wait) in bytes. */
export interface TbfData {
  readonly rate: number
  readonly burst: number
  readonly limit: number
}

/** A hierarchical token bucket: the minor number of the class of what no filter classifies. */
export interface HtbData {
  readonly defaultClass: number
}

/** A queue; `limit` in bytes (bfifo) or packets (pfifo). */
export interface FifoData {
  readonly limit: number
}

/** A qdisc that can be made: its kind with what the kind has of its own. */
export type QdiscData =
  | ({ readonly kind: 'tbf' } & TbfData)
  | ({ readonly kind: 'htb' } & HtbData)
  | ({ readonly kind: 'bfifo' | 'pfifo' } & FifoData)
  | { readonly kind: 'ingress' | 'clsact' }

/** Writes TCA_OPTIONS. */
export function encodeQdisc(writer: MessageWriter, options: number, data: QdiscData): void {
  switch (data.kind) {
    case 'tbf':
      writer.nest(options, (nest) => encodeTbf(nest, data))
      return
    case 'htb':
      writer.nest(options, (nest) => nest.raw(TcaHtb.INIT, htbGlob(data)))
      return
    case 'bfifo':
    case 'pfifo':
      writer.raw(options, words(data.limit))
      return
    case 'ingress':
    case 'clsact':
      return
  }
}

/** Reads TCA_OPTIONS; undefined for kinds that are not ours to read, and for what is too short. */
export function decodeQdisc(kind: string, options: Uint8Array | undefined): QdiscData | undefined {
  if (kind === 'ingress' || kind === 'clsact') return { kind }
  if (options === undefined) return undefined
  if (kind === 'tbf') return decodeTbf(readAttributes(options))
  if (kind === 'htb') return decodeHtb(readAttributes(options))
  if ((kind === 'bfifo' || kind === 'pfifo') && options.length >= 4)
    return { kind, limit: viewOf(options).getUint32(0, true) }
  return undefined
}

const TcaTbf = { PARMS: 1, RATE64: 4, BURST: 6 } as const
/** TCA_HTB_ attributes, of the qdisc and its classes. */
export const TcaHtb = { PARMS: 1, INIT: 2, RATE64: 6, CEIL64: 7 } as const
const HTB_VERSION = 3
/** What the kernel asks for too late: every class here has a quantum of its own. */
const RATE_TO_QUANTUM = 10
/** Bytes of struct tc_tbf_qopt. */
const TBF_QOPT = 2 * RATESPEC + 12

/** struct tc_tbf_qopt: rate, peak rate, limit, buffer, mtu. */
function encodeTbf(writer: MessageWriter, { rate, burst, limit }: TbfData): void {
  writer
    .struct(TcaTbf.PARMS, (qopt) => {
      writeRate(qopt, rate)
      writeRate(qopt, 0).word(limit).word(burstTicks(rate, burst)).word(0)
    })
    .u64(TcaTbf.RATE64, rate64(rate))
    .u32(TcaTbf.BURST, burst)
}

function decodeTbf(attributes: Attributes): QdiscData | undefined {
  const qopt = attributes.raw(TcaTbf.PARMS)
  if (qopt === undefined || qopt.length < TBF_QOPT) return undefined
  const view = viewOf(qopt)
  const rate = readRate(view, 0, attributes.u64(TcaTbf.RATE64))
  if (rate === 0) return undefined
  return {
    kind: 'tbf',
    rate,
    limit: view.getUint32(2 * RATESPEC, true),
    burst: burstBytes(rate, view.getUint32(2 * RATESPEC + 4, true)),
  }
}

/** struct tc_htb_glob: version, rate2quantum, defcls, debug, direct_pkts. */
function htbGlob({ defaultClass }: HtbData): Uint8Array {
  return words(HTB_VERSION, RATE_TO_QUANTUM, defaultClass, 0, 0)
}

function decodeHtb(attributes: Attributes): QdiscData | undefined {
  const glob = attributes.raw(TcaHtb.INIT)
  if (glob === undefined || glob.length < 20) return undefined
  return { kind: 'htb', defaultClass: viewOf(glob).getUint32(8, true) }
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}
