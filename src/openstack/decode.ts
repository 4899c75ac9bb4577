/**
 * What came over the wire, checked before it is believed. What is not as it should be throws `OPENSTACK_GARBAGE`, which
 * names the field and nothing of its content: that may be a secret which was sent back.
 * @module
 */
import { isIP } from 'node:net'
import { garbage, type OpenStackService } from './errors.ts'

/** An object's fields. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether it is an object. */
export function isFields(input: unknown): input is Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

/** Reads what one service sent as one kind of object. */
export class Decoder {
  readonly #service: OpenStackService
  /** Such as `a port`. */
  readonly #what: string

  constructor(service: OpenStackService, what: string) {
    this.#service = service
    this.#what = what
  }

  /** JSON. */
  json(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch {
      // The parser's own message may hold a piece of the text.
      throw garbage(this.#service, `something that is not JSON for ${this.#what}`)
    }
  }

  fields(input: unknown): Fields {
    if (isFields(input)) return input
    throw garbage(this.#service, `something that is not ${this.#what}`)
  }

  list(fields: Fields, key: string): readonly unknown[] {
    const value = fields[key]
    if (Array.isArray(value)) return value
    throw this.#wrong(key)
  }

  /** A list, or none where the service leaves it out. */
  listIfThere(fields: Fields, key: string): readonly unknown[] {
    return fields[key] === undefined || fields[key] === null ? [] : this.list(fields, key)
  }

  text(fields: Fields, key: string): string {
    const value = fields[key]
    if (typeof value === 'string') return value
    throw this.#wrong(key)
  }

  /** A text; undefined where it is null, empty or absent. */
  textIfThere(fields: Fields, key: string): string | undefined {
    const value = fields[key]
    if (value === undefined || value === null || value === '') return undefined
    return this.text(fields, key)
  }

  texts(fields: Fields, key: string): readonly string[] {
    return this.listIfThere(fields, key).map((value) => {
      if (typeof value === 'string') return value
      throw this.#wrong(key)
    })
  }

  /** What names an object: it goes into paths and logs. */
  id(fields: Fields, key: string): string {
    const value = fields[key]
    if (typeof value === 'string' && isId(value)) return value
    throw this.#wrong(key)
  }

  idIfThere(fields: Fields, key: string): string | undefined {
    return this.textIfThere(fields, key) === undefined ? undefined : this.id(fields, key)
  }

  ids(fields: Fields, key: string): readonly string[] {
    const values = this.texts(fields, key)
    if (values.every(isId)) return values
    throw this.#wrong(key)
  }

  flag(fields: Fields, key: string): boolean {
    const value = fields[key]
    if (typeof value === 'boolean') return value
    throw this.#wrong(key)
  }

  flagIfThere(fields: Fields, key: string): boolean | undefined {
    return fields[key] === undefined || fields[key] === null ? undefined : this.flag(fields, key)
  }

  /** A whole number within bounds. */
  integer(fields: Fields, key: string, least: number, most: number): number {
    const value = fields[key]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw this.#wrong(key)
  }

  integerIfThere(fields: Fields, key: string, least: number, most: number): number | undefined {
    return fields[key] === undefined || fields[key] === null ? undefined : this.integer(fields, key, least, most)
  }

  /** An IPv4 or IPv6 address. */
  address(fields: Fields, key: string): string {
    const value = fields[key]
    if (typeof value === 'string' && isIP(value) !== 0) return value
    throw this.#wrong(key)
  }

  addressIfThere(fields: Fields, key: string): string | undefined {
    return this.textIfThere(fields, key) === undefined ? undefined : this.address(fields, key)
  }

  /** `<address>/<length>`. */
  cidr(fields: Fields, key: string): string {
    const value = fields[key]
    if (typeof value === 'string' && isCidr(value)) return value
    throw this.#wrong(key)
  }

  /** In lower case with colons. */
  mac(fields: Fields, key: string): string {
    const value = fields[key]
    if (typeof value === 'string' && isMac(value)) return value.toLowerCase()
    throw this.#wrong(key)
  }

  #wrong(key: string): Error {
    return garbage(this.#service, `${this.#what} whose ${key} is not what it should be`)
  }
}

/** Whether a text can name an object: UUIDs, Keystone's 32 digits, `default`. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/.test(text)
}

/** Whether it is `<address>/<length>`. */
export function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length)) return false
  return Number(length) <= (family === 4 ? 32 : 128)
}

/** Whether it is a MAC address with colons. */
export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text)
}
