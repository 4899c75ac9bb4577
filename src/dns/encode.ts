/**
 * Writes DNS messages, no longer than they may be.
 * @module
 */
import { parseIp } from '../linux/ip.ts'
import { CLASS_IN, type Data, type DnsRecord, type Edns, type Message, type Question, TYPES } from './message.ts'
import { labelBytes, labelsOf } from './name.ts'

/**
 * The message in at most `limit` bytes. Where answers do not fit, it says that it is truncated and holds those records
 * that come first and fit; additional records are left out without a word. Throws a TypeError for a name that is none.
 */
export function encodeMessage(message: Message, limit = 0xffff): Uint8Array {
  const writer = new Writer()
  const { questions, answers, authorities, additionals, edns } = message
  writer.header(message)
  for (const question of questions) writer.question(question)
  const room = limit - (edns === undefined ? 0 : OPTIONS)
  const answered = fill(writer, answers, room)
  const isCut = answered < answers.length
  const referred = isCut ? 0 : fill(writer, authorities, room)
  const isTruncated = isCut || referred < authorities.length
  const added = isTruncated ? 0 : fill(writer, additionals, room)
  if (edns !== undefined) writer.options(edns, message.rcode)
  return writer.finish([questions.length, answered, referred, added + (edns === undefined ? 0 : 1)], isTruncated)
}

/** An OPT record without options. */
const OPTIONS = 11

/** How many records fit. */
function fill(writer: Writer, records: readonly DnsRecord[], room: number): number {
  let count = 0
  for (const record of records) {
    const start = writer.length
    writer.record(record)
    if (writer.length > room) {
      writer.undo(start)
      return count
    }
    count += 1
  }
  return count
}

/** Appends; names that were written before are pointed to. */
class Writer {
  #bytes: number[] = []
  readonly #names = new Map<string, number>()

  get length(): number {
    return this.#bytes.length
  }

  undo(length: number): void {
    this.#bytes.length = length
    for (const [name, offset] of this.#names) if (offset >= length) this.#names.delete(name)
  }

  header(message: Message): void {
    const { isResponse, opcode, authoritative, truncated, recursionDesired, recursionAvailable, rcode } = message
    this.#u16(message.id)
    this.#u16(
      (isResponse ? 0x8000 : 0) |
        ((opcode & 0xf) << 11) |
        (authoritative ? 0x400 : 0) |
        (truncated ? 0x200 : 0) |
        (recursionDesired ? 0x100 : 0) |
        (recursionAvailable ? 0x80 : 0) |
        (rcode & 0xf),
    )
    for (let i = 0; i < 4; i++) this.#u16(0)
  }

  /** As it was asked, capitals and all; later names point to it. */
  question(question: Question): void {
    this.#remember(question.name)
    this.#raw(question.wire)
    this.#u16(question.type)
    this.#u16(question.class)
  }

  record({ name, ttl, data }: DnsRecord): void {
    this.#name(name)
    this.#u16(data.type === 'other' ? data.number : TYPES[data.type])
    this.#u16(CLASS_IN)
    this.#u32(ttl)
    const start = this.length
    this.#u16(0)
    this.#data(data)
    this.#patch(start, this.length - start - 2)
  }

  options({ size, version }: Edns, rcode: number): void {
    this.#raw([0])
    this.#u16(TYPES.OPT)
    this.#u16(size)
    this.#raw([rcode >> 4, version])
    this.#u16(0)
    this.#u16(0)
  }

  finish(counts: readonly number[], isTruncated: boolean): Uint8Array {
    counts.forEach((count, index) => {
      this.#patch(4 + 2 * index, count)
    })
    if (isTruncated) this.#bytes[2] = (this.#bytes[2] ?? 0) | 0x2
    return Uint8Array.from(this.#bytes)
  }

  #data(data: Data): void {
    switch (data.type) {
      case 'A':
      case 'AAAA':
        this.#raw(parseIp(data.address))
        break
      case 'CNAME':
      case 'PTR':
      case 'NS':
        this.#name(data.target)
        break
      case 'SRV':
        for (const value of [data.priority, data.weight, data.port]) this.#u16(value)
        // RFC 2782: the target is not compressed.
        this.#plainName(data.target)
        break
      case 'TXT':
        this.#text(data.text)
        break
      case 'SOA':
        this.#name(data.primary)
        this.#name(data.mailbox)
        for (const value of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) this.#u32(value)
        break
      case 'other':
        this.#raw(data.bytes)
    }
  }

  #text(text: string): void {
    for (let start = 0; start === 0 || start < text.length; start += 255) {
      const part = text.slice(start, start + 255)
      this.#raw([part.length, ...Array.from(part, (letter) => letter.charCodeAt(0) & 0xff)])
    }
  }

  #name(name: string): void {
    let rest = name
    for (const label of labelsOf(name)) {
      const known = this.#names.get(rest)
      if (known !== undefined) {
        this.#u16(0xc000 | known)
        return
      }
      if (this.length < 0x4000) this.#names.set(rest, this.length)
      this.#label(label)
      rest = rest.slice(label.length + 1)
    }
    this.#raw([0])
  }

  #plainName(name: string): void {
    for (const label of labelsOf(name)) this.#label(label)
    this.#raw([0])
  }

  #label(label: string): void {
    const bytes = labelBytes(label)
    if (bytes.length < 1 || bytes.length > 63) throw new TypeError(`not a label: ${JSON.stringify(label)}`)
    this.#raw([bytes.length, ...bytes])
  }

  #remember(name: string): void {
    let rest = name
    let offset = this.length
    for (const label of labelsOf(name)) {
      if (!this.#names.has(rest)) this.#names.set(rest, offset)
      offset += 1 + labelBytes(label).length
      rest = rest.slice(label.length + 1)
    }
  }

  #raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }

  #u16(value: number): void {
    this.#bytes.push((value >>> 8) & 0xff, value & 0xff)
  }

  #u32(value: number): void {
    this.#u16(Math.floor(value / 0x10000) & 0xffff)
    this.#u16(value & 0xffff)
  }

  #patch(offset: number, value: number): void {
    this.#bytes[offset] = (value >>> 8) & 0xff
    this.#bytes[offset + 1] = value & 0xff
  }
}
