/**
 * Where a text stops being JSON (RFC 8259). The engine's own message does not do: it has no position, and it repeats
 * parts of the text, which may be secret.
 * @module
 */

/** What has to come next. In a container that was just opened its end may come as well. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end'

interface Scanner {
  readonly text: string
  /** Index of the character looked at: that of the fault, where a reader answers undefined or false. */
  at: number
  /** The end that each open container waits for. */
  readonly ends: ('}' | ']')[]
}

const WORDS = ['true', 'false', 'null']
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y

/** The place of the first fault in words, lines and columns from 1; undefined for a text that is JSON. */
export function jsonFault(text: string): string | undefined {
  const at = faultAt(text)
  if (at === undefined) return undefined
  const lines = text.slice(0, at).split('\n')
  const place = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
  return at < text.length ? `unexpected character at ${place}` : `unexpected end at ${place}`
}

function faultAt(text: string): number | undefined {
  const scanner: Scanner = { text, at: 0, ends: [] }
  let expected: Expected | undefined = 'value'
  while (expected !== undefined) {
    skipSpace(scanner)
    if (expected === 'comma or end' && scanner.ends.length === 0)
      return scanner.at < text.length ? scanner.at : undefined
    expected = readToken(scanner, expected)
  }
  return scanner.at
}

/** Reads one token; answers what has to follow it. */
function readToken(scanner: Scanner, expected: Expected): Expected | undefined {
  const { text, at, ends } = scanner
  if (expected.endsWith('or end') && text[at] === ends.at(-1)) {
    ends.pop()
    return after(scanner, 'comma or end')
  }
  switch (expected) {
    case 'colon':
      return text[at] === ':' ? after(scanner, 'value') : undefined
    case 'comma or end':
      if (text[at] !== ',') return undefined
      return after(scanner, ends.at(-1) === '}' ? 'key' : 'value')
    case 'key':
    case 'key or end':
      return text[at] === '"' && readString(scanner) ? 'colon' : undefined
    case 'value':
    case 'value or end':
      return readValue(scanner)
  }
}

function readValue(scanner: Scanner): Expected | undefined {
  const first = scanner.text[scanner.at]
  if (first === '{' || first === '[') {
    scanner.ends.push(first === '{' ? '}' : ']')
    return after(scanner, first === '{' ? 'key or end' : 'value or end')
  }
  const isRead = first === '"' ? readString(scanner) : readWord(scanner) || readNumber(scanner)
  return isRead ? 'comma or end' : undefined
}

function readString(scanner: Scanner): boolean {
  scanner.at += 1
  for (;;) {
    const character = scanner.text[scanner.at]
    if (character === undefined || character < ' ') return false
    scanner.at += 1
    if (character === '"') return true
    if (character === '\\' && !readPattern(scanner, ESCAPE)) return false
  }
}

function readWord(scanner: Scanner): boolean {
  const word = WORDS.find((one) => scanner.text.startsWith(one, scanner.at))
  scanner.at += word?.length ?? 0
  return word !== undefined
}

function readNumber(scanner: Scanner): boolean {
  if (scanner.text[scanner.at] === '-') scanner.at += 1
  return readPattern(scanner, NUMBER)
}

function readPattern(scanner: Scanner, pattern: RegExp): boolean {
  pattern.lastIndex = scanner.at
  const length = pattern.exec(scanner.text)?.[0].length ?? 0
  scanner.at += length
  return length > 0
}

function skipSpace(scanner: Scanner): void {
  while (' \t\n\r'.includes(scanner.text[scanner.at] ?? '.')) scanner.at += 1
}

function after(scanner: Scanner, expected: Expected): Expected {
  scanner.at += 1
  return expected
}
