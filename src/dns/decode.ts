/**
 * Reads DNS messages from anybody.
 * @module
 */
import { formatIp } from '../linux/ip.ts'
import { type Data, type DnsRecord, type Edns, type Message, type Question, TYPES } from './message.ts'
import { LONGEST_NAME, labelText } from './name.ts'

/** The header alone, for an answer to a message whose rest cannot be read. Undefined when there is not even that. */
export function decodeHeader(
  bytes: Uint8Array,
): Omit<Message, 'questions' | 'answers' | 'authorities' | 'additionals'> | undefined {
  if (bytes.length < HEADER) return undefined
  const view = viewOf(bytes)
  const flags = view.getUint16(2)
  return {
    id: view.getUint16(0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & 0x400) !== 0,
    truncated: (flags & 0x200) !== 0,
    recursionDesired: (flags & 0x100) !== 0,
    recursionAvailable: (flags & 0x80) !== 0,
    rcode: flags & 0xf,
  }
}

/** Undefined for what is no message: too short, names that loop or are too long, bytes beyond the end. Never throws. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  const header = decodeHeader(bytes)
  if (header === undefined || bytes.length > 0xffff) return undefined
  try {
    return body(header, new Reader(bytes))
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

const HEADER = 12
/** More pointers in a name than it can have labels. */
const MOST_JUMPS = 127

class Malformed extends Error {}

function body(header: NonNullable<ReturnType<typeof decodeHeader>>, reader: Reader): Message {
  const counts = [4, 6, 8, 10].map((offset) => reader.view.getUint16(offset))
  const [questionCount = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = counts
  reader.offset = HEADER
  const questions = Array.from(times(questionCount), () => question(reader))
  const answers = Array.from(times(answerCount), () => record(reader))
  const authorities = Array.from(times(authorityCount), () => record(reader))
  const additionals = Array.from(times(additionalCount), () => record(reader))
  const options = additionals.filter(({ data }) => isOptions(data))
  // Two of them, or one where it does not belong, is a malformed message.
  if (options.length > 1 || [...answers, ...authorities].some(({ data }) => isOptions(data))) throw new Malformed()
  const [option] = options
  return {
    ...header,
    rcode: header.rcode | (((option?.ttl ?? 0) >>> 24) << 4),
    questions,
    answers,
    authorities,
    additionals: additionals.filter((one) => one !== option),
    ...(option === undefined ? {} : { edns: ednsOf(option) }),
  }
}

/** Counts in a header are claims: each item is read before room is made for the next. */
function* times(claimed: number): Generator<number> {
  for (let i = 0; i < claimed; i++) yield i
}

function question(reader: Reader): Question {
  const { name, wire } = reader.name()
  return { name, wire, type: reader.u16(), class: reader.u16() }
}

function record(reader: Reader): DnsRecord {
  const { name } = reader.name()
  const type = reader.u16()
  const size = reader.u16()
  const ttl = reader.u32()
  const end = reader.u16() + reader.offset
  if (end > reader.bytes.length) throw new Malformed()
  // The class of OPT is the size that its sender can receive.
  const data = type === TYPES.OPT ? options(reader, size, end) : dataOf(reader, type, end)
  reader.offset = end
  return { name, ttl, data }
}

function options(reader: Reader, size: number, end: number): Data {
  const bytes = new Uint8Array(2 + end - reader.offset)
  viewOf(bytes).setUint16(0, size)
  bytes.set(reader.bytes.subarray(reader.offset, end), 2)
  return { type: 'other', number: TYPES.OPT, bytes }
}

function isOptions(data: Data): boolean {
  return data.type === 'other' && data.number === TYPES.OPT
}

function ednsOf({ ttl, data }: DnsRecord): Edns {
  const size = data.type === 'other' ? viewOf(data.bytes).getUint16(0) : 0
  return { size, version: (ttl >>> 16) & 0xff }
}

function dataOf(reader: Reader, type: number, end: number): Data {
  const data = knownData(reader, type, end)
  if (data !== undefined && reader.offset !== end) throw new Malformed()
  return data ?? { type: 'other', number: type, bytes: reader.bytes.slice(reader.offset, end) }
}

function knownData(reader: Reader, type: number, end: number): Data | undefined {
  switch (type) {
    case TYPES.A:
      return { type: 'A', address: formatIp(reader.take(4)) }
    case TYPES.AAAA:
      return { type: 'AAAA', address: formatIp(reader.take(16)) }
    case TYPES.CNAME:
      return { type: 'CNAME', target: reader.name().name }
    case TYPES.PTR:
      return { type: 'PTR', target: reader.name().name }
    case TYPES.NS:
      return { type: 'NS', target: reader.name().name }
    case TYPES.SRV:
      return {
        type: 'SRV',
        priority: reader.u16(),
        weight: reader.u16(),
        port: reader.u16(),
        target: reader.name().name,
      }
    case TYPES.TXT:
      return { type: 'TXT', text: strings(reader, end) }
    case TYPES.SOA:
      return {
        type: 'SOA',
        primary: reader.name().name,
        mailbox: reader.name().name,
        serial: reader.u32(),
        refresh: reader.u32(),
        retry: reader.u32(),
        expire: reader.u32(),
        minimum: reader.u32(),
      }
    default:
      return undefined
  }
}

function strings(reader: Reader, end: number): string {
  let text = ''
  while (reader.offset < end) text += String.fromCharCode(...reader.take(reader.take(1)[0] ?? 0))
  return text
}

/** Reads forward, and names also backward. */
class Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = viewOf(bytes)
  }

  take(length: number): Uint8Array {
    const end = this.offset + length
    if (end > this.bytes.length) throw new Malformed()
    const taken = this.bytes.subarray(this.offset, end)
    this.offset = end
    return taken
  }

  u16(): number {
    const [high = 0, low = 0] = this.take(2)
    return (high << 8) | low
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  /** A pointer must lead to before where its part of the name began: no chain of them ever comes round. */
  name(): { readonly name: string; readonly wire: Uint8Array } {
    const labels: string[] = []
    const wire: number[] = []
    let after: number | undefined
    let start = this.offset
    let jumps = 0
    for (;;) {
      const [length = 0] = this.take(1)
      if (length >= 0xc0) {
        const [low = 0] = this.take(1)
        const target = ((length & 0x3f) << 8) | low
        if (target >= start || jumps++ > MOST_JUMPS) throw new Malformed()
        after ??= this.offset
        start = target
        this.offset = target
        continue
      }
      if (length > 63) throw new Malformed()
      const label = this.take(length)
      wire.push(length, ...label)
      if (wire.length > LONGEST_NAME) throw new Malformed()
      if (length === 0) break
      labels.push(labelText(label))
    }
    this.offset = after ?? this.offset
    return { name: labels.join('.'), wire: Uint8Array.from(wire) }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
