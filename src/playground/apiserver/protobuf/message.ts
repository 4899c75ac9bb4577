/**
 * Messages into the JSON that Kubernetes has for them.
 * @module
 */
import { type FieldType, fieldType, MESSAGES } from '../builtin/index.ts'
import { readScalar, SCALARS } from './scalars.ts'
import { fieldsOf, integerOf, packed, textOf, WireError } from './wire.ts'

type Json = Readonly<Record<string, unknown>>

/** Deeper than any message goes. */
const DEEPEST = 32

/** The JSON of a message. Throws WireError. A field that is zero and cannot be told from absent is left out. */
export function decodeMessage(name: string, bytes: Uint8Array, depth = 0): Json {
  if (depth > DEEPEST) throw new WireError('it is nested too deeply')
  const fields = readersOf(name)
  const json = new Map<string, unknown>()
  for (const { number, value } of fieldsOf(bytes)) {
    const field = fields.get(number)
    if (field === undefined) {
      if (isEmpty(value)) continue
      throw new WireError('a field is not read', `field ${number} of ${name}`)
    }
    if (field.name !== 'Ignored') add(json, field, value, depth)
  }
  return Object.fromEntries(
    [...json].map(([key, value]) => [key, value instanceof Map ? Object.fromEntries(value) : value]),
  )
}

interface Reader extends FieldType {
  readonly field: string
}

const readers = new Map<string, ReadonlyMap<number, Reader>>()

function readersOf(name: string): ReadonlyMap<number, Reader> {
  const known = readers.get(name)
  if (known !== undefined) return known
  const entries = Object.entries(MESSAGES.get(name) ?? {})
  const made = new Map(entries.map(([field, [number, type]]) => [number, { field, ...fieldType(type) }]))
  readers.set(name, made)
  return made
}

function isEmpty(value: bigint | Uint8Array): boolean {
  return typeof value === 'bigint' ? value === 0n : value.length === 0
}

function add(json: Map<string, unknown>, reader: Reader, value: bigint | Uint8Array, depth: number): void {
  const { field, shape, isPointer, isInline, name } = reader
  if (isInline) {
    for (const [key, inner] of Object.entries(decodeMessage(name, bytesOf(value), depth + 1))) json.set(key, inner)
    return
  }
  if (shape === 'list') {
    const before = json.get(field)
    const list: unknown[] = Array.isArray(before) ? before : []
    list.push(...itemsOf(reader, value, depth))
    json.set(field, list)
    return
  }
  if (shape === 'map') {
    const [key, inner] = entryOf(reader, bytesOf(value), depth)
    const before = json.get(field)
    const map = before instanceof Map ? before : new Map<string, unknown>()
    json.set(field, map.set(key, inner))
    return
  }
  const read = decodeValue(reader, value, depth)
  if (read !== undefined && (isPointer || !isZero(read))) json.set(field, read)
}

function itemsOf(reader: Reader, value: bigint | Uint8Array, depth: number): readonly unknown[] {
  const isNumber = reader.name === 'int32' || reader.name === 'int64'
  if (isNumber && value instanceof Uint8Array) return packed(value).map(integerOf)
  return [decodeValue(reader, value, depth)]
}

function entryOf(reader: Reader, bytes: Uint8Array, depth: number): readonly [string, unknown] {
  let key = ''
  let inner: bigint | Uint8Array = new Uint8Array(0)
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) key = textOf(bytesOf(value))
    else if (number === 2) inner = value
  }
  return [key, decodeValue(reader, inner, depth)]
}

/** Undefined for a time that is not set. */
function decodeValue({ name, field }: Reader, value: bigint | Uint8Array, depth: number): unknown {
  if (name === 'Any') throw new WireError('a field is not read', `the field ${field}`)
  return SCALARS.has(name) ? readScalar(name, value) : decodeMessage(name, bytesOf(value), depth + 1)
}

function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === 'bigint') throw new WireError('a number stands where a message has to')
  return value
}

function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === '' || value === 0 || value === false
}
