import { coverageOfBytes, readFieldMatch, readScalar, writeFieldMatch, writeScalar } from '../../flow/field-value.ts'
import type { FieldName } from '../../flow/fields.ts'
import type { FieldMatch, Match, Scalar } from '../../flow/flow.ts'
import { normalizeMatch } from '../../flow/normalize.ts'
import { malformed, OpenFlowError } from './errors.ts'
import { EXPERIMENTER, fieldOfHeader, type OxmField, oxmField, oxmNumber, PACKET_REGISTERS } from './oxm-table.ts'
import { portNumber16, wideNumber } from './ports.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

const HAS_MASK = 0x100
/** ovs-ofctl sets the input port in this form of 16 bits, and Open vSwitch dumps it so. */
const NXM_OF_IN_PORT = 0x00000002

/** Writes the match structure: type, length, fields in the order that prerequisites ask for, padding. */
export function encodeMatch(w: Writer, match: Match): void {
  const start = w.length
  w.u16(1).u16(0)
  encodeFields(w, match)
  w.setU16(start + 2, w.length - start)
  w.align8(start)
}

/** Writes the fields of a match without the structure around them. */
export function encodeFields(w: Writer, match: Match): void {
  const given = match.vlan_tci === undefined ? match : normalizeMatch(match)
  let last = -1
  for (const name in given) {
    const { order } = oxmField(name)
    if (order < last) {
      encodeFields(w, inOrder(given))
      return
    }
    last = order
  }
  for (const name in given) {
    const value = given[name as FieldName]
    if (value !== undefined) encodeField(w, oxmField(name), value)
  }
}

function inOrder(match: Match): Match {
  const names = Object.keys(match).sort((a, b) => oxmField(a).order - oxmField(b).order)
  return Object.fromEntries(names.map((name) => [name, match[name as FieldName]]))
}

function encodeField(w: Writer, field: OxmField, value: FieldMatch): void {
  w.reserve(4 + 2 * field.bytes)
  const at = w.length
  w.u32(field.header)
  const coverage = writeFieldMatch(field, value, w.bytes, w.length)
  if (coverage === 'exact') w.length += field.bytes
  else if (coverage === 'any') w.length = at
  else {
    w.setU32(at, field.header + field.bytes + HAS_MASK)
    w.length += 2 * field.bytes
  }
}

/** Writes one field with its value (and mask), as set_field wants it. */
export function encodeValue(w: Writer, name: FieldName, value: Scalar, mask?: Scalar): void {
  const field = oxmField(name)
  if (name === 'in_port' && mask === undefined) {
    w.u32(NXM_OF_IN_PORT).u16(portNumber16(Number(value)))
    return
  }
  w.reserve(4 + 2 * field.bytes)
  w.u32(mask === undefined ? field.header : field.header + field.bytes + HAS_MASK)
  if (mask === undefined) writeScalar(field, value, w.bytes, w.length)
  else writeFieldMatch({ ...field, maskable: true }, { value, mask }, w.bytes, w.length)
  w.length += mask === undefined ? field.bytes : 2 * field.bytes
}

/** The header of a field without a value. */
export function encodeHeader(w: Writer, name: FieldName): void {
  w.u32(oxmField(name).header)
}

/** Reads the match structure with its padding. Throws `OPENFLOW_MALFORMED`, or `OPENFLOW_UNKNOWN_FIELD`. */
export function decodeMatch(r: Reader): Match {
  const type = r.u16('match')
  const length = r.u16('match')
  if (type !== 1 || length < 4) throw malformed('match structure')
  const fields = r.sub(length - 4, 'match length')
  r.skip((8 - (length & 7)) & 7, 'match padding')
  return decodeFields(fields)
}

/** Reads fields until the reader ends; see `decodeMatch`. Registers in pairs become single ones. */
export function decodeFields(r: Reader): Match {
  const match: { [field in FieldName]?: FieldMatch } = {}
  while (r.left > 0) {
    for (const [field, value] of decodeEntry(r)) if (value !== undefined) match[field.name] = value
  }
  return match
}

type Entry = readonly [OxmField, FieldMatch | undefined]

function decodeEntry(r: Reader): readonly Entry[] {
  const { header, experimenter, masked, length } = readHeader(r)
  if (header >>> 16 === PACKET_REGISTERS) return decodeRegisterPair(r, oxmNumber(header), masked, length)
  const field = fieldOfHeader(header, experimenter)
  if (field === undefined) throw unknownField(header)
  if (length !== (masked ? 2 : 1) * field.bytes) throw malformed(`length of ${field.name}`)
  const bytes = paddedCopy(r, length, 2 * field.bytes)
  return [[field, readFieldMatch(field, coverageOfBytes(field, bytes, 0, masked), bytes, 0)]]
}

function paddedCopy(r: Reader, length: number, room: number): Uint8Array {
  const bytes = new Uint8Array(room)
  bytes.set(r.take(length, 'field value'))
  return bytes
}

/** Header, experimenter if it has one, and the length of what follows. */
function readHeader(r: Reader): { header: number; experimenter: number; masked: boolean; length: number } {
  const header = r.u32('field header')
  const long = header >>> 16 === EXPERIMENTER
  const experimenter = long ? r.u32('field experimenter') : 0
  const length = (header & 0xff) - (long ? 4 : 0)
  if (length < 0) throw malformed('field length')
  return { header, experimenter, masked: (header & HAS_MASK) !== 0, length }
}

function decodeRegisterPair(r: Reader, pair: number, masked: boolean, length: number): readonly Entry[] {
  if (pair > 7 || length !== (masked ? 16 : 8)) throw malformed('register pair')
  const bytes = r.take(length, 'register pair')
  return [0, 4].map((offset) => {
    const field = oxmField(`reg${2 * pair + offset / 4}`)
    const half = new Uint8Array(8)
    half.set(bytes.subarray(offset, offset + 4))
    half.set(masked ? bytes.subarray(8 + offset, 12 + offset) : [255, 255, 255, 255], 4)
    return [field, readFieldMatch(field, coverageOfBytes(field, half, 0, true), half, 0)] as const
  })
}

/** Reads one field with its value, as set_field carries it; `mask` only where not every bit is set. */
export function decodeValue(r: Reader): { field: FieldName; value: Scalar; mask?: Scalar } {
  const { header, experimenter, masked, length } = readHeader(r)
  if (header === NXM_OF_IN_PORT) return { field: 'in_port', value: wideNumber(r.u16('in_port')) }
  const field = fieldOfHeader(header, experimenter)
  if (field === undefined) throw unknownField(header)
  if (length !== (masked ? 2 : 1) * field.bytes) throw malformed(`length of ${field.name}`)
  const bytes = r.take(length, 'field value')
  const value = readScalar(field, bytes, 0)
  return masked
    ? { field: field.name, value, mask: readScalar(field, bytes, field.bytes) }
    : { field: field.name, value }
}

/** Reads a header that names a field without a value. */
export function decodeHeader(r: Reader): FieldName {
  const { header, experimenter } = readHeader(r)
  const field = fieldOfHeader(header, experimenter)
  if (field === undefined) throw unknownField(header)
  return field.name
}

function unknownField(header: number): OpenFlowError {
  return new OpenFlowError(
    'OPENFLOW_UNKNOWN_FIELD',
    `field 0x${header.toString(16).padStart(8, '0')} is not in the flow language`,
    'the flow was installed by other software; remove it, or use a bridge of our own',
  )
}

/** Writes a field with every bit of its value set: how a group names the fields it hashes. */
export function encodeAllOnes(w: Writer, name: FieldName): void {
  const field = oxmField(name)
  w.u32(field.header)
  for (let i = 0; i < field.bytes; i++) w.u8(0xff)
}

/** Reads the names of fields that stand with values. */
export function decodeFieldNames(r: Reader): FieldName[] {
  const names: FieldName[] = []
  while (r.left > 0) {
    const { header, experimenter, length } = readHeader(r)
    r.skip(length, 'field value')
    const field = fieldOfHeader(header, experimenter)
    if (field === undefined) throw unknownField(header)
    names.push(field.name)
  }
  return names
}
