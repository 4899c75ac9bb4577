/**
 * JSON from strangers: bounded, free of prototypes' names, read member by member with the path in every complaint.
 * @module
 */
import { jsonFault } from './json-fault.ts'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. Read it with `member`, which sees own keys only. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** A value that has not the shape it should have: `path` names it, `expected` says what it should be. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
  readonly path: string
  readonly expected: string

  constructor(path: string, expected: string) {
    super(`${path}: ${expected}`)
    this.path = path
    this.expected = expected
  }
}

/** Deeper nesting is refused: no configuration needs it, and recursion over it must not overflow the stack. */
const MAX_DEPTH = 64

/**
 * Decodes UTF-8 JSON that must be an object. Of duplicate keys the last counts; `__proto__` is dropped.
 * Throws `SyntaxError` with a short reason that says where the fault is and repeats nothing of the input.
 */
export function decodeJsonObject(bytes: Uint8Array): JsonObject {
  const value = decodeJson(decodeUtf8(bytes))
  if (!isObject(value)) throw new SyntaxError('not an object')
  return value
}

/** Decodes any JSON; throws as {@link decodeJsonObject} does. */
export function decodeJson(text: string): Json {
  return sanitize(parse(text))
}

/** Any decoded value, made safe: plain objects without `__proto__`, at most 64 levels deep. */
export function sanitize(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map((item) => sanitize(item, depth + 1))
  if (typeof value !== 'object') return null
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__')
  return Object.fromEntries(entries.map(([key, item]) => [key, sanitize(item, depth + 1)]))
}

/** An object's own member; a missing one and null are the same, as in every CNI library. */
export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined
}

/** Whether the value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string member; empty counts as missing. */
export function optionalText(object: JsonObject, key: string, path: string): string | undefined {
  const value = member(object, key)
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw new ShapeError(path, 'must be a string')
  return value
}

/** A member that is a whole number within bounds. */
export function optionalInteger(
  object: JsonObject,
  key: string,
  path: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const value = member(object, key)
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new ShapeError(path, `must be a whole number from ${least} to ${most}`)
}

/** An object member. */
export function optionalObject(object: JsonObject, key: string, path: string): JsonObject | undefined {
  const value = member(object, key)
  if (value === undefined) return undefined
  if (!isObject(value)) throw new ShapeError(path, 'must be an object')
  return value
}

/** A list member, each item read with its own path; missing is the empty list. */
export function list<Item>(
  object: JsonObject,
  key: string,
  path: string,
  read: (item: Json, path: string) => Item,
): readonly Item[] {
  const value = member(object, key)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ShapeError(path, 'must be a list')
  return value.map((item: Json, index) => read(item, `${path}[${index}]`))
}

/** An item that must be an object. */
export function asObject(item: Json, path: string): JsonObject {
  if (!isObject(item)) throw new ShapeError(path, 'must be an object')
  return item
}

/** An item that must be a string. */
export function asText(item: Json, path: string): string {
  if (typeof item !== 'string') throw new ShapeError(path, 'must be a string')
  return item
}

/** The entries whose value is known: what an object with optional members is made from. */
export function present<Shape extends object>(
  shape: {
    readonly [Key in keyof Shape]: Shape[Key] | undefined
  },
): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SyntaxError('not UTF-8')
  }
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new SyntaxError('empty')
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError(jsonFault(text) ?? 'not JSON')
  }
}
