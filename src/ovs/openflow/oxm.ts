import { coverageOfBytes, readFieldMatch, readScalar, writeFieldMatch, writeScalar } from '../../flow/field-value.ts'
import type { FieldName } from '../../flow/fields.ts'
import type { FieldMatch, Match, Scalar } from '../../flow/flow.ts'
import { type MatchPart, matchOf, normalizeMatch } from '../../flow/normalize.ts'
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
function encodeFields(w: Writer, match: Match): void {
  const given = match.vlan_tci === undefined ? match : normalizeMatch(match)
  const fields: OxmField[] = []
  for (const name in given) {
    const field = oxmField(name)
    if (given[field.name] !== undefined) insertInOrder(fields, field)
  }
  for (const field of fields) encodeField(w, field, given[field.name] ?? 0)
}

/** Matches are short and mostly in order already. */
function insertInOrder(fields: OxmField[], field: OxmField): void {
  let at = fields.length
  fields.push(field)
  for (let before = fields[at - 1]; before !== undefined && before.order > field.order; before = fields[at - 1]) {
    fields[at] = before
    at--
  }
  fields[at] = field
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

/** Reads fields until the reader ends, canonical; see `decodeMatch`. Registers in pairs become single ones. */
export function decodeFields(r: Reader): Match {
  const parts: MatchPart[] = []
  while (r.left > 0) decodeEntry(r, parts)
  return matchOf(parts)
}

const SCRATCH = new Uint8Array(32)

function decodeEntry(r: Reader, parts: MatchPart[]): void {
  const { header, experimenter, masked, length } = readHeader(r)
  if (header >>> 16 === PACKET_REGISTERS) {
    decodeRegisterPair(r, oxmNumber(header), masked, length, parts)
    return
  }
  const field = fieldOfHeader(header, experimenter)
  if (field === undefined) throw unknownField(header)
  if (length !== (masked ? 2 : 1) * field.bytes) throw malformed(`length of ${field.name}`)
  r.copy(SCRATCH, length, 'field value')
  readPart(field, masked, parts)
}

function readPart(field: OxmField, masked: boolean, parts: MatchPart[]): void {
  const value = readFieldMatch(field, coverageOfBytes(field, SCRATCH, 0, masked), SCRATCH, 0)
  if (value !== undefined) parts.push([field, value])
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

function decodeRegisterPair(r: Reader, pair: number, masked: boolean, length: number, parts: MatchPart[]): void {
  if (pair > 7 || length !== (masked ? 16 : 8)) throw malformed('register pair')
  const bytes = r.take(length, 'register pair')
  for (const half of [0, 1]) {
    SCRATCH.set(bytes.subarray(4 * half, 4 * half + 4))
    if (masked) SCRATCH.set(bytes.subarray(8 + 4 * half, 12 + 4 * half), 4)
    readPart(oxmField(`reg${2 * pair + half}`), masked, parts)
  }
}

/** Reads one field with its value, as set_field carries it; `mask` only where not every bit is set. */
export function decodeValue(r: Reader): { field: FieldName; value: Scalar; mask?: Scalar } {
  const { header, experimenter, masked, length } = readHeader(r)
  if (header === NXM_OF_IN_PORT) return { field: 'in_port', value: wideNumber(r.u16('in_port')) }
  const field = fieldOfHeader(header, experimenter)
  if (field === undefined) throw unknownField(header)
  if (length !== (masked ? 2 : 1) * field.bytes) throw malformed(`length of ${field.name}`)
  r.copy(SCRATCH, length, 'field value')
  const value = readScalar(field, SCRATCH, 0)
  return masked
    ? { field: field.name, value, mask: readScalar(field, SCRATCH, field.bytes) }
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
