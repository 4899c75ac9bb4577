/**
 * Words and numbers for terminals.
 * @module
 */
import type { Look } from './look.ts'
import { widthOf } from './width.ts'

/** A text without control characters: names come from strangers, and a terminal obeys escape sequences. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '�')
}

/** Breaks a text between words so that no line is wider than `width` where words allow it. */
export function wrap(text: string, width: number): string[] {
  return wrapWords(text.split(' '), width)
}

/** The same of words that stay together; further lines are indented. */
export function wrapWords(words: readonly string[], width: number, indent = '', gap = ' '): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(word)
    else if (widthOf(last) + widthOf(gap) + widthOf(word) <= width) lines[lines.length - 1] = `${last}${gap}${word}`
    else lines.push(indent + word)
  }
  return lines
}

/** What is to be looked at, behind a mark; further lines stand below the text and not below the mark. */
export function marked(text: string, { width, warn }: Look): string[] {
  return wrap(printable(text), width - 2).map((line, i) => warn(`${i === 0 ? '!' : ' '} ${line}`))
}

/** A number, with thousands apart as `1 234 567` where the look wants that. */
export function grouped(value: bigint | number, { groupsDigits }: Look): string {
  return groupsDigits ? value.toString().replace(/\B(?=(\d{3})+$)/g, ' ') : value.toString()
}

/** `1 node`, `2 nodes`. */
export function count(value: bigint | number, noun: string, look: Look): string {
  return `${grouped(value, look)} ${noun}${value === 1 || value === 1n ? '' : 's'}`
}
