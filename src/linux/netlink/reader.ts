/**
 * Reads netlink messages and attributes. Bytes come from outside: lengths are checked, nothing is read beyond its end,
 * and a value of the wrong size reads as absent.
 * @module
 */
import { malformed } from '../errno.ts'

/** One message: `body` is what follows its 16-byte header. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly pid: number
  readonly body: Uint8Array
}

const HEADER = 16

/** The messages of one datagram. Throws LINUX_MALFORMED when a length does not fit. */
export function readMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(bytes)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = at + HEADER <= bytes.length ? view.getUint32(at, true) : 0
    if (length < HEADER || at + length > bytes.length) throw malformed(`netlink message at byte ${at} does not fit`)
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      seq: view.getUint32(at + 8, true),
      pid: view.getUint32(at + 12, true),
      body: bytes.subarray(at + HEADER, at + length),
    })
    at += (length + 3) & ~3
  }
  return messages
}

/** The attributes that follow a header structure of `offset` bytes; a torn tail is left out. */
export function readAttributes(body: Uint8Array, offset = 0): Attributes {
  const places = new Map<number, number>()
  const view = viewOf(body)
  let at = (offset + 3) & ~3
  while (at + 4 <= body.length) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > body.length) break
    places.set(view.getUint16(at + 2, true) & TYPE_MASK, at)
    at += (length + 3) & ~3
  }
  return new Attributes(body, view, places)
}

/** Like readAttributes, in order and with repetitions: for lists of equal attributes. */
export function readAttributeList(body: Uint8Array): readonly { readonly type: number; readonly value: Uint8Array }[] {
  const list: { readonly type: number; readonly value: Uint8Array }[] = []
  const view = viewOf(body)
  for (let at = 0; at + 4 <= body.length; ) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > body.length) break
    list.push({ type: view.getUint16(at + 2, true) & TYPE_MASK, value: body.subarray(at + 4, at + length) })
    at += (length + 3) & ~3
  }
  return list
}

/**
 * Attributes by type; the last of equal ones counts. Only what is asked for is cut out of the body: a link has some
 * fifty attributes, of which a dozen are read.
 */
export class Attributes {
  readonly #body: Uint8Array
  readonly #view: DataView
  readonly #places: ReadonlyMap<number, number>

  constructor(body: Uint8Array, view: DataView, places: ReadonlyMap<number, number>) {
    this.#body = body
    this.#view = view
    this.#places = places
  }

  raw(type: number): Uint8Array | undefined {
    const at = this.#places.get(type)
    return at === undefined ? undefined : this.#body.subarray(at + 4, at + this.#view.getUint16(at, true))
  }

  has(type: number): boolean {
    return this.#places.has(type)
  }

  u8(type: number): number | undefined {
    const at = this.#sized(type, 1)
    return at === undefined ? undefined : this.#view.getUint8(at)
  }

  u16(type: number): number | undefined {
    const at = this.#sized(type, 2)
    return at === undefined ? undefined : this.#view.getUint16(at, true)
  }

  be16(type: number): number | undefined {
    const at = this.#sized(type, 2)
    return at === undefined ? undefined : this.#view.getUint16(at)
  }

  u32(type: number): number | undefined {
    const at = this.#sized(type, 4)
    return at === undefined ? undefined : this.#view.getUint32(at, true)
  }

  i32(type: number): number | undefined {
    const at = this.#sized(type, 4)
    return at === undefined ? undefined : this.#view.getInt32(at, true)
  }

  be64(type: number): bigint | undefined {
    const at = this.#sized(type, 8)
    return at === undefined ? undefined : this.#view.getBigUint64(at)
  }

  u64(type: number): bigint | undefined {
    const at = this.#sized(type, 8)
    return at === undefined ? undefined : this.#view.getBigUint64(at, true)
  }

  text(type: number): string | undefined {
    const value = this.raw(type)
    if (value === undefined) return undefined
    const end = value.indexOf(0)
    return decoder.decode(end < 0 ? value : value.subarray(0, end))
  }

  nested(type: number): Attributes | undefined {
    const value = this.raw(type)
    return value === undefined ? undefined : readAttributes(value)
  }

  /** Where the value begins, if it has at least `size` bytes. */
  #sized(type: number, size: number): number | undefined {
    const at = this.#places.get(type)
    return at !== undefined && this.#view.getUint16(at, true) >= size + 4 ? at + 4 : undefined
  }
}

const decoder = new TextDecoder()

/** A view of a header structure, or LINUX_MALFORMED when the body is shorter. */
export function headerView(body: Uint8Array, size: number, what: string): DataView {
  if (body.length < size) throw malformed(`${what} has ${body.length} bytes, expected at least ${size}`)
  return viewOf(body)
}

/** The object without the keys whose value is undefined: decoders build objects with optional keys by it. */
export function present<T extends object>(fields: T): Defined<T> {
  const out: Record<string, unknown> = {}
  for (const key in fields) if (fields[key] !== undefined) out[key] = fields[key]
  return out as Defined<T>
}

/** T, whose keys that may be undefined are optional instead. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

// NLA_F_NESTED and NLA_F_NET_BYTEORDER are marks, not part of the type.
const TYPE_MASK = 0x3fff

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
