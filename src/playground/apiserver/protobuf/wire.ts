/**
 * The wire format of protocol buffers.
 * Source: the encoding page of the Protocol Buffers documentation.
 * @module
 */

/** Bytes that are no message, or one that is not read: then `unread` says what. */
export class WireError extends Error {
  readonly unread: string | undefined

  constructor(message: string, unread?: string) {
    super(message)
    this.name = 'WireError'
    this.unread = unread
  }
}

/** A field as it is on the wire: a number that was a varint or of fixed size, or bytes. */
export interface WireField {
  readonly number: number
  readonly value: bigint | Uint8Array
}

/** The fields of a message, one after the other. Throws WireError. Bytes are views, not copies. */
export function* fieldsOf(bytes: Uint8Array): Generator<WireField> {
  const reader = new Reader(bytes)
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    const number = Number(tag >> 3n)
    if (number < 1 || number > 536_870_911) throw new WireError('a field has no number')
    yield { number, value: reader.value(Number(tag & 7n)) }
  }
}

/** All numbers of a list that is packed into one field. */
export function packed(bytes: Uint8Array): readonly bigint[] {
  const reader = new Reader(bytes)
  const numbers: bigint[] = []
  while (!reader.isAtEnd) numbers.push(reader.varint())
  return numbers
}

/** A varint as the signed number that Kubernetes' integers are; throws where JSON could not hold it. */
export function integerOf(value: bigint): number {
  const number = Number(BigInt.asIntN(64, value))
  if (!Number.isSafeInteger(number)) throw new WireError('a number is too large')
  return number
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws what is no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new WireError('a text is not UTF-8')
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) throw new WireError('it ends in a number')
      this.#at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireError('a number has no end')
  }

  value(wireType: number): bigint | Uint8Array {
    switch (wireType) {
      case 0:
        return this.varint()
      case 1:
        return this.#fixed(8)
      case 2:
        return this.#take(this.varint())
      case 5:
        return this.#fixed(4)
      default:
        throw new WireError(`there is no wire type ${wireType}`)
    }
  }

  #fixed(size: number): bigint {
    return this.#take(BigInt(size)).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }

  #take(length: bigint): Uint8Array {
    if (length > BigInt(this.#bytes.length - this.#at)) throw new WireError('it ends in a field')
    const taken = this.#bytes.subarray(this.#at, this.#at + Number(length))
    this.#at += Number(length)
    return taken
  }
}
