/**
 * What a schema says about patching.
 * @module
 */
import { isFields, own } from './json.ts'

export type Schema = Readonly<Record<string, unknown>>

/** Whether a list is joined with a patch's, and by which field of its items; without a field they are plain values. */
export interface Merging {
  readonly isMerged: boolean
  readonly key: string | undefined
}

/** How a field is merged. What has no schema is replaced. */
export function mergingOf(property: Schema | undefined): Merging {
  const strategy = property?.['x-kubernetes-patch-strategy']
  const key = property?.['x-kubernetes-patch-merge-key']
  const isMerged = typeof strategy === 'string' && strategy.split(',').includes('merge')
  return { isMerged, key: typeof key === 'string' ? key : undefined }
}

/** The schema of a field of an object, of a map's values, or of a list's `items`; undefined where there is none. */
export function under(schema: Schema | undefined, key: string): Schema | undefined {
  const whole = unwrapped(schema)
  if (whole === undefined) return undefined
  if (whole['type'] === 'array') return fieldsOr(whole['items'])
  const properties = whole['properties']
  return isFields(properties) ? fieldsOr(own(properties, key)) : fieldsOr(whole['additionalProperties'])
}

/** A schema that stands in an `allOf` by itself, so that words about the field can stand beside it. */
function unwrapped(schema: Schema | undefined): Schema | undefined {
  const all = schema?.['allOf']
  return Array.isArray(all) ? fieldsOr(all[0]) : schema
}

function fieldsOr(value: unknown): Schema | undefined {
  return isFields(value) ? value : undefined
}
