/**
 * The words for what is wrong with a field. Source: a kube-apiserver 1.32, asked.
 * @module
 */
import type { Cause, CauseReason } from '../http/status.ts'
import { type Fields, isFields } from './shape.ts'

/** Characters of a refused value that are told. */
const TOLD = 1024

export function cause(reason: CauseReason, field: string, message: string): Cause {
  return { reason, field, message }
}

export function required(field: string, why = ''): Cause {
  return cause('FieldValueRequired', field, why === '' ? 'Required value' : `Required value: ${why}`)
}

export function invalidValue(field: string, value: unknown, why: string): Cause {
  return cause('FieldValueInvalid', field, `Invalid value: ${shown(value)}: ${why}`)
}

/** For values that Go prints in their own way. */
export function invalidAs(field: string, printed: string, why: string): Cause {
  return cause('FieldValueInvalid', field, `Invalid value: ${printed}${why === '' ? '' : `: ${why}`}`)
}

export function forbiddenField(field: string, why: string): Cause {
  return cause('FieldValueForbidden', field, `Forbidden: ${why}`)
}

export function unsupported(field: string, value: unknown, supported: readonly unknown[]): Cause {
  const list = supported.map((each) => JSON.stringify(typeof each === 'string' ? each : plain(each))).join(', ')
  return cause('FieldValueNotSupported', field, `Unsupported value: ${shown(value)}: supported values: ${list}`)
}

export function duplicate(field: string, value: unknown): Cause {
  return cause('FieldValueDuplicate', field, `Duplicate value: ${shown(value)}`)
}

export function tooLong(field: string, most: number): Cause {
  return cause('FieldValueTooLong', field, `Too long: may not be more than ${most} bytes`)
}

export function tooMany(field: string, count: number, most: number): Cause {
  return cause('FieldValueTooMany', field, `Too many: ${count}: must have at most ${most} items`)
}

/** Of another type than `types`. */
export function wrongType(field: string, value: unknown, types: readonly string[]): Cause {
  const name = typeName(value)
  const message = `Invalid value: "${name}": ${field} in body must be of type ${types.join(',')}: "${name}"`
  return cause('FieldValueTypeInvalid', field, message)
}

const INT64 = 2 ** 63

/** JSON Schema's name of a value's type; an integer is one that fits into 64 bits. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value !== 'number') return typeof value
  return Number.isInteger(value) && value >= -INT64 && value < INT64 ? 'integer' : 'number'
}

/** A map of texts as Go prints it. */
export function goStringMap(texts: Fields): string {
  const names = Object.keys(texts).sort()
  if (names.length === 0) return 'map[string]string(nil)'
  return `map[string]string{${names.map((name) => `${JSON.stringify(name)}:${goText(texts[name])}`).join(', ')}}`
}

/** A value as Go prints it, cut where it is long. */
function shown(value: unknown): string {
  const text = goText(value)
  return text.length > TOLD ? `${text.slice(0, TOLD)}…` : text
}

/** A value of any type as Go prints it with its type. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goText).join(', ')}}`
  if (!isFields(value)) return value === null || value === undefined ? 'null' : JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `map[string]interface {}{${names.map((name) => `${JSON.stringify(name)}:${goText(value[name])}`).join(', ')}}`
}

function plain(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}
