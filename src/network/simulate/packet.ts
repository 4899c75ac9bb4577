/**
 * Packets as the simulator sees them: the value of every field.
 * @module
 */
import type { FieldName } from '../../flow/fields.ts'
import type { Scalar } from '../../flow/flow.ts'
import { bitsOf } from './bits.ts'

/** A packet: the value of every field it has. Registers and tunnel fields are zero where absent. */
export type Packet = ReadonlyMap<FieldName, bigint>

/** A packet from fields as flows write them. */
export function packetOf(fields: { readonly [field in FieldName]?: Scalar }): Packet {
  const entries = Object.entries(fields) as [FieldName, Scalar][]
  return new Map(entries.map(([field, value]) => [field, bitsOf(field, value)]))
}
