import { OPENFLOW_13, OPENFLOW_14, OPENFLOW_15 } from './action-codes.ts'
import { OFPT, readHeader } from './message-types.ts'
import { Reader } from './reader.ts'
import { beginMessage, endMessage, Writer } from './writer.ts'

/** Versions that we speak, best first. */
const SPOKEN = [OPENFLOW_15, OPENFLOW_14, OPENFLOW_13] as const

/** One of the versions we speak, as the number on the wire: 4 is 1.3, 6 is 1.5. */
export type Version = (typeof SPOKEN)[number]

const VERSION_BITMAP = 1

/** Our hello: the highest version in its header, all of them in the bitmap. */
export function encodeHello(xid: number): Uint8Array<ArrayBuffer> {
  const w = new Writer(16)
  const start = beginMessage(w, SPOKEN[0], OFPT.hello, xid)
  w.u16(VERSION_BITMAP)
    .u16(8)
    .u32(SPOKEN.reduce((bits, version) => bits | (1 << version), 0))
  endMessage(w, start)
  return w.take()
}

/** The best version both sides speak, from the peer's whole hello message; undefined if there is none. */
export function negotiate(hello: Uint8Array): Version | undefined {
  const bitmap = readBitmap(hello)
  if (bitmap !== undefined) return SPOKEN.find((version) => (bitmap & (1 << version)) !== 0)
  const { version } = readHeader(hello)
  return SPOKEN.find((spoken) => spoken <= version)
}

function readBitmap(hello: Uint8Array): number | undefined {
  const r = new Reader(hello, 8)
  while (r.left >= 4) {
    const type = r.u16()
    const length = r.u16()
    if (length < 4 || length - 4 > r.left) return undefined
    const body = r.sub(length - 4, 'hello element')
    if (type === VERSION_BITMAP && body.left >= 4) return body.u32()
    r.skip(Math.min(r.left, (8 - (length & 7)) & 7))
  }
  return undefined
}
