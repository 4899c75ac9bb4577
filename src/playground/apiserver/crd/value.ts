/**
 * What a schema says of one value, without what is in it.
 * @module
 */
import type { Cause } from '../http/status.ts'
import { cause, invalidValue, tooLong, tooMany, unsupported } from '../objects/causes.ts'
import type { Fields } from '../objects/shape.ts'
import { sameValue } from './lists.ts'
import type { Schema } from './schema.ts'
import { hasFormat } from './string-formats.ts'

/** Whether it is one of those that are listed. */
export function problemsOfValue(value: unknown, schema: Schema, path: string): readonly Cause[] {
  const { enum: listed } = schema
  if (listed === undefined || listed.some((each) => sameValue(each, value))) return []
  return [unsupported(path, value, listed)]
}

export function problemsOfNumber(value: number, { number }: Schema, path: string): readonly Cause[] {
  const { least, most, isAboveLeast, isBelowMost, step } = number
  const found: Cause[] = []
  const tell = (what: string) => found.push(invalidValue(path, value, `${path} in body should be ${what}`))
  if (most !== undefined && isBelowMost && value >= most) tell(`less than ${most}`)
  else if (most !== undefined && value > most) tell(`less than or equal to ${most}`)
  if (least !== undefined && isAboveLeast && value <= least) tell(`greater than ${least}`)
  else if (least !== undefined && value < least) tell(`greater than or equal to ${least}`)
  if (step !== undefined && step > 0 && !Number.isInteger(value / step)) tell(`a multiple of ${step}`)
  return found
}

export function problemsOfText(value: string, { length, pattern, format }: Schema, path: string): readonly Cause[] {
  const { least, most } = length
  const found: Cause[] = []
  const count = least === undefined && most === undefined ? 0 : characters(value)
  if (most !== undefined && count > most) found.push(tooLong(path, most))
  if (least !== undefined && count < least) {
    found.push(invalidValue(path, value, `${path} in body should be at least ${least} chars long`))
  }
  if (pattern !== undefined && !pattern.matches(value)) {
    found.push(invalidValue(path, value, `${path} in body should match '${pattern.text}'`))
  }
  if (format !== undefined && !hasFormat(value, format)) {
    const shown = JSON.stringify(value.slice(0, 1024))
    const message = `Invalid value: ${shown}: ${path} in body must be of type ${format}: ${shown}`
    found.push(cause('FieldValueTypeInvalid', path, message))
  }
  return found
}

export function problemsOfArray(value: readonly unknown[], { size }: Schema, path: string): readonly Cause[] {
  const { length } = value
  const found: Cause[] = []
  if (size.least !== undefined && length < size.least) {
    found.push(invalidValue(path, length, `${path} in body should have at least ${size.least} items`))
  }
  if (size.most !== undefined && length > size.most) found.push(tooMany(path, length, size.most))
  return found
}

export function problemsOfObject(value: Fields, { fields }: Schema, path: string): readonly Cause[] {
  const { length } = Object.keys(value)
  const found: Cause[] = []
  if (fields.least !== undefined && length < fields.least) {
    found.push(invalidValue(path, length, `${path} in body should have at least ${fields.least} properties`))
  }
  if (fields.most !== undefined && length > fields.most) found.push(tooMany(path, length, fields.most))
  return found
}

/** Unicode characters, where a string's length counts UTF-16 units. */
function characters(text: string): number {
  let count = 0
  for (const _character of text) count += 1
  return count
}
