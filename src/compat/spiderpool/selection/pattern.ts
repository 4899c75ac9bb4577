/**
 * Names of pools with wildcards, as Go's `filepath.Match` has them: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before any of these.
 * @module
 */

/** A malformed pattern matches nothing, and is an error wherever one is written. */
export type Pattern = (name: string) => boolean

/** Longer ones are refused: a tenant writes them, and every pool is compared with each. */
const MAX_PATTERN = 128

/** Whether a text is a pattern and no plain name. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text)
}

/** The pattern in a text; undefined where it is malformed: a class that does not end, a `\` at the end. */
export function parsePattern(text: string): Pattern | undefined {
  const chars = [...text]
  if (chars.length > MAX_PATTERN) return undefined
  const steps: Step[] = []
  for (let at = 0; at < chars.length; ) {
    const next = readStep(chars, at)
    if (next === undefined) return undefined
    at = next.end
    if (next.step !== ANY || steps.at(-1) !== ANY) steps.push(next.step)
  }
  return (name) => matches(steps, [...name])
}

/** Any run of characters. No name of a pool has a slash, which is what it would end at. */
const ANY = 'any'
type Step = typeof ANY | ((char: string) => boolean)

interface Read {
  readonly step: Step
  /** Where the next step begins. */
  readonly end: number
}

function readStep(chars: readonly string[], at: number): Read | undefined {
  const char = chars[at]
  if (char === '*') return { step: ANY, end: at + 1 }
  if (char === '?') return { step: (one) => one !== '/', end: at + 1 }
  if (char === '[') return readClass(chars, at + 1)
  const literal = readChar(chars, at)
  return literal && { step: (one) => one === literal.char, end: literal.end }
}

/** `^` turns it round; one range or character at least. */
function readClass(chars: readonly string[], from: number): Read | undefined {
  const isTurned = chars[from] === '^'
  const ranges: (readonly [string, string])[] = []
  let at = isTurned ? from + 1 : from
  while (chars[at] !== ']' || ranges.length === 0) {
    const range = readRange(chars, at)
    if (range === undefined) return undefined
    ranges.push([range.first, range.last])
    at = range.end
  }
  const isIn = (one: string): boolean => ranges.some(([first, last]) => first <= one && one <= last)
  return { step: (one) => one !== '/' && isIn(one) !== isTurned, end: at + 1 }
}

function readRange(
  chars: readonly string[],
  at: number,
): { readonly first: string; readonly last: string; readonly end: number } | undefined {
  const first = readClassChar(chars, at)
  if (first === undefined || chars[first.end] !== '-') {
    return first && { first: first.char, last: first.char, end: first.end }
  }
  const last = readClassChar(chars, first.end + 1)
  return last && { first: first.char, last: last.char, end: last.end }
}

/** Within a class `-` and `]` stand for themselves only behind a `\`. */
function readClassChar(
  chars: readonly string[],
  at: number,
): { readonly char: string; readonly end: number } | undefined {
  return chars[at] === '-' || chars[at] === ']' ? undefined : readChar(chars, at)
}

function readChar(chars: readonly string[], at: number): { readonly char: string; readonly end: number } | undefined {
  const isEscaped = chars[at] === '\\'
  const char = chars[isEscaped ? at + 1 : at]
  return char === undefined ? undefined : { char, end: at + (isEscaped ? 2 : 1) }
}

/** Goes back to the last run only: time grows with the product of both lengths, whatever the pattern. */
function matches(steps: readonly Step[], chars: readonly string[]): boolean {
  let [step, char] = [0, 0]
  let retry: { readonly step: number; char: number } | undefined
  while (char < chars.length) {
    const current = steps[step]
    if (current === ANY) {
      retry = { step: step + 1, char }
      step += 1
    } else if (current?.(chars[char] ?? '') === true) {
      step += 1
      char += 1
    } else if (retry !== undefined && chars[retry.char] !== '/') {
      retry.char += 1
      step = retry.step
      char = retry.char
    } else return false
  }
  while (steps[step] === ANY) step += 1
  return step === steps.length
}
