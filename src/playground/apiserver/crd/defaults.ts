/**
 * Defaults: what a schema fills in where nothing is given. They reach into objects that are there, and make no others.
 * @module
 */
import { type Fields, isFields } from '../objects/shape.ts'
import type { Schema } from './schema.ts'

/** The value with defaults, and without nulls where none may stand and nothing takes their place. */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) return value.map((item) => withDefaults(filled(item, schema.items), schema.items))
  return isFields(value) ? fieldsWithDefaults(value, schema) : value
}

function fieldsWithDefaults(fields: Fields, schema: Schema): Fields {
  const given = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const inner = schema.properties.get(name) ?? schema.additional
    const kept = filled(value, inner)
    const isNoNull = kept === null && inner !== undefined && !inner.isNullable
    return isNoNull ? [] : [[name, withDefaults(kept, inner)]]
  })
  const added = [...schema.properties].flatMap(([name, inner]): [string, unknown][] =>
    inner.default === undefined || Object.hasOwn(fields, name)
      ? []
      : [[name, withDefaults(inner.default.value, inner)]],
  )
  return Object.fromEntries([...given, ...added])
}

/** A null that may not stand here counts as not given. */
function filled(value: unknown, schema: Schema | undefined): unknown {
  return value === null && schema?.default !== undefined && !schema.isNullable ? schema.default.value : value
}
