/**
 * Values as Python prints them (`repr`): what the script before us kept in Open vSwitch is the text of a dictionary.
 * @module
 */

/** A value: numbers, texts, True, False, None, lists, tuples and dictionaries. */
export type PythonValue =
  | null
  | boolean
  | number
  | string
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue }

const DEEPEST = 16
const SPACE = /\s*/y
const NUMBER = /-?\d{1,15}(?:\.\d{1,15})?L?(?![\w.])/y
const WORD = /True|False|None/y
const WORDS: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ['True', true],
  ['False', false],
  ['None', null],
])
/** Both kinds of quotes, with and without Python 2's `u`. */
const TEXT = /[ub]?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/y

/** Reads one value. Throws SyntaxError with the place of the fault, and repeats nothing of the text. */
export function parsePython(text: string): PythonValue {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): PythonValue {
    if (depth > DEEPEST) throw this.#fault('is nested too deep')
    this.#match(SPACE)
    const word = this.#match(WORD)
    if (word !== undefined) return WORDS.get(word[0]) ?? null
    const text = this.#match(TEXT)
    if (text !== undefined) return unescaped(text[1] ?? text[2] ?? '')
    const number = this.#match(NUMBER)
    if (number !== undefined) return Number(number[0].replace('L', ''))
    if (this.#take('{')) return this.#dictionary(depth)
    if (this.#take('[')) return this.#list(']', depth)
    if (this.#take('(')) return this.#list(')', depth)
    throw this.#fault('is no value')
  }

  end(): void {
    this.#match(SPACE)
    if (this.#at < this.#text.length) throw this.#fault('goes on behind its end')
  }

  #dictionary(depth: number): PythonValue {
    const entries: [string, PythonValue][] = []
    while (!this.#take('}')) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string' && typeof key !== 'number') throw this.#fault('has a key that is no text')
      if (!this.#take(':')) throw this.#fault('lacks a colon')
      entries.push([String(key), this.value(depth + 1)])
      if (!this.#take(',') && !this.#ahead('}')) throw this.#fault('lacks a comma')
    }
    return Object.fromEntries(entries.filter(([key]) => key !== '__proto__'))
  }

  #list(close: string, depth: number): PythonValue {
    const items: PythonValue[] = []
    while (!this.#take(close)) {
      items.push(this.value(depth + 1))
      if (!this.#take(',') && !this.#ahead(close)) throw this.#fault('lacks a comma')
    }
    return items
  }

  #ahead(character: string): boolean {
    this.#match(SPACE)
    return this.#text[this.#at] === character
  }

  #take(character: string): boolean {
    if (!this.#ahead(character)) return false
    this.#at += 1
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text) ?? undefined
    if (found !== undefined) this.#at = pattern.lastIndex
    return found
  }

  #fault(what: string): SyntaxError {
    return new SyntaxError(`it ${what} at character ${this.#at + 1}`)
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, byte, unit, one: string) =>
    one === undefined ? String.fromCharCode(Number.parseInt(byte ?? unit, 16)) : (ESCAPES[one] ?? one),
  )
}
