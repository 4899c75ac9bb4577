/**
 * Field values as numbers, for the simulator.
 * @module
 */
import { FIELDS, type FieldName } from '../../flow/fields.ts'
import type { FieldMatch, Masked, Scalar, Subfield } from '../../flow/flow.ts'
import { BITS, type Family, ip, ipValue } from '../model/address.ts'

/** A value under a mask. */
export interface BitMatch {
  readonly value: bigint
  readonly mask: bigint
}

/** The number that a field's text, number or bigint stands for. */
export function bitsOf(field: FieldName, scalar: Scalar): bigint {
  if (typeof scalar !== 'string') return BigInt(scalar)
  const { kind } = FIELDS[field]
  if (kind === 'mac') return BigInt(`0x${scalar.replaceAll(':', '')}`)
  if (kind === 'ipv4' || kind === 'ipv6') return ipValue(ip(scalar))
  return BigInt(scalar)
}

/** What a field must be, as value and mask. */
export function bitMatch(field: FieldName, match: FieldMatch): BitMatch {
  const full = ones(FIELDS[field].bits)
  if (isMasked(match)) {
    const mask = bitsOf(field, match.mask)
    return { value: bitsOf(field, match.value) & mask, mask }
  }
  const slash = typeof match === 'string' ? match.indexOf('/') : -1
  if (typeof match !== 'string' || slash < 0) return { value: bitsOf(field, match), mask: full }
  const family: Family = FIELDS[field].kind === 'ipv6' ? 6 : 4
  const hostBits = BigInt(BITS[family] - Number(match.slice(slash + 1)))
  const mask = (full >> hostBits) << hostBits
  return { value: bitsOf(field, match.slice(0, slash)) & mask, mask }
}

/** Reads a subfield out of a field's value. */
export function extract(value: bigint, { offset, bits }: Subfield): bigint {
  return (value >> BigInt(offset)) & ones(bits)
}

/** A field's value with a subfield replaced. */
export function insert(value: bigint, { offset, bits }: Subfield, part: bigint): bigint {
  const mask = ones(bits) << BigInt(offset)
  return (value & ~mask) | ((part << BigInt(offset)) & mask)
}

function ones(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n
}

function isMasked(match: FieldMatch): match is Masked {
  return typeof match === 'object'
}
