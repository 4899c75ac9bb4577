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
  const values = new Map<number, Uint8Array>()
  const view = viewOf(body)
  let at = (offset + 3) & ~3
  while (at + 4 <= body.length) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > body.length) break
    values.set(view.getUint16(at + 2, true) & TYPE_MASK, body.subarray(at + 4, at + length))
    at += (length + 3) & ~3
  }
  return new Attributes(values)
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

/** Attributes by type; the last of equal ones counts. */
export class Attributes {
  readonly #values: ReadonlyMap<number, Uint8Array>

  constructor(values: ReadonlyMap<number, Uint8Array>) {
    this.#values = values
  }

  raw(type: number): Uint8Array | undefined {
    return this.#values.get(type)
  }

  has(type: number): boolean {
    return this.#values.has(type)
  }

  u8(type: number): number | undefined {
    return this.#sized(type, 1)?.getUint8(0)
  }

  u16(type: number): number | undefined {
    return this.#sized(type, 2)?.getUint16(0, true)
  }

  be16(type: number): number | undefined {
    return this.#sized(type, 2)?.getUint16(0)
  }

  u32(type: number): number | undefined {
    return this.#sized(type, 4)?.getUint32(0, true)
  }

  i32(type: number): number | undefined {
    return this.#sized(type, 4)?.getInt32(0, true)
  }

  be64(type: number): bigint | undefined {
    return this.#sized(type, 8)?.getBigUint64(0)
  }

  text(type: number): string | undefined {
    const value = this.#values.get(type)
    if (value === undefined) return undefined
    const end = value.indexOf(0)
    return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end))
  }

  nested(type: number): Attributes | undefined {
    const value = this.#values.get(type)
    return value === undefined ? undefined : readAttributes(value)
  }

  #sized(type: number, size: number): DataView | undefined {
    const value = this.#values.get(type)
    return value !== undefined && value.length >= size ? viewOf(value) : undefined
  }
}

/** A view of a header structure, or LINUX_MALFORMED when the body is shorter. */
export function headerView(body: Uint8Array, size: number, what: string): DataView {
  if (body.length < size) throw malformed(`${what} has ${body.length} bytes, expected at least ${size}`)
  return viewOf(body)
}

/** The object without the keys whose value is undefined: decoders build objects with optional keys by it. */
export function present<T extends object>(fields: T): Defined<T> {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) out[key] = value
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

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
