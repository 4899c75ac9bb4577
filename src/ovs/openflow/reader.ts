import { malformed } from './errors.ts'

/** Bytes in network order, read front to back; anything beyond the end throws `OPENFLOW_MALFORMED`. */
export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
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
    return this.bytes[this.#advance(1, what)] ?? 0
  }

  u16(what = 'short'): number {
    const at = this.#advance(2, what)
    return ((this.bytes[at] ?? 0) << 8) | (this.bytes[at + 1] ?? 0)
  }

  u32(what = 'short'): number {
    return this.u16(what) * 65536 + this.u16(what)
  }

  u64(what = 'short'): bigint {
    const high = this.u32(what)
    const low = this.u32(what)
    // Most counters and cookies fit a number, which is the cheaper way to a bigint.
    return high < 0x200000 ? BigInt(high * 0x100000000 + low) : (BigInt(high) << 32n) | BigInt(low)
  }

  /** Copies the next bytes to the beginning of `into`. */
  copy(into: Uint8Array, count: number, what = 'short'): void {
    const start = this.#advance(count, what)
    for (let i = 0; i < count; i++) into[i] = this.bytes[start + i] ?? 0
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
