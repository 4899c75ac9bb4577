/**
 * Text forms of addresses, read into and written from bytes. Readers return false instead of throwing, so that the
 * caller can name the field.
 * @module
 */

/** Reads `1.2.3.4` into four bytes. */
export function parseIpv4(text: string, out: Uint8Array, at: number): boolean {
  let part = 0
  let digits = 0
  let index = 0
  for (let i = 0; i <= text.length; i++) {
    const char = i === text.length ? 46 : text.charCodeAt(i)
    if (char === 46) {
      if (digits === 0 || index === 4) return false
      out[at + index++] = part
      part = 0
      digits = 0
    } else {
      if (char < 48 || char > 57 || (digits === 1 && part === 0)) return false
      part = part * 10 + char - 48
      if (part > 255) return false
      digits++
    }
  }
  return index === 4
}

/** Reads any RFC 4291 text form into sixteen bytes. */
export function parseIpv6(text: string, out: Uint8Array, at: number): boolean {
  const gap = text.indexOf('::')
  if (gap < 0) return parseGroups(text, out, at) === 16
  const head = gap === 0 ? 0 : parseGroups(text.slice(0, gap), out, at)
  if (head < 0 || head > 14) return false
  const rest = text.slice(gap + 2)
  const tail = rest === '' ? 0 : parseGroups(rest, TAIL, 0)
  if (tail < 0 || head + tail > 14) return false
  out.fill(0, at + head, at + 16 - tail)
  for (let i = 0; i < tail; i++) out[at + 16 - tail + i] = TAIL[i] ?? 0
  return true
}

const TAIL = new Uint8Array(16)

/** Reads colon-separated groups, the last of which may be dotted; returns the bytes written, or -1. */
function parseGroups(text: string, out: Uint8Array, at: number): number {
  let written = 0
  let start = 0
  while (start <= text.length) {
    const colon = text.indexOf(':', start)
    const end = colon < 0 ? text.length : colon
    const part = text.slice(start, end)
    if (colon < 0 && part.includes('.')) return written <= 12 && parseIpv4(part, out, at + written) ? written + 4 : -1
    const value = parseHex(part)
    if (value < 0 || written === 16) return -1
    out[at + written] = value >>> 8
    out[at + written + 1] = value & 0xff
    written += 2
    start = end + 1
  }
  return written
}

function parseHex(text: string): number {
  if (text.length === 0 || text.length > 4) return -1
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = hexDigit(text.charCodeAt(i))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function hexDigit(char: number): number {
  if (char >= 48 && char <= 57) return char - 48
  const lower = char | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Reads `aa:bb:cc:dd:ee:ff` into six bytes. */
export function parseMac(text: string, out: Uint8Array, at: number): boolean {
  if (text.length !== 17) return false
  for (let i = 0; i < 6; i++) {
    const high = hexDigit(text.charCodeAt(i * 3))
    const low = hexDigit(text.charCodeAt(i * 3 + 1))
    if (high < 0 || low < 0 || (i < 5 && text.charCodeAt(i * 3 + 2) !== 58)) return false
    out[at + i] = high * 16 + low
  }
  return true
}

/** Four bytes as dotted text. */
export function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** Six bytes as lower-case text with colons. */
export function formatMac(bytes: Uint8Array, at: number): string {
  let text = HEX[bytes[at] ?? 0] ?? ''
  for (let i = 1; i < 6; i++) text += `:${HEX[bytes[at + i] ?? 0]}`
  return text
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** Sixteen bytes as RFC 5952 text. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0))
  let best = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === 0) run++
    if (run > length) [best, length] = [i, run]
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + length, 8)}`
}
