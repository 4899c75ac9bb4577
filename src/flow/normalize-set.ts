import { type FieldCodec, fieldCodec, readScalar, writeFieldMatch, writeScalar } from './field-value.ts'
import type { Action } from './flow.ts'

/** The action that sets a field. */
export type SetAction = Extract<Action, { op: 'set' }>

/** The value under its mask; without the mask if it is full, undefined if it is empty: that sets nothing. */
export function normalizeSet(action: SetAction): Action | undefined {
  const { field, value, mask } = action
  const codec = { ...fieldCodec(field), maskable: true }
  if (mask === undefined) {
    writeScalar(codec, value, SCRATCH, 0)
    return { op: 'set', field, value: readScalar(codec, SCRATCH, 0) }
  }
  const coverage = writeFieldMatch(codec, { value, mask }, SCRATCH, 0)
  if (coverage === 'any') return undefined
  const canonical = readScalar(codec, SCRATCH, 0)
  if (coverage === 'exact') return { op: 'set', field, value: canonical }
  return { op: 'set', field, value: canonical, mask: readScalar(codec, SCRATCH, codec.bytes) }
}

const SCRATCH = new Uint8Array(32)
const EARLIER = new Uint8Array(32)

/** Two sets of one field in a row are one: below OpenFlow 1.5 a scattered mask is dumped as a load per run of bits. */
export function mergeSets(first: SetAction, second: SetAction): Action {
  if (second.mask === undefined) return second
  const codec = { ...fieldCodec(second.field), maskable: true }
  const { bytes } = codec
  writeMaskedSet(codec, first, EARLIER)
  writeMaskedSet(codec, second, SCRATCH)
  for (let i = 0; i < bytes; i++) {
    const mask = SCRATCH[bytes + i] ?? 0
    SCRATCH[i] = ((EARLIER[i] ?? 0) & ~mask) | (SCRATCH[i] ?? 0)
    SCRATCH[bytes + i] = mask | (EARLIER[bytes + i] ?? 0)
  }
  const value = readScalar(codec, SCRATCH, 0)
  if (first.mask === undefined) return { op: 'set', field: second.field, value }
  const mask = readScalar(codec, SCRATCH, bytes)
  return normalizeSet({ op: 'set', field: second.field, value, mask }) ?? second
}

function writeMaskedSet(codec: FieldCodec, { value, mask }: SetAction, out: Uint8Array): void {
  writeScalar(codec, value, out, 0)
  if (mask === undefined) out.fill(0xff, codec.bytes, 2 * codec.bytes)
  else writeScalar(codec, mask, out, codec.bytes)
}
