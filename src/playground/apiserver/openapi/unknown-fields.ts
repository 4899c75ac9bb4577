/**
 * Fields that a schema does not know, for `fieldValidation=Strict` and `Warn`.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import { isFields } from '../objects/shape.ts'

type Schema = Readonly<Record<string, unknown>>

/** As many as are told; an object may be nothing but unknown fields. */
const MOST = 20

/**
 * The paths of fields that the resource's schema does not have, such as `spec.containers[0].imge`, at most 20. Everything
 * is known where there is no schema, or where it says that unknown fields are kept. Kubernetes words them
 * `strict decoding error: unknown field "spec.x"` (400, BadRequest), or the same as a warning.
 */
export function unknownFields({ schema }: Pick<ServedResource, 'schema'>, object: unknown): readonly string[] {
  if (schema === undefined) return []
  const found: string[] = []
  collect(schema, object, '', found, true)
  return found
}

function collect(schema: Schema, value: unknown, path: string, found: string[], isRoot = false): void {
  if (found.length >= MOST) return
  const whole = unwrapped(schema)
  if (Array.isArray(value)) {
    const items = whole['items']
    if (isFields(items)) for (const [index, item] of value.entries()) collect(items, item, `${path}[${index}]`, found)
    return
  }
  if (!isFields(value)) return
  const { properties, additionalProperties } = whole
  for (const [key, inner] of Object.entries(value)) {
    const known = isFields(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    const at = path === '' ? key : `${path}.${key}`
    if (isFields(known)) collect(known, inner, at, found)
    else if (known === undefined && !isOpen(whole) && !(isRoot && HEAD.has(key)) && found.length < MOST) found.push(at)
  }
}

const HEAD: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** A schema without fields says nothing of them. */
function isOpen(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true || schema['properties'] === undefined
}

/** A reference with a description around it is what it refers to. */
export function unwrapped(schema: Schema): Schema {
  const all = schema['allOf']
  return Array.isArray(all) && isFields(all[0]) ? all[0] : schema
}
