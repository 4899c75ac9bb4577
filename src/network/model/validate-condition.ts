/**
 * What a condition must be.
 * @module
 */
import type { Condition } from './condition.ts'
import { type At, type Decode, reject } from './decode.ts'
import { list, literal, record, text, variant } from './decoders.ts'

/** The deepest condition, and the most parts of one part of it. */
export const MAX_CONDITION_DEPTH = 100
const MAX_PARTS = 10_000
/** A condition may ask for what no label can be; then nothing meets it. */
const MAX_TEXT = 40_000

const of = literal('own', 'namespace')
const key = text(1, MAX_TEXT)
const how = literal('in', 'contains', 'startsWith', 'endsWith')
const values = list(text(0, MAX_TEXT), MAX_PARTS)

/** A condition. */
export const condition: Decode<Condition> = (input, at) => decodeAt(MAX_CONDITION_DEPTH)(input, at)

function decodeAt(depth: number): Decode<Condition> {
  if (depth === 0) return (_input, at: At) => reject(at, 'is nested too deep', `nest at most ${MAX_CONDITION_DEPTH}`)
  const inner: Decode<Condition> = (input, at) => decodeAt(depth - 1)(input, at)
  return variant<Condition>('type', [
    ['all', record<Extract<Condition, { type: 'all' }>>({ type: literal('all') })],
    ['namespaced', record<Extract<Condition, { type: 'namespaced' }>>({ type: literal('namespaced') })],
    ['has', record<Extract<Condition, { type: 'has' }>>({ type: literal('has'), of, key })],
    ['compare', record<Extract<Condition, { type: 'compare' }>>({ type: literal('compare'), of, key, how, values })],
    ['not', record<Extract<Condition, { type: 'not' }>>({ type: literal('not'), condition: inner })],
    ['and', joined(inner)],
    ['or', joined(inner)],
  ])
}

function joined(inner: Decode<Condition>): Decode<Condition> {
  return record<Extract<Condition, { type: 'and' | 'or' }>>({
    type: literal('and', 'or'),
    conditions: list(inner, MAX_PARTS),
  })
}
