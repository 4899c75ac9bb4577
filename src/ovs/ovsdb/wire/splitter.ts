import { OvsdbError } from '../errors.ts'

/** Default limit of one message: a full dump of a very large switch stays far below. */
const DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024 * 1024

const MAX_DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

export type JsonSplitter = {
  /** Feeds bytes; calls `onValue` for every completed value, in order. Throws OvsdbError, and again on every later call. */
  push(chunk: Uint8Array): void
  /** Bytes of an unfinished value held back. */
  readonly pendingBytes: number
}

export type JsonSplitterOptions = {
  readonly onValue: (value: unknown) => void
  readonly maxBytes?: number
}

/**
 * Cuts a byte stream of JSON objects and arrays without separators (RFC 7047 section 4) into values.
 * It scans bytes, not characters: in UTF-8 no byte of a longer sequence equals a quote or bracket, so chunks may
 * end anywhere.
 */
export function createJsonSplitter(options: JsonSplitterOptions): JsonSplitter {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_MESSAGE_BYTES
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let held: Uint8Array[] = []
  let heldBytes = 0
  let depth = 0
  let inString = false
  let escaped = false
  let failure: OvsdbError | undefined

  /** Advances over one byte; true when it closes the outermost value. */
  const step = (byte: number): boolean => {
    if (escaped) escaped = false
    else if (inString) {
      if (byte === BACKSLASH) escaped = true
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) open()
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return --depth === 0
    return false
  }
  const open = (): void => {
    depth += 1
    if (depth > MAX_DEPTH) throw badJson(`nested deeper than ${MAX_DEPTH} levels`)
  }
  const complete = (bytes: Uint8Array): void => {
    held = []
    heldBytes = 0
    let value: unknown
    try {
      value = JSON.parse(decoder.decode(bytes))
    } catch (cause) {
      throw badJson('not valid JSON', cause)
    }
    options.onValue(value)
  }
  const scan = (chunk: Uint8Array): void => {
    let start = 0
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (depth === 0) {
        start = at
        if (!opensValue(byte)) continue
      }
      if (!step(byte)) continue
      if (heldBytes + at + 1 - start > maxBytes) throw tooLarge(maxBytes)
      complete(join(held, chunk.subarray(start, at + 1)))
    }
    if (depth > 0) hold(chunk.slice(start))
  }
  const hold = (rest: Uint8Array): void => {
    held.push(rest)
    heldBytes += rest.length
    if (heldBytes > maxBytes) throw tooLarge(maxBytes)
  }
  return {
    push(chunk) {
      if (failure !== undefined) throw failure
      try {
        scan(chunk)
      } catch (error) {
        held = []
        if (error instanceof OvsdbError) failure = error
        throw error
      }
    },
    get pendingBytes() {
      return heldBytes
    },
  }
}

function join(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  return parts.length === 0 ? last : Buffer.concat([...parts, last])
}

/** Between values: true for an opening bracket, false for white space; throws for anything else. */
function opensValue(byte: number): boolean {
  if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return true
  if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return false
  throw badJson(`unexpected byte 0x${byte.toString(16)}`)
}

function badJson(what: string, cause?: unknown): OvsdbError {
  const remedy = 'check that the socket belongs to ovsdb-server'
  return new OvsdbError('OVSDB_BAD_JSON', `the peer sent ${what}`, { remedy, cause })
}

function tooLarge(limit: number): OvsdbError {
  const remedy = 'monitor fewer tables or columns, or raise maxMessageBytes'
  return new OvsdbError('OVSDB_MESSAGE_TOO_LARGE', `the peer sent a message above ${limit} bytes`, { remedy })
}
