/**
 * Validation of a value by a schema, in the words of Kubernetes. Source of the words: a kube-apiserver 1.32, asked.
 * @module
 */
import type { Cause } from '../http/status.ts'
import { invalidValue, required, typeName, wrongType } from '../objects/causes.ts'
import { type Fields, isFields } from '../objects/shape.ts'
import { repeatedItems } from './lists.ts'
import type { Schema } from './schema.ts'
import { problemsOfArray, problemsOfNumber, problemsOfObject, problemsOfText, problemsOfValue } from './value.ts'

/** Everything that is wrong with a value at a path; empty at the root. */
export function problemsOf(value: unknown, schema: Schema, path: string): readonly Cause[] {
  return [...schemaProblems(value, schema, path), ...repeatedItems(value, schema, path)]
}

function schemaProblems(value: unknown, schema: Schema, path: string): readonly Cause[] {
  if (value === null && schema.isNullable) return []
  if (!isOfType(value, schema.types)) return [wrongType(path, value, schema.types)]
  return [
    ...problemsOfValue(value, schema, path),
    ...ownProblems(value, schema, path),
    ...choiceProblems(value, schema, path),
  ]
}

function isOfType(value: unknown, types: readonly string[]): boolean {
  const name = typeName(value)
  return types.length === 0 || types.includes(name) || (name === 'integer' && types.includes('number'))
}

function ownProblems(value: unknown, schema: Schema, path: string): readonly Cause[] {
  if (typeof value === 'string') return problemsOfText(value, schema, path)
  if (typeof value === 'number') return problemsOfNumber(value, schema, path)
  if (Array.isArray(value)) {
    const { items } = schema
    const below =
      items === undefined ? [] : value.flatMap((item, index) => schemaProblems(item, items, `${path}[${index}]`))
    return [...problemsOfArray(value, schema, path), ...below]
  }
  return isFields(value) ? [...problemsOfObject(value, schema, path), ...fieldProblems(value, schema, path)] : []
}

function fieldProblems(fields: Fields, schema: Schema, path: string): readonly Cause[] {
  const missing = schema.required.filter((name) => !Object.hasOwn(fields, name))
  const below = Object.entries(fields).flatMap(([name, value]) => {
    const inner = schema.properties.get(name) ?? schema.additional
    return inner === undefined ? [] : schemaProblems(value, inner, at(path, name))
  })
  const embedded = schema.isEmbedded ? embeddedProblems(fields, path) : []
  return [...missing.map((name) => required(at(path, name))), ...below, ...embedded]
}

function embeddedProblems(fields: Fields, path: string): readonly Cause[] {
  return ['apiVersion', 'kind'].flatMap((name) => {
    const value = fields[name] ?? ''
    if (typeof value !== 'string') return [wrongType(at(path, name), value, ['string'])]
    return value === '' ? [required(at(path, name), 'must not be empty')] : []
  })
}

/** Kubernetes names no field for these, and adds what the closest choice misses. */
function choiceProblems(value: unknown, schema: Schema, path: string): readonly Cause[] {
  const { allOf, anyOf, oneOf, not } = schema
  const tell = (what: string): Cause => invalidValue('<nil>', '', `"${path}" ${what}`)
  const found: Cause[] = []
  const any = anyOf.map((choice) => schemaProblems(value, choice, path))
  if (any.length > 0 && !any.some(isClean))
    found.push(tell('must validate at least one schema (anyOf)'), ...closest(any))
  const one = oneOf.map((choice) => schemaProblems(value, choice, path))
  const clean = one.filter(isClean).length
  if (one.length > 0 && clean === 0) {
    found.push(tell('must validate one and only one schema (oneOf). Found none valid'), ...closest(one))
  }
  if (clean > 1) found.push(tell(`must validate one and only one schema (oneOf). Found ${clean} valid alternatives`))
  const all = allOf.map((choice) => schemaProblems(value, choice, path))
  if (!all.every(isClean)) {
    const rest = all.some(isClean) ? '' : '. None validated'
    found.push(...all.flat(), tell(`must validate all the schemas (allOf)${rest}`))
  }
  if (not !== undefined && isClean(schemaProblems(value, not, path)))
    found.push(tell('must not validate the schema (not)'))
  return found
}

function isClean(problems: readonly Cause[]): boolean {
  return problems.length === 0
}

/** The choice that lacks least. */
function closest(choices: readonly (readonly Cause[])[]): readonly Cause[] {
  return choices.reduce((best, choice) => (choice.length < best.length ? choice : best))
}

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
