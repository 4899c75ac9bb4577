/**
 * Values of fields as bytes in network order, and back. Every encoder and the canonical form rest on these two
 * functions, so that what was sent and what a switch dumps compare equal.
 * @module
 */
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from './address-text.ts'
import { FlowError } from './errors.ts'
import { FIELDS, type Field, type FieldName } from './fields.ts'
import type { FieldMatch, Masked, Scalar } from './flow.ts'

/** What a written match says about its field: nothing at all, every bit, or the bits of a mask. */
export type Coverage = 'any' | 'exact' | 'masked'

/** A field with what encoders need at hand. `order` puts prerequisites before what depends on them. */
export interface FieldCodec extends Field {
  readonly name: FieldName
  readonly bytes: number
  readonly order: number
}

const CODECS: ReadonlyMap<string, FieldCodec> = new Map(
  Object.entries(FIELDS).map(([name, field], order) => [
    name,
    { ...field, name: name as FieldName, order, bytes: Math.ceil(field.bits / 8) },
  ]),
)

/** The codec of a field; throws `FLOW_FIELD_UNKNOWN`. */
export function fieldCodec(name: string): FieldCodec {
  const codec = CODECS.get(name)
  if (codec === undefined) throw new FlowError('FLOW_FIELD_UNKNOWN', `no field '${name}'`, 'use a name of FIELDS')
  return codec
}

/** Bits of ct_state that exist; Open vSwitch keeps no others, so an exact match means these. */
const CT_STATE_BITS = 0xff

/**
 * Writes a value, and after it the mask if only some bits count. Bits outside the mask are cleared.
 * Throws `FLOW_VALUE_INVALID` or `FLOW_MASK_REFUSED`. `out` needs room for twice `codec.bytes`.
 */
export function writeFieldMatch(codec: FieldCodec, match: FieldMatch, out: Uint8Array, at: number): Coverage {
  if (codec.name === 'ct_state') return writeCtState(codec, match, out, at)
  if (typeof match === 'object') return writeMasked(codec, match, out, at)
  if (typeof match === 'string') {
    const slash = match.indexOf('/')
    if (slash >= 0) return writeTextMask(codec, match, slash, out, at)
  }
  writeScalar(codec, match, out, at)
  return 'exact'
}

function writeCtState(codec: FieldCodec, match: FieldMatch, out: Uint8Array, at: number): Coverage {
  const masked = typeof match === 'object' ? match : { value: match, mask: CT_STATE_BITS }
  writeScalar(codec, masked.mask, out, at + 4)
  out.fill(0, at + 4, at + 7)
  writeScalar(codec, masked.value, out, at)
  return applyMask(codec, out, at, codec.maskable)
}

function writeMasked(codec: FieldCodec, match: Masked, out: Uint8Array, at: number): Coverage {
  writeScalar(codec, match.value, out, at)
  writeScalar(codec, match.mask, out, at + codec.bytes)
  return applyMask(codec, out, at, codec.maskable)
}

/** `10.0.0.0/8`, `fd00::/64`, or a mask in full as in `10.0.0.1/255.0.0.255` and `0x10/0xf0`. */
function writeTextMask(codec: FieldCodec, text: string, slash: number, out: Uint8Array, at: number): Coverage {
  writeScalar(codec, text.slice(0, slash), out, at)
  const mask = text.slice(slash + 1)
  if ((codec.kind === 'ipv4' || codec.kind === 'ipv6') && /^\d{1,3}$/.test(mask)) {
    const length = Number(mask)
    if (length > codec.bits) throw invalid(codec, text)
    writePrefixMask(length, out, at + codec.bytes, codec.bytes)
  } else writeScalar(codec, mask, out, at + codec.bytes)
  return applyMask(codec, out, at, codec.maskable)
}

function writePrefixMask(length: number, out: Uint8Array, at: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) {
    const bits = Math.max(0, Math.min(8, length - 8 * i))
    out[at + i] = (0xff << (8 - bits)) & 0xff
  }
}

function applyMask(codec: FieldCodec, out: Uint8Array, at: number, maskable: boolean): Coverage {
  const { bytes, bits } = codec
  let ones = true
  let zeros = true
  for (let i = 0; i < bytes; i++) {
    const mask = out[at + bytes + i] ?? 0
    const full = i === 0 && bits % 8 !== 0 ? (1 << (bits % 8)) - 1 : 0xff
    out[at + i] = (out[at + i] ?? 0) & mask
    if ((mask & full) !== full) ones = false
    if ((mask & full) !== 0) zeros = false
  }
  if (zeros) return 'any'
  if (ones) return 'exact'
  if (maskable) return 'masked'
  throw new FlowError('FLOW_MASK_REFUSED', `${codec.name} cannot be masked`, 'match the whole field or leave it out')
}

/** Writes one value in `codec.bytes` bytes; throws `FLOW_VALUE_INVALID`. Integers may be numbers, bigints or text. */
export function writeScalar(codec: FieldCodec, value: Scalar, out: Uint8Array, at: number): void {
  if (typeof value === 'number' && codec.bits <= 32) {
    writeNumber(codec, value, out, at)
    return
  }
  if (typeof value === 'string' && codec.kind !== 'integer') {
    const read = codec.kind === 'mac' ? parseMac : codec.kind === 'ipv4' ? parseIpv4 : parseIpv6
    if (!read(value, out, at)) throw invalid(codec, value)
    return
  }
  writeBigint(codec, toBigint(codec, value), out, at)
}

function writeNumber(codec: FieldCodec, value: number, out: Uint8Array, at: number): void {
  const top = codec.bits === 32 ? 0xffffffff : (1 << codec.bits) - 1
  if (!(value >= 0 && value <= top && Number.isInteger(value))) throw invalid(codec, value)
  for (let i = codec.bytes - 1, rest = value; i >= 0; i--) {
    out[at + i] = rest & 0xff
    rest >>>= 8
  }
}

function writeBigint(codec: FieldCodec, value: bigint, out: Uint8Array, at: number): void {
  if (value < 0n || value >> BigInt(codec.bits) !== 0n) throw invalid(codec, value)
  let rest = value
  for (let i = codec.bytes - 1; i >= 0; i--) {
    out[at + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}

function toBigint(codec: FieldCodec, value: Scalar): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^(0x[0-9a-f]{1,32}|\d{1,39})$/i.test(value)) return BigInt(value)
  throw invalid(codec, value)
}

function invalid(codec: FieldCodec, value: unknown): FlowError {
  const shown = String(value).slice(0, 60)
  const wanted = codec.kind === 'integer' ? `an integer of ${codec.bits} bits` : `${codec.kind} text`
  return new FlowError('FLOW_VALUE_INVALID', `${codec.name}: '${shown}' is not ${wanted}`, `give ${wanted}`)
}

/** Reads one value in its canonical form: number up to 32 bits, bigint above, text for addresses. */
export function readScalar(codec: FieldCodec, bytes: Uint8Array, at: number): Scalar {
  if (codec.kind === 'ipv4') return formatIpv4(bytes, at)
  if (codec.kind === 'ipv6') return formatIpv6(bytes, at)
  if (codec.kind === 'mac') return formatMac(bytes, at)
  if (codec.bits > 32) {
    let wide = 0n
    for (let i = 0; i < codec.bytes; i++) wide = (wide << 8n) | BigInt(bytes[at + i] ?? 0)
    return wide
  }
  let value = 0
  for (let i = 0; i < codec.bytes; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

/** Reads what `writeFieldMatch` wrote; undefined for 'any'. Prefix masks of IP fields become CIDR text. */
export function readFieldMatch(
  codec: FieldCodec,
  coverage: Coverage,
  bytes: Uint8Array,
  at: number,
): FieldMatch | undefined {
  if (coverage === 'any') return undefined
  const value = readScalar(codec, bytes, at)
  if (coverage === 'exact') return value
  if (codec.kind === 'ipv4' || codec.kind === 'ipv6') {
    const length = prefixLength(bytes, at + codec.bytes, codec.bytes)
    if (length >= 0) return `${value}/${length}`
  }
  return { value, mask: readScalar(codec, bytes, at + codec.bytes) }
}

function prefixLength(bytes: Uint8Array, at: number, count: number): number {
  let length = 0
  let ended = false
  for (let i = 0; i < count; i++) {
    const ones = Math.clz32(~((bytes[at + i] ?? 0) << 24))
    const run = Math.min(8, ones)
    if (((bytes[at + i] ?? 0) << run) & 0xff) return -1
    if (ended && run > 0) return -1
    if (run < 8) ended = true
    length += run
  }
  return length
}

const SCRATCH = new Uint8Array(32)

/** The canonical form of what a field must be; undefined if it matches everything. */
export function canonicalFieldMatch(codec: FieldCodec, match: FieldMatch): FieldMatch | undefined {
  return readFieldMatch(codec, writeFieldMatch(codec, match, SCRATCH, 0), SCRATCH, 0)
}

/** How much of a field counts, decided from raw bytes (value, then mask), as a switch sent them. Clears bits outside. */
export function coverageOfBytes(codec: FieldCodec, bytes: Uint8Array, at: number, masked: boolean): Coverage {
  if (codec.name === 'ct_state') {
    if (!masked) bytes.set([0, 0, 0, CT_STATE_BITS], at + 4)
    bytes.fill(0, at + 4, at + 7)
    return applyMask(codec, bytes, at, true)
  }
  if (masked) return applyMask(codec, bytes, at, true)
  if (codec.bits % 8 !== 0) bytes[at] = (bytes[at] ?? 0) & ((1 << (codec.bits % 8)) - 1)
  return 'exact'
}
