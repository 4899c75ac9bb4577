/**
 * Pruning: fields that a schema does not know are not kept.
 * @module
 */
import { type Fields, isFields } from '../objects/shape.ts'
import type { Schema } from './schema.ts'

/** The value with known fields alone. Without a schema no field of an object is known. */
export function pruned(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return prunedItems(value, schema)
  if (!isFields(value)) return value
  return schema === undefined ? {} : prunedFields(value, schema)
}

/** What every object has; a schema says nothing of it. */
const OBJECT_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

function prunedItems(items: readonly unknown[], schema: Schema | undefined): readonly unknown[] {
  if (schema?.keepsUnknown && schema.items === undefined) return items
  return items.map((item) => pruned(item, schema?.items))
}

function prunedFields(fields: Fields, schema: Schema): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
      if (schema.isEmbedded && OBJECT_FIELDS.has(name)) return [[name, value]]
      const inner = schema.properties.get(name) ?? schema.additional
      if (inner !== undefined) return [[name, pruned(value, inner)]]
      return schema.keepsUnknown ? [[name, value]] : []
    }),
  )
}
