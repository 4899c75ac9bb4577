/**
 * Values that are no messages in JSON, though some are on the wire.
 * @module
 */
import { fieldsOf, integerOf, textOf, WireError } from './wire.ts'

type Value = bigint | Uint8Array

const READERS: ReadonlyMap<string, (value: Value) => unknown> = new Map<string, (value: Value) => unknown>([
  ['string', (value) => textOf(bytes(value))],
  ['bytes', (value) => Buffer.from(bytes(value)).toString('base64')],
  ['bool', (value) => number(value) !== 0],
  ['int32', number],
  ['int64', number],
  ['Time', (value) => time(bytes(value), 0)],
  ['MicroTime', (value) => time(bytes(value), 6)],
  ['Quantity', (value) => quantity(bytes(value))],
  ['IntOrString', (value) => integerOrString(bytes(value))],
])

/** The names of these types. */
export const SCALARS: ReadonlySet<string> = new Set(READERS.keys())

/** The JSON of a value; undefined for a time that is not set. Throws WireError. */
export function readScalar(name: string, value: Value): unknown {
  return READERS.get(name)?.(value)
}

function bytes(value: Value): Uint8Array {
  // What is absent in a map's entry is empty.
  if (typeof value === 'bigint') throw new WireError('a number stands where bytes have to')
  return value
}

function number(value: Value): number {
  if (typeof value !== 'bigint') throw new WireError('bytes stand where a number has to')
  return integerOf(value)
}

/** `resource.Quantity`: its text. */
function quantity(message: Uint8Array): string {
  let text = '0'
  for (const field of fieldsOf(message)) if (field.number === 1) text = textOf(bytes(field.value))
  return text
}

/** `intstr.IntOrString`: which of the two, and both. */
function integerOrString(message: Uint8Array): number | string {
  let [isText, integer, text] = [false, 0, '']
  for (const { number: field, value } of fieldsOf(message)) {
    if (field === 1) isText = number(value) === 1
    else if (field === 2) integer = number(value)
    else if (field === 3) text = textOf(bytes(value))
  }
  return isText ? text : integer
}

/** Seconds since 1970 and nanoseconds. */
function time(message: Uint8Array, digits: number): string | undefined {
  let [seconds, nanos] = [0, 0]
  for (const { number: field, value } of fieldsOf(message)) {
    if (field === 1) seconds = number(value)
    else if (field === 2) nanos = number(value)
  }
  if (seconds === 0 && nanos === 0) return undefined
  const date = new Date(seconds * 1000)
  const year = Number.isNaN(date.getTime()) ? -1 : date.getUTCFullYear()
  if (year < 1 || year > 9999 || nanos < 0 || nanos >= 1e9) throw new WireError('a time is out of range')
  const whole = date.toISOString().slice(0, 19)
  return digits === 0 ? `${whole}Z` : `${whole}.${`${nanos}`.padStart(9, '0').slice(0, digits)}Z`
}
