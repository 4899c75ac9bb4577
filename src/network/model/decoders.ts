/**
 * The decoders that the objects' decoders are put together from.
 * @module
 */
import { type Cidr, type Ip, parseCidr, parseIp } from './address.ts'
import { type At, below, type Decode, reject, shown } from './decode.ts'

/** A field that may be absent. */
export interface OptionalField<T> {
  readonly optional: Decode<T>
}

type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? OptionalField<Exclude<T[K], undefined>> : Decode<T[K]>
}

type Literal = string | number | boolean

/** Marks a field of a {@link record} as one that may be absent. */
export function optional<T>(decode: Decode<T>): OptionalField<T> {
  return { optional: decode }
}

/** An object with these fields and no others. */
export function record<T extends object>(fields: Fields<T>): Decode<T> {
  const known = Object.keys(fields)
  return (input, at) => {
    if (!isObject(input))
      return reject(at, `${shown(input)} is not an object`, `give an object with ${known.join(', ')}`)
    for (const key of Object.keys(input)) {
      if (!known.includes(key)) reject(at, `unknown field ${shown(key)}`, `known fields: ${known.join(', ')}`)
    }
    const before = at.problems.length
    const value: Record<string, unknown> = {}
    for (const key of known) {
      const decoded = decodeField(
        fields[key as keyof T],
        Object.hasOwn(input, key) ? input[key] : undefined,
        below(at, key),
      )
      if (decoded !== undefined) value[key] = decoded
    }
    return at.problems.length === before ? (value as T) : undefined
  }
}

/** One of several shapes, told apart by the literal in one field. */
export function variant<T extends object>(
  key: keyof T & string,
  cases: readonly (readonly [Literal, Decode<T>])[],
): Decode<T> {
  return (input, at) => {
    if (!isObject(input)) return reject(at, `${shown(input)} is not an object`, `give an object with ${key}`)
    const tag = Object.hasOwn(input, key) ? input[key] : undefined
    const found = cases.find(([literal]) => literal === tag)
    if (found !== undefined) return found[1](input, at)
    return reject(
      below(at, key),
      `${shown(tag)} is not known`,
      `one of ${cases.map(([literal]) => literal).join(', ')}`,
    )
  }
}

/** One of these values. */
export function literal<const T extends Literal>(...values: readonly T[]): Decode<T> {
  return (input, at) =>
    values.find((value) => value === input) ?? reject(at, `${shown(input)} is not known`, `one of ${values.join(', ')}`)
}

/** `true` or `false`. */
export const flag: Decode<boolean> = (input, at) =>
  typeof input === 'boolean' ? input : reject(at, `${shown(input)} is neither true nor false`, 'give true or false')

/** A whole number within bounds. */
export function integer(min: number, max: number): Decode<number> {
  return (input, at) =>
    typeof input === 'number' && Number.isInteger(input) && input >= min && input <= max
      ? input
      : reject(at, `${shown(input)} is not a whole number from ${min} to ${max}`, `give one from ${min} to ${max}`)
}

/** Text of a bounded length. */
export function text(min: number, max: number): Decode<string> {
  return (input, at) =>
    typeof input === 'string' && input.length >= min && input.length <= max
      ? input
      : reject(at, `${shown(input)} is not a text of ${min} to ${max} characters`, `give ${min} to ${max} characters`)
}

/** Texts by some of these keys. */
export function texts(keys: readonly string[], max: number): Decode<Readonly<Record<string, string>>> {
  const fields = Object.fromEntries(keys.map((key) => [key, optional(text(0, max))]))
  return record<Readonly<Record<string, string>>>(fields as unknown as Fields<Record<string, string>>)
}

/** A list of a bounded length. */
export function list<T>(item: Decode<T>, max: number): Decode<readonly T[]> {
  return (input, at) => {
    if (!Array.isArray(input)) return reject(at, `${shown(input)} is not a list`, 'give a list')
    if (input.length > max) return reject(at, `a list of ${input.length} is too long`, `give at most ${max}`)
    const values: T[] = []
    for (const [index, element] of input.entries()) {
      const value = item(element, below(at, index))
      if (value !== undefined) values.push(value)
    }
    return values.length === input.length ? values : undefined
  }
}

/** Requires more of a decoded value: `check` notes what is wrong. */
export function checked<T>(decode: Decode<T>, check: (value: T, at: At) => void): Decode<T> {
  return (input, at) => {
    const value = decode(input, at)
    if (value === undefined) return undefined
    const before = at.problems.length
    check(value, at)
    return at.problems.length === before ? value : undefined
  }
}

/** An address, in any of its forms; the value has the canonical one. */
export const address: Decode<Ip> = (input, at) =>
  (typeof input === 'string' && input.length <= 64 ? parseIp(input) : undefined) ??
  reject(at, `${shown(input)} is not an IP address`, 'give an address such as 192.0.2.1 or 2001:db8::1, without a zone')

/** A network without host bits. */
export const network: Decode<Cidr> = (input, at) =>
  (typeof input === 'string' && input.length <= 64 ? parseCidr(input) : undefined) ??
  reject(
    at,
    `${shown(input)} is not a network`,
    'give a network such as 10.128.0.0/14, every bit after the prefix zero',
  )

function decodeField(field: Decode<unknown> | OptionalField<unknown>, input: unknown, at: At): unknown {
  if (typeof field === 'function') {
    return input === undefined ? reject(at, 'is missing', 'add it') : field(input, at)
  }
  return input === undefined ? undefined : field.optional(input, at)
}

function isObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
