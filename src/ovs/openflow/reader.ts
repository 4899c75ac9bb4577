import { malformed } from './errors.ts'

/** Bytes in network order, read front to back; anything beyond the end throws `OPENFLOW_MALFORMED`. */
export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.end - this.at
  }

  /** A reader of the next `count` bytes, which this one skips. */
  sub(count: number, what: string): Reader {
    const start = this.#advance(count, what)
    return new Reader(this.bytes, start, start + count)
  }

  skip(count: number, what = 'padding'): void {
    this.#advance(count, what)
  }

  u8(what = 'short'): number {
    return this.#view.getUint8(this.#advance(1, what))
  }

  u16(what = 'short'): number {
    return this.#view.getUint16(this.#advance(2, what))
  }

  u32(what = 'short'): number {
    return this.#view.getUint32(this.#advance(4, what))
  }

  u64(what = 'short'): bigint {
    return this.#view.getBigUint64(this.#advance(8, what))
  }

  /** The next bytes, copied. */
  take(count: number, what = 'short'): Uint8Array {
    const start = this.#advance(count, what)
    return new Uint8Array(this.bytes.subarray(start, start + count))
  }

  /** Text in a field of fixed width, up to its first zero. */
  text(width: number, what = 'text'): string {
    const bytes = this.take(width, what)
    const zero = bytes.indexOf(0)
    return new TextDecoder('latin1').decode(zero < 0 ? bytes : bytes.subarray(0, zero))
  }

  hex(count: number, what = 'bytes'): string {
    return this.take(count, what).toHex()
  }

  #advance(count: number, what: string): number {
    const start = this.at
    if (count < 0 || count > this.end - start) throw malformed(what)
    this.at = start + count
    return start
  }
}
