/**
 * Writes netlink messages so that they read like a sentence: header fields, then attributes; an undefined value writes
 * nothing. Hosts are little-endian; attributes and messages are padded to 4 bytes.
 * @module
 */
import { badArgument } from '../errno.ts'

export class MessageWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** The written bytes, not copied. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  byte(value: number): this {
    const at = this.#grow(1)
    this.#bytes[at] = integer(value, 0xff)
    return this
  }

  /** 16 bits, host order. */
  half(value: number): this {
    const at = this.#grow(2)
    this.#view.setUint16(at, integer(value, 0xffff), true)
    return this
  }

  /** 32 bits, host order. */
  word(value: number): this {
    const at = this.#grow(4)
    this.#view.setUint32(at, integer(value, 0xffffffff), true)
    return this
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length)
    this.#bytes.set(value, at)
    return this
  }

  u8(type: number, value: number | undefined): this {
    return value === undefined ? this : this.#attribute(type, 1, () => this.byte(value))
  }

  u16(type: number, value: number | undefined): this {
    return value === undefined ? this : this.#attribute(type, 2, () => this.half(value))
  }

  u32(type: number, value: number | undefined): this {
    return value === undefined ? this : this.#attribute(type, 4, () => this.word(value))
  }

  /** 16 bits in network order. */
  be16(type: number, value: number | undefined): this {
    return value === undefined ? this : this.u16(type, ((integer(value, 0xffff) & 0xff) << 8) | (value >> 8))
  }

  /** 32 bits in network order. */
  be32(type: number, value: number | undefined): this {
    if (value === undefined) return this
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, integer(value, 0xffffffff))
    return this.raw(type, bytes)
  }

  /** 64 bits in network order. */
  be64(type: number, value: bigint | undefined): this {
    if (value === undefined) return this
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, value)
    return this.raw(type, bytes)
  }

  /** 64 bits, host order. */
  u64(type: number, value: bigint | undefined): this {
    if (value === undefined) return this
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, value, true)
    return this.raw(type, bytes)
  }

  /** A NUL-terminated string. */
  text(type: number, value: string | undefined): this {
    if (value === undefined) return this
    if (value.includes('\0')) throw badArgument('a string for the kernel holds a NUL')
    const bytes = new TextEncoder().encode(value)
    return this.#attribute(type, bytes.length + 1, () => this.bytes(bytes).byte(0))
  }

  raw(type: number, value: Uint8Array | undefined): this {
    return value === undefined ? this : this.#attribute(type, value.length, () => this.bytes(value))
  }

  /** An attribute without a value, written when `present`. */
  flag(type: number, present: boolean | undefined): this {
    return present === true ? this.#attribute(type, 0, () => this) : this
  }

  /** An attribute that holds attributes. */
  nest(type: number, fill: (inner: this) => void): this {
    const at = this.#length
    this.half(0).half(type)
    fill(this)
    const length = this.#length - at
    if (length > 0xffff) throw badArgument('a nested attribute is longer than 65535 bytes')
    this.#view.setUint16(at, length, true)
    return this.#pad()
  }

  /** An attribute that holds a structure. */
  struct(type: number, fill: (inner: this) => unknown): this {
    return this.nest(type, (inner) => void fill(inner))
  }

  /** A message: `fill` writes its header structure and attributes; `seq` is overwritten when it is sent. */
  message(type: number, flags: number, fill: (inner: this) => void): this {
    const at = this.#length
    this.word(0).half(type).half(flags).word(0).word(0)
    fill(this)
    this.#view.setUint32(at, this.#length - at, true)
    return this.#pad()
  }

  #attribute(type: number, length: number, fill: () => unknown): this {
    if (length + 4 > 0xffff) throw badArgument('an attribute is longer than 65531 bytes')
    this.half(length + 4).half(type)
    fill()
    return this.#pad()
  }

  #pad(): this {
    const rest = (4 - (this.#length % 4)) % 4
    this.#bytes.fill(0, this.#grow(rest), this.#length)
    return this
  }

  #grow(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      wider.set(this.#bytes)
      this.#bytes = wider
      this.#view = new DataView(wider.buffer)
    }
    return at
  }
}

/** One message on its own. */
export function message(type: number, flags: number, fill: (writer: MessageWriter) => void): Uint8Array {
  return new MessageWriter().message(type, flags, fill).finish()
}

function integer(value: number, most: number): number {
  if (!Number.isInteger(value) || value > most || value < -((most + 1) / 2)) {
    throw badArgument(`${value} is not an integer between 0 and ${most}`)
  }
  return value
}
