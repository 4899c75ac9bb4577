/**
 * Label selectors as the API takes them in a query: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
 * @module
 */
import { ApiError } from '../contract.ts'

/** What an object's labels have to be. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean

/** Reads a selector. Throws a 400 that shows what is wrong. */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = splitRequirements(text).map((part) => parseRequirement(part, text))
  return (labels) => requirements.every((matches) => matches(labels))
}

/** Commas outside parentheses separate. */
function splitRequirements(text: string): readonly string[] {
  const parts: string[] = []
  let [depth, start] = [0, 0]
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return text.trim() === '' ? [] : parts
}

const KEY = '([A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)'
const VALUE = '((?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?)'
const EXISTS = new RegExp(`^\\s*(!?)\\s*${KEY}\\s*$`)
const EQUALS = new RegExp(`^\\s*${KEY}\\s*(==|=|!=|>|<)\\s*${VALUE}\\s*$`)
const SET = new RegExp(`^\\s*${KEY}\\s+(in|notin)\\s*\\(([^()]*)\\)\\s*$`)
const ONE_VALUE = new RegExp(`^${VALUE}$`)

/** Longer than any key with its value; the patterns below take their time with what is much longer. */
const MAX_REQUIREMENT = 4096

function parseRequirement(part: string, whole: string): LabelMatcher {
  if (part.length > MAX_REQUIREMENT) throw unparsable(whole)
  const exists = EXISTS.exec(part)
  if (exists !== null) {
    const [, not, key = ''] = exists
    return (labels) => Object.hasOwn(labels, key) === (not === '')
  }
  const equals = EQUALS.exec(part)
  if (equals !== null) return comparison(equals[1] ?? '', equals[2] ?? '', equals[3] ?? '', whole)
  const set = SET.exec(part)
  if (set === null) throw unparsable(whole)
  const [, key = '', operator, list = ''] = set
  const values = new Set(list.split(',').map((value) => value.trim()))
  if (![...values].every((value) => ONE_VALUE.test(value))) throw unparsable(whole)
  if (operator === 'in') return (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? '')
  return (labels) => !Object.hasOwn(labels, key) || !values.has(labels[key] ?? '')
}

function comparison(key: string, operator: string, value: string, whole: string): LabelMatcher {
  if (operator === '!=') return (labels) => labelOf(labels, key) !== value
  if (operator === '=' || operator === '==') return (labels) => labelOf(labels, key) === value
  if (!/^\d{1,15}$/.test(value)) throw unparsable(whole)
  const bound = Number(value)
  return (labels) => {
    const actual = labelOf(labels, key)
    if (actual === undefined || !/^-?\d{1,15}$/.test(actual)) return false
    return operator === '>' ? Number(actual) > bound : Number(actual) < bound
  }
}

function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

function unparsable(text: string): ApiError {
  return new ApiError(400, 'BadRequest', `unable to parse requirement: "${text.slice(0, 200)}" is no label selector`)
}
