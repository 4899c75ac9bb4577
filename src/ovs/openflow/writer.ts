import { OpenFlowError } from './errors.ts'

/** Longest message: its length is a 16-bit number. */
export const MAX_MESSAGE = 65535

/** Bytes in network order, written front to back into a buffer that grows. Positions are absolute. */
export class Writer {
  bytes: Uint8Array
  length = 0
  #view: DataView

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Makes sure that `count` more bytes fit. */
  reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  u8(value: number): this {
    this.reserve(1)
    this.bytes[this.length++] = value
    return this
  }

  u16(value: number): this {
    this.reserve(2)
    this.#view.setUint16(this.length, value)
    this.length += 2
    return this
  }

  u32(value: number): this {
    this.reserve(4)
    this.#view.setUint32(this.length, value)
    this.length += 4
    return this
  }

  u64(value: bigint): this {
    this.reserve(8)
    this.#view.setBigUint64(this.length, value)
    this.length += 8
    return this
  }

  zeros(count: number): this {
    this.reserve(count)
    this.bytes.fill(0, this.length, this.length + count)
    this.length += count
    return this
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  /** ASCII text in a field of fixed width. */
  text(text: string, width: number): this {
    const start = this.length
    this.zeros(width)
    for (let i = 0; i < Math.min(text.length, width - 1); i++) this.bytes[start + i] = text.charCodeAt(i)
    return this
  }

  /** Two digits per byte. */
  hex(digits: string): this {
    for (let i = 0; i + 1 < digits.length; i += 2) this.u8(Number.parseInt(digits.slice(i, i + 2), 16))
    return this
  }

  /** Zeros until the distance from `start` is a multiple of eight. */
  align8(start: number): this {
    const rest = (this.length - start) & 7
    return rest === 0 ? this : this.zeros(8 - rest)
  }

  setU16(at: number, value: number): void {
    if (value > MAX_MESSAGE) {
      throw new OpenFlowError(
        'OPENFLOW_MESSAGE_TOO_LONG',
        `a message of ${value} bytes exceeds ${MAX_MESSAGE}`,
        'use fewer actions or buckets, or split them over several flows',
      )
    }
    this.#view.setUint16(at, value)
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value)
  }

  /** What was written, copied. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length) as Uint8Array<ArrayBuffer>
  }
}

/** Starts a message and returns its position for `endMessage`. */
export function beginMessage(w: Writer, version: number, type: number, xid: number): number {
  const start = w.length
  w.u8(version).u8(type).u16(0).u32(xid)
  return start
}

/** Fills in the length of the message that began at `start`. */
export function endMessage(w: Writer, start: number): void {
  w.setU16(start + 2, w.length - start)
}
