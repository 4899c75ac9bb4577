/**
 * Fields of JSON objects, in whatever case their names are written. Go's zero values are what is not there.
 * @module
 */
import { configFault, quoted } from './errors.ts'

/** Fields by their names in lower case. */
export type Fields = ReadonlyMap<string, unknown>

/** An object's fields; of several with one name the last one counts. Undefined for what is no object. */
export function caseless(input: unknown): Fields | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  return new Map(Object.entries(input).map(([key, value]) => [key.toLowerCase(), value]))
}

/** A field's value; undefined for none and for `null`. */
export function fieldOf(fields: Fields, field: string): unknown {
  return fields.get(field.toLowerCase()) ?? undefined
}

/** A number above zero. Throws FLANNEL_CONFIG. */
export function numberOf(fields: Fields, field: string, most: number): number | undefined {
  const value = fieldOf(fields, field)
  if (value === undefined || value === 0) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most) return value
  throw configFault(`${field} ${quoted(value)} is no number up to ${most}`, 'write a number, without quotes')
}

/** True or false. Throws FLANNEL_CONFIG. */
export function switchOf(fields: Fields, field: string): boolean | undefined {
  const value = fieldOf(fields, field)
  if (value === undefined || typeof value === 'boolean') return value
  throw configFault(`${field} ${quoted(value)} is neither true nor false`, 'write true or false, without quotes')
}
