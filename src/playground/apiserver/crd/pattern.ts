/**
 * Regular expressions of schemas. They are anybody's, and so is what they are held against: RE2 takes time in
 * proportion to the text, and is the dialect that Kubernetes reads them in.
 * @module
 */
import { RE2JS } from 're2js'

/** A compiled expression. */
export interface Pattern {
  readonly text: string
  /** Whether it is found anywhere in the text. */
  matches(text: string): boolean
}

const LONGEST_PATTERN = 1024
/** Characters of a text that a pattern is held against; what is longer does not match. */
const LONGEST_TEXT = 65_536

/** Compiles an expression, or tells what is wrong with it. */
export function compilePattern(text: string): Pattern | string {
  if (text.length > LONGEST_PATTERN) return `longer than ${LONGEST_PATTERN} characters`
  try {
    const compiled = RE2JS.compile(text)
    return { text, matches: (value) => value.length <= LONGEST_TEXT && compiled.matcher(value).find() }
  } catch (error) {
    return error instanceof Error ? error.message : 'not readable'
  }
}
