/**
 * Structural schemas as CustomResourceDefinitions write them, read once into what pruning, defaults and validation need.
 * @module
 */
import { arrayAt, type Fields, fieldsAt, isFields, numberAt, textAt, valueAt } from '../objects/shape.ts'
import { compileRule, type Rule } from './cel/rule.ts'
import { compilePattern, type Pattern } from './pattern.ts'

/** Bounds of a count, both included. */
export interface Range {
  readonly least: number | undefined
  readonly most: number | undefined
}

/** Bounds of a number. */
export interface NumberBounds extends Range {
  readonly isAboveLeast: boolean
  readonly isBelowMost: boolean
  readonly step: number | undefined
}

/** A schema. What it does not say is allowed. */
export interface Schema {
  /** JSON Schema's names; empty for any. */
  readonly types: readonly string[]
  readonly isNullable: boolean
  readonly isEmbedded: boolean
  readonly keepsUnknown: boolean
  readonly properties: ReadonlyMap<string, Schema>
  /** Of the fields that `properties` does not name. */
  readonly additional: Schema | undefined
  readonly items: Schema | undefined
  readonly required: readonly string[]
  readonly default: { readonly value: unknown } | undefined
  readonly list: { readonly type: 'set' | 'map'; readonly keys: readonly string[] } | undefined
  readonly enum: readonly unknown[] | undefined
  readonly number: NumberBounds
  /** Characters of a text. */
  readonly length: Range
  /** Items of an array. */
  readonly size: Range
  /** Fields of an object. */
  readonly fields: Range
  readonly pattern: Pattern | undefined
  readonly format: string | undefined
  readonly allOf: readonly Schema[]
  readonly anyOf: readonly Schema[]
  readonly oneOf: readonly Schema[]
  readonly not: Schema | undefined
  /** What is demanded in CEL. */
  readonly rules: readonly Rule[]
}

/** Reads a schema. What is malformed in it counts as not said: definitions are judged before they are stored. */
export function readSchema(raw: unknown): Schema {
  const schema = withoutRules(raw)
  const rules = arrayAt(raw, 'x-kubernetes-validations').map((rule) => compileRule(rule, schema))
  return { ...schema, rules: rules.filter((rule) => typeof rule !== 'string') }
}

/** A schema without the rules at its top: what they are compiled for. */
export function withoutRules(raw: unknown): Schema {
  return {
    types: typesOf(raw),
    isNullable: valueAt(raw, 'nullable') === true,
    isEmbedded: valueAt(raw, 'x-kubernetes-embedded-resource') === true,
    keepsUnknown: valueAt(raw, 'x-kubernetes-preserve-unknown-fields') === true,
    properties: new Map(
      Object.entries(fieldsAt(raw, 'properties')).map(([name, inner]) => [name, readSchema(inner)] as const),
    ),
    additional: additionalOf(valueAt(raw, 'additionalProperties')),
    items: optional(valueAt(raw, 'items')),
    required: textsAt(raw, 'required'),
    default: Object.hasOwn(fieldsOf(raw), 'default') ? { value: valueAt(raw, 'default') } : undefined,
    list: listOf(raw),
    enum: Array.isArray(valueAt(raw, 'enum')) ? arrayAt(raw, 'enum') : undefined,
    number: numberBounds(raw),
    length: rangeOf(raw, 'minLength', 'maxLength'),
    size: rangeOf(raw, 'minItems', 'maxItems'),
    fields: rangeOf(raw, 'minProperties', 'maxProperties'),
    pattern: patternOf(raw),
    format: textAt(raw, 'format'),
    allOf: arrayAt(raw, 'allOf').map(readSchema),
    anyOf: arrayAt(raw, 'anyOf').map(readSchema),
    oneOf: arrayAt(raw, 'oneOf').map(readSchema),
    not: optional(valueAt(raw, 'not')),
    rules: [],
  }
}

function typesOf(raw: unknown): readonly string[] {
  if (valueAt(raw, 'x-kubernetes-int-or-string') === true) return ['integer', 'string']
  const type = textAt(raw, 'type')
  return type === undefined || type === '' ? [] : [type]
}

/** `true` allows any field, but says nothing of what is in it: what is in objects is not kept. */
function additionalOf(raw: unknown): Schema | undefined {
  return raw === true ? readSchema({}) : optional(raw)
}

function optional(raw: unknown): Schema | undefined {
  return isFields(raw) ? readSchema(raw) : undefined
}

function listOf(raw: unknown): Schema['list'] {
  const type = textAt(raw, 'x-kubernetes-list-type')
  return type === 'set' || type === 'map' ? { type, keys: textsAt(raw, 'x-kubernetes-list-map-keys') } : undefined
}

function numberBounds(raw: unknown): NumberBounds {
  return {
    ...rangeOf(raw, 'minimum', 'maximum'),
    isAboveLeast: valueAt(raw, 'exclusiveMinimum') === true,
    isBelowMost: valueAt(raw, 'exclusiveMaximum') === true,
    step: numberAt(raw, 'multipleOf'),
  }
}

function rangeOf(raw: unknown, least: string, most: string): Range {
  return { least: numberAt(raw, least), most: numberAt(raw, most) }
}

function patternOf(raw: unknown): Pattern | undefined {
  const text = textAt(raw, 'pattern')
  const pattern = text === undefined || text === '' ? undefined : compilePattern(text)
  return typeof pattern === 'string' ? undefined : pattern
}

function textsAt(raw: unknown, field: string): readonly string[] {
  return arrayAt(raw, field).filter((text) => typeof text === 'string')
}

function fieldsOf(raw: unknown): Fields {
  return isFields(raw) ? raw : {}
}
