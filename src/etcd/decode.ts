/**
 * What came over the wire, checked before it is believed. An answer that is none throws `ETCD_UNAVAILABLE`: the next
 * member may have a better one.
 * @module
 */
import { garbage } from './errors.ts'

/** JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message may hold a piece of the text.
    throw garbage('something that is not JSON')
  }
}

/** An object's fields. */
export function recordOf(input: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    return input as Readonly<Record<string, unknown>>
  }
  throw garbage(`something that is not ${what}`)
}

/** A list. etcd leaves it out of an answer when it is empty. */
export function listOf(input: unknown, what: string): readonly unknown[] {
  if (input === undefined || input === null) return []
  if (Array.isArray(input)) return input
  throw garbage(`something that is not ${what}`)
}

/** Text. */
export function textOf(input: unknown, what: string): string {
  if (typeof input === 'string') return input
  throw garbage(`something that is not ${what}`)
}

/** A revision: a whole number, which v3 writes as text because JSON's numbers end at 2^53; zero is left out. */
export function revisionOf(input: unknown, what: string): number {
  const value = typeof input === 'string' && /^\d{1,16}$/.test(input) ? Number(input) : (input ?? 0)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw garbage(`something that is not ${what}`)
}
