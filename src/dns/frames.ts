/**
 * Messages on a stream: each goes behind its length in two bytes (RFC 1035 section 4.2.2, RFC 7766).
 * @module
 */

/** Whole messages, and the beginning of the next. */
export function split(bytes: Uint8Array): { readonly messages: readonly Uint8Array[]; readonly rest: Uint8Array } {
  const messages: Uint8Array[] = []
  let offset = 0
  while (bytes.length - offset >= 2) {
    const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
    if (bytes.length - offset - 2 < length) break
    messages.push(bytes.subarray(offset + 2, offset + 2 + length))
    offset += 2 + length
  }
  return { messages, rest: bytes.slice(offset) }
}

/** A message behind its length. */
export function framed(message: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(message.length >> 8, message.length & 0xff), message)
}

/** One after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
