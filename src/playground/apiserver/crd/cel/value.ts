/**
 * Values as CEL has them: a schema says which numbers are whole.
 * @module
 */
import { isFields } from '../../objects/shape.ts'
import type { Schema } from '../schema.ts'

/** What a rule sees of a value. */
export type CelValue = string | number | bigint | boolean | null | readonly CelValue[] | CelFields

/** Fields of an object. It has no prototype, so that nothing is found but a field. */
export interface CelFields {
  readonly [name: string]: CelValue
}

/** A value of a schema, for rules. What the schema does not know they do not see. */
export function celValue(value: unknown, schema: Schema): CelValue {
  if (typeof value === 'number') return isWhole(schema) && Number.isInteger(value) ? BigInt(value) : value
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? [] : value.map((item) => celValue(item, items))
  }
  if (!isFields(value)) return null
  const known = Object.entries(value).flatMap(([name, inner]): [string, CelValue][] => {
    const below = schema.properties.get(name) ?? schema.additional
    return below === undefined ? [] : [[name, celValue(inner, below)]]
  })
  return fieldsOf(known)
}

/** A whole object for rules at the root, which see of its metadata the names alone. */
export function celObject(value: unknown, schema: Schema): CelValue {
  const inner = celValue(value, schema)
  if (!isFields(value) || typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
  const texts = (fields: unknown, names: readonly string[]): [string, CelValue][] =>
    names.flatMap((name): [string, CelValue][] => {
      const text = isFields(fields) ? fields[name] : undefined
      return typeof text === 'string' ? [[name, text]] : []
    })
  const metadata = fieldsOf(texts(value['metadata'], ['name', 'generateName']))
  return fieldsOf([...Object.entries(inner), ...texts(value, ['apiVersion', 'kind']), ['metadata', metadata]])
}

/** How many parts it has: what a look at all of it costs. */
export function sizeOf(value: CelValue | undefined): number {
  if (typeof value === 'string') return 1 + Math.floor(value.length / CHARACTERS_A_STEP)
  if (typeof value !== 'object' || value === null) return 1
  const inner: readonly CelValue[] = Array.isArray(value) ? value : Object.values(value)
  return inner.reduce<number>((sum, one) => sum + sizeOf(one), 1)
}

const CHARACTERS_A_STEP = 100

function isWhole({ types }: Schema): boolean {
  return types.includes('integer')
}

function fieldsOf(entries: readonly (readonly [string, CelValue])[]): CelFields {
  const fields: Record<string, CelValue> = Object.create(null)
  for (const [name, value] of entries) fields[name] = value
  return fields
}
