/**
 * Reads Calico's selector language: `role == 'db' && !has(debug) || tier in {'front', 'back'}`. `!` binds closest, then
 * `&&`, then `||`. What it reads is hostile: length, depth and the number of demands have bounds.
 * @module
 */
import type { Comparison, Expression } from './expression.ts'
import { type SelectorFault, type Token, type TokenKind, tokensOf } from './tokens.ts'

/** The longest selector, its deepest nesting, and the most demands in it. */
export const MAX_SELECTOR = 32_768
export const MAX_DEPTH = 50
export const MAX_DEMANDS = 1_000

/** A selector, or where it cannot be read and why. */
export type Parsed = { readonly ok: true; readonly expression: Expression } | ({ readonly ok: false } & SelectorFault)

/** Reads a selector. An empty one means everything. Never throws. */
export function parseSelector(source: string): Parsed {
  if (source.length > MAX_SELECTOR) {
    return { ok: false, at: MAX_SELECTOR + 1, reason: `${source.length} characters are more than ${MAX_SELECTOR}` }
  }
  const tokens = tokensOf(source)
  if (!Array.isArray(tokens)) return { ok: false, ...(tokens as SelectorFault) }
  if (tokens.length === 1) return { ok: true, expression: { type: 'all' } }
  const reader = new Reader(tokens)
  const expression = reader.whole()
  return expression === undefined ? { ok: false, ...reader.fault } : { ok: true, expression }
}

const COMPARISONS: { readonly [K in TokenKind]?: { readonly how: Comparison; readonly isNot: boolean } } = {
  '==': { how: 'in', isNot: false },
  '!=': { how: 'in', isNot: true },
  contains: { how: 'contains', isNot: false },
  'starts with': { how: 'startsWith', isNot: false },
  'ends with': { how: 'endsWith', isNot: false },
}

class Reader {
  fault: SelectorFault = { at: 1, reason: 'is no selector' }
  readonly #tokens: readonly Token[]
  #place = 0
  #depth = 0
  #demands = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression | undefined {
    const expression = this.#either()
    if (expression === undefined) return undefined
    return this.#take('end') === undefined ? this.#unexpected('`&&`, `||` or the end') : expression
  }

  #either(): Expression | undefined {
    return this.#joined('or', '||', () => this.#joined('and', '&&', () => this.#one()))
  }

  #joined(type: 'and' | 'or', sign: TokenKind, read: () => Expression | undefined): Expression | undefined {
    const all: Expression[] = []
    do {
      const one = read()
      if (one === undefined) return undefined
      all.push(one)
    } while (this.#take(sign) !== undefined)
    const [only] = all
    return all.length === 1 ? only : { type, of: all }
  }

  #one(): Expression | undefined {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) return this.#fail(`is nested deeper than ${MAX_DEPTH}`)
    const expression = this.#take('!') === undefined ? this.#demand() : not(this.#one())
    this.#depth -= 1
    return expression
  }

  #demand(): Expression | undefined {
    if (this.#take('(') !== undefined) {
      const inner = this.#either()
      if (inner === undefined) return undefined
      return this.#take(')') === undefined ? this.#unexpected('`&&`, `||` or `)`') : inner
    }
    this.#demands += 1
    if (this.#demands > MAX_DEMANDS) return this.#fail(`has more than ${MAX_DEMANDS} demands`)
    const label = this.#take('label')
    if (label === undefined) return this.#unexpected('a label, `has(…)`, `all()`, `!` or `(`')
    return this.#take('(') === undefined ? this.#comparison(label.text) : this.#call(label)
  }

  #call({ text, at }: Token): Expression | undefined {
    const key = text === 'has' ? this.#take('label') : undefined
    if (text === 'has' && key === undefined) return this.#unexpected('a label')
    if (this.#take(')') === undefined) return this.#unexpected('`)`')
    if (key !== undefined) return { type: 'has', key: key.text }
    if (text === 'all' || text === 'global') return { type: text }
    this.fault = { at, reason: `there is no ${JSON.stringify(text)}(): there are has(…), all() and global()` }
    return undefined
  }

  #comparison(key: string): Expression | undefined {
    const set = this.#take('in') ?? this.#take('not in')
    if (set !== undefined) {
      const values = this.#values()
      const found = values && ({ type: 'compare', key, how: 'in', values } as const)
      return set.kind === 'in' ? found : not(found)
    }
    const sign = this.#tokens[this.#place]?.kind ?? 'end'
    const comparison = COMPARISONS[sign]
    if (comparison === undefined) {
      return this.#unexpected('`==`, `!=`, `in`, `not in`, `contains`, `starts with` or `ends with`')
    }
    this.#place += 1
    const value = this.#take('text')
    if (value === undefined) return this.#unexpected('a text in quotes')
    const found: Expression = { type: 'compare', key, how: comparison.how, values: [value.text] }
    return comparison.isNot ? not(found) : found
  }

  #values(): readonly string[] | undefined {
    if (this.#take('{') === undefined) return this.#unexpected('`{`')
    const values: string[] = []
    for (let value = this.#take('text'); value !== undefined; value = this.#take('text')) {
      values.push(value.text)
      this.#demands += 1
      if (this.#demands > MAX_DEMANDS) return this.#fail(`has more than ${MAX_DEMANDS} demands`, value)
      if (this.#take(',') === undefined) break
    }
    return this.#take('}') === undefined ? this.#unexpected('a text in quotes, `,` or `}`') : values
  }

  #take(kind: TokenKind): Token | undefined {
    const token = this.#tokens[this.#place]
    if (token?.kind !== kind) return undefined
    this.#place += 1
    return token
  }

  #unexpected(wanted: string): undefined {
    const { kind, text } = this.#tokens[this.#place] ?? { kind: 'end', text: '' }
    const found = kind === 'end' ? 'it ends' : `there is ${JSON.stringify(text.slice(0, 40))}`
    return this.#fail(`${found} where ${wanted} is expected`)
  }

  #fail(reason: string, where = this.#tokens[this.#place]): undefined {
    this.fault = { at: where?.at ?? 1, reason }
    return undefined
  }
}

function not(of: Expression | undefined): Expression | undefined {
  return of && { type: 'not', of }
}
