/**
 * Text for terminals.
 * @module
 */

/** A text without control characters: names come from strangers, and a terminal obeys escape sequences. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '�')
}

/** Breaks a text between words so that no line is wider than `width` where words allow it. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Numbers with thousands apart, as `1 234 567`. */
export function grouped(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** `1 node`, `2 nodes`. */
export function count(value: bigint | number, noun: string, plural = `${noun}s`): string {
  return `${grouped(value)} ${value === 1 || value === 1n ? noun : plural}`
}
