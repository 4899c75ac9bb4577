/**
 * First packets of connections, and answers to them, as bytes: right checksums, and a number by which they are known again.
 * @module
 */
import { parseIp, parseMac } from '../../src/linux/ip.ts'
import type { Ip, Mac } from '../../src/network/model/address.ts'
import type { Connection } from '../../src/network/policy/verdict.ts'
import { crc32c } from './crc32c.ts'

/** What a probe is of. */
export type ProbeProtocol = Connection['protocol']

/** A packet between two addresses. `number` is the port of the caller, or the identifier of an ICMP echo. */
export interface Probe {
  readonly source: Ip
  readonly destination: Ip
  readonly protocol: ProbeProtocol
  /** Of the one who is called; 0 for ICMP. */
  readonly port: number
  readonly number: number
}

/** Who a frame is from and to. */
export interface Hop {
  readonly from: Mac
  readonly to: Mac
}

/** What a packet is in its connection: its first, the answer to that, or a later one of the caller's. */
export type Part = 'first' | 'answer' | 'later'

/** A frame that was understood. `number` as in {@link Probe}, also in answers. */
export interface Seen {
  readonly protocol: ProbeProtocol
  readonly part: Part
  readonly number: number
  readonly port: number
  readonly source: Uint8Array
  readonly destination: Uint8Array
}

const ETHERNET = 14
const IPPROTO = { TCP: 6, UDP: 17, SCTP: 132 } as const
const ICMP = { 4: 1, 6: 58 } as const
const ECHO = { 4: [8, 0], 6: [128, 129] } as const
const TCP_FLAGS = { first: 0x02, answer: 0x12, later: 0x10 } as const
const UDP_BYTES = { first: 1, answer: 2, later: 3 } as const
const BODY = { TCP: 20, UDP: 12, SCTP: 32, ICMP: 12 } as const
/** SCTP's chunk types INIT and INIT ACK (RFC 9260 section 3.2). */
const SCTP_CHUNK = { first: 1, answer: 2, later: 0 } as const

/** The frame of a probe; an answer goes from the probe's destination to its source. */
export function frameOf(probe: Probe, hop: Hop, part: Part = 'first'): Uint8Array {
  const [source, destination] = [bytesOf(probe.source), bytesOf(probe.destination)]
  const isAnswer = part === 'answer'
  const [from, to] = isAnswer ? [destination, source] : [source, destination]
  const four = from.length === 4
  const at = ETHERNET + (four ? 20 : 40)
  const length = BODY[probe.protocol]
  const frame = new Uint8Array(Math.max(60, at + length))
  frame.set(macOf(hop.to), 0)
  frame.set(macOf(hop.from), 6)
  const protocol = probe.protocol === 'ICMP' ? ICMP[four ? 4 : 6] : IPPROTO[probe.protocol]
  if (four) writeIpv4(frame, protocol, length, from, to)
  else writeIpv6(frame, protocol, length, from, to)
  writeBody(frame.subarray(at, at + length), probe, part, four)
  const sum = checksumAt(probe.protocol)
  if (probe.protocol === 'SCTP') writeCrc(frame.subarray(at, at + length))
  else {
    const pseudo = probe.protocol === 'ICMP' && four ? 0 : sum16(from) + sum16(to) + protocol + length
    put16(frame, at + sum, fold(pseudo + sum16(frame.subarray(at, at + length))) || 0xffff)
  }
  return frame
}

/** Understands a frame of this module's; undefined for any other. */
export function readFrame(frame: Uint8Array): Seen | undefined {
  const type = get16(frame, 12)
  const four = type === 0x0800
  if (!four && type !== 0x86dd) return undefined
  const at = ETHERNET + (four ? 20 : 40)
  const [source, destination] = four
    ? [frame.subarray(26, 30), frame.subarray(30, 34)]
    : [frame.subarray(22, 38), frame.subarray(38, 54)]
  const found = readBody(frame[four ? 23 : 20] ?? 0, frame, at, four)
  return found === undefined ? undefined : { ...found, source, destination }
}

type Body = Pick<Seen, 'protocol' | 'part' | 'number' | 'port'>

function readBody(protocol: number, frame: Uint8Array, at: number, four: boolean): Body | undefined {
  const [from, to] = [get16(frame, at), get16(frame, at + 2)]
  const ends = (part: Part) => (part === 'answer' ? { number: to, port: from } : { number: from, port: to })
  if (protocol === IPPROTO.TCP) {
    const part = partOf(TCP_FLAGS, frame[at + 13])
    return part && { protocol: 'TCP', part, ...ends(part) }
  }
  if (protocol === IPPROTO.UDP) {
    const part = partOf(UDP_BYTES, frame[at + 8])
    return part && { protocol: 'UDP', part, ...ends(part) }
  }
  if (protocol === IPPROTO.SCTP) {
    const part = partOf(SCTP_CHUNK, frame[at + 12])
    return part && { protocol: 'SCTP', part, ...ends(part) }
  }
  const [request, reply] = ECHO[four ? 4 : 6]
  if (protocol !== ICMP[four ? 4 : 6] || (frame[at] !== request && frame[at] !== reply)) return undefined
  const first: Part = frame[at + 7] === 1 ? 'first' : 'later'
  return { protocol: 'ICMP', part: frame[at] === reply ? 'answer' : first, number: get16(frame, at + 4), port: 0 }
}

function partOf(codes: Readonly<Record<Part, number>>, code: number | undefined): Part | undefined {
  return PARTS.find((part) => codes[part] === code)
}

const PARTS: readonly Part[] = ['first', 'answer', 'later']

function writeIpv4(frame: Uint8Array, protocol: number, length: number, from: Uint8Array, to: Uint8Array): void {
  frame.set([0x08, 0x00, 0x45, 0], 12)
  put16(frame, 16, 20 + length)
  frame.set([64, protocol], 22)
  frame.set(from, 26)
  frame.set(to, 30)
  put16(frame, 24, fold(sum16(frame.subarray(14, 34))))
}

function writeIpv6(frame: Uint8Array, protocol: number, length: number, from: Uint8Array, to: Uint8Array): void {
  frame.set([0x86, 0xdd, 0x60], 12)
  put16(frame, 18, length)
  frame.set([protocol, 64], 20)
  frame.set(from, 22)
  frame.set(to, 38)
}

function writeBody(body: Uint8Array, { protocol, port, number }: Probe, part: Part, four: boolean): void {
  const isAnswer = part === 'answer'
  if (protocol === 'ICMP') {
    body[0] = ECHO[four ? 4 : 6][isAnswer ? 1 : 0]
    put16(body, 4, number)
    put16(body, 6, part === 'later' ? 2 : 1)
    return
  }
  put16(body, 0, isAnswer ? port : number)
  put16(body, 2, isAnswer ? number : port)
  if (protocol === 'TCP') {
    const [sequence, acknowledged] = { first: [1000, 0], answer: [5000, 1001], later: [1001, 5001] }[part] as [
      number,
      number,
    ]
    put16(body, 6, sequence)
    put16(body, 10, acknowledged)
    body[12] = 0x50
    body[13] = TCP_FLAGS[part]
    put16(body, 14, 0xffff)
  } else if (protocol === 'UDP') {
    put16(body, 4, BODY.UDP)
    body[8] = UDP_BYTES[part]
  } else {
    // INIT: its tag, a window, one stream each way, its first number (RFC 9260 section 3.3.2).
    if (isAnswer) body[7] = 1
    body[12] = SCTP_CHUNK[part]
    put16(body, 14, 20)
    body.set([0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1], 16)
  }
}

function checksumAt(protocol: ProbeProtocol): number {
  return { TCP: 16, UDP: 6, SCTP: 8, ICMP: 2 }[protocol]
}

function writeCrc(body: Uint8Array): void {
  new DataView(body.buffer, body.byteOffset).setUint32(8, crc32c(body), true)
}

const known = new Map<string, Uint8Array>()

/** The bytes of an address. */
export function bytesOf(address: Ip): Uint8Array {
  return remembered(address, parseIp)
}

function macOf(mac: Mac): Uint8Array {
  return remembered(mac, parseMac)
}

function remembered(text: string, parse: (text: string) => Uint8Array): Uint8Array {
  const found = known.get(text)
  if (found !== undefined) return found
  const bytes = parse(text)
  known.set(text, bytes)
  return bytes
}

function sum16(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  return sum
}

function fold(sum: number): number {
  let rest = sum
  while (rest > 0xffff) rest = (rest & 0xffff) + (rest >>> 16)
  return ~rest & 0xffff
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value & 0xff
}

function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
