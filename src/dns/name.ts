/**
 * Domain names as texts: labels in lower case between dots, without the last dot; the root is empty. A dot, a backslash
 * or a byte that is not printable inside a label is written `\DDD`, so that no two names share a text.
 * @module
 */

/** The longest name on the wire, in bytes with lengths and the root. */
export const LONGEST_NAME = 255

/** A label's bytes as text. */
export function labelText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== DOT && byte !== BACKSLASH
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
    text += isPlain ? String.fromCharCode(lower) : `\\${String(byte).padStart(3, '0')}`
  }
  return text
}

/** The labels of a name. */
export function labelsOf(name: string): readonly string[] {
  return name === '' ? [] : name.split('.')
}

/** A label's bytes. */
export function labelBytes(label: string): Uint8Array {
  const plain = label.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number(digits)))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

/** A name's bytes as in a message, uncompressed. */
export function nameBytes(name: string): Uint8Array {
  const labels = labelsOf(name).map(labelBytes)
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0])
}

/** Whether a name is a zone or below it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`)
}

/** Whether a text can be a name: labels of 1 to 63 bytes, 255 in all. */
export function isName(name: string): boolean {
  const labels = labelsOf(name).map(labelBytes)
  const total = labels.reduce((sum, { length }) => sum + length + 1, 1)
  return total <= LONGEST_NAME && labels.every(({ length }) => length >= 1 && length <= 63)
}

const DOT = 0x2e
const BACKSLASH = 0x5c
