/**
 * The words of Calico's selector language.
 * @module
 */

/** One word. `at` is where it begins, from 1. */
export interface Token {
  readonly kind: TokenKind
  readonly at: number
  /** Of a text, what is between its quotes; of a label, its key. */
  readonly text: string
}

/** Words that stand for themselves, texts, keys of labels, and the end. */
export type TokenKind = Sign | Phrase | 'text' | 'label' | 'end'

const SIGNS = ['==', '!=', '&&', '||', '!', '(', ')', '{', '}', ','] as const
type Sign = (typeof SIGNS)[number]

/** Words between a label and what it is held against. */
const PHRASES = [
  ['not in', /not\s+in\b/y],
  ['in', /in\b/y],
  ['contains', /contains\b/y],
  ['starts with', /starts\s+with\b/y],
  ['ends with', /ends\s+with\b/y],
] as const
type Phrase = (typeof PHRASES)[number][0]

/** Calico takes no longer ones. */
const MAX_KEY = 512
const KEY = /[A-Za-z0-9_./-]+/y
const SPACE = /[ \t\r\n]*/y

/** Where a selector cannot be read, from 1, and why. */
export interface SelectorFault {
  readonly at: number
  readonly reason: string
}

/** The words of a text, the last of them `end`; or where it has none. */
export function tokensOf(source: string): readonly Token[] | SelectorFault {
  const tokens: Token[] = []
  for (let at = skip(source, 0); at < source.length; at = skip(source, at)) {
    const found = tokenAt(source, at, tokens.at(-1)?.kind)
    if ('reason' in found) return found
    tokens.push(found.token)
    at = found.end
  }
  return [...tokens, { kind: 'end', at: source.length + 1, text: '' }]
}

type Found = { readonly token: Token; readonly end: number } | SelectorFault

function tokenAt(source: string, at: number, before: TokenKind | undefined): Found {
  const quote = source[at]
  if (quote === "'" || quote === '"') return textAt(source, at, quote)
  const sign = SIGNS.find((one) => source.startsWith(one, at))
  if (sign !== undefined) return { token: { kind: sign, at: at + 1, text: sign }, end: at + sign.length }
  // A label may be called `in`: what follows a label is a word of the language.
  if (before === 'label') {
    for (const [kind, pattern] of PHRASES) {
      const text = matchAt(pattern, source, at)
      if (text !== '') return { token: { kind, at: at + 1, text }, end: at + text.length }
    }
  }
  const text = matchAt(KEY, source, at)
  if (text === '') return fault(at, `${JSON.stringify([...source.slice(at, at + 2)][0])} means nothing here`)
  if (text.length > MAX_KEY) return fault(at, `a label of ${text.length} characters is too long`)
  return { token: { kind: 'label', at: at + 1, text }, end: at + text.length }
}

function textAt(source: string, at: number, quote: string): Found {
  const end = source.indexOf(quote, at + 1)
  if (end < 0) return fault(at, `a text that begins with ${quote} does not end`)
  return { token: { kind: 'text', at: at + 1, text: source.slice(at + 1, end) }, end: end + 1 }
}

function fault(at: number, reason: string): SelectorFault {
  return { at: at + 1, reason }
}

function skip(source: string, at: number): number {
  return at + matchAt(SPACE, source, at).length
}

function matchAt(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0] ?? ''
}
