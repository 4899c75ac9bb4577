/**
 * What rules say of a value, and of its change. Source of the words: a kube-apiserver 1.32, asked.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { cause, invalidAs } from '../../objects/causes.ts'
import { isFields } from '../../objects/shape.ts'
import { keyOf, sameValue } from '../lists.ts'
import type { Schema } from '../schema.ts'
import type { Rule } from './rule.ts'
import { celObject, celValue } from './value.ts'

/** Every rule that an object breaks. `before` is what was stored, undefined for a new one. */
export function brokenRules(object: unknown, before: unknown, schema: Schema): readonly Cause[] {
  return [...ownRules(object, before, schema, ''), ...inner(object, before, schema, '')]
}

/** Said beside problems that leave rules unasked. */
export const RULES_UNASKED: Cause = invalidAs(
  '<nil>',
  '"null"',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

/** Whether a problem leaves rules unasked: they rely on types, and on what is required. */
export function isBlocking({ reason }: Cause): boolean {
  return BLOCKING.has(reason)
}

const BLOCKING: ReadonlySet<Cause['reason']> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTypeInvalid',
  'FieldValueTooLong',
  'FieldValueTooMany',
])

/** Whether a schema has rules anywhere. */
export function hasRules(schema: Schema): boolean {
  const { rules, properties, additional, items } = schema
  return (
    rules.length > 0 || [...properties.values(), additional, items].some((one) => one !== undefined && hasRules(one))
  )
}

function problems(value: unknown, before: unknown, schema: Schema, path: string): readonly Cause[] {
  return [...ownRules(value, before, schema, path), ...inner(value, before, schema, path)]
}

function ownRules(value: unknown, before: unknown, schema: Schema, path: string): readonly Cause[] {
  const { rules } = schema
  if (rules.length === 0 || value === null || value === undefined) return []
  const seen = path === '' ? celObject : celValue
  const self = seen(value, schema)
  const old = before === undefined || before === null ? undefined : seen(before, schema)
  return rules
    .filter(({ isTransition }) => !isTransition || old !== undefined)
    .flatMap((rule) => {
      const why = rule.broken(self, old)
      return why === undefined ? [] : [told(rule, schema, path, why)]
    })
}

const PREFIX: { readonly [R in Rule['reason']]: (type: string) => string } = {
  FieldValueInvalid: (type) => `Invalid value: "${type}"`,
  FieldValueDuplicate: (type) => `Duplicate value: "${type}"`,
  FieldValueForbidden: () => 'Forbidden',
  FieldValueRequired: () => 'Required value',
}

function told({ reason, field }: Rule, { types }: Schema, path: string, why: string): Cause {
  const place = `${path}${field}`.replace(/^\./, '')
  const message = reason === 'FieldValueDuplicate' ? '' : `: ${why}`
  return cause(reason, place === '' ? '<nil>' : place, `${PREFIX[reason](types[0] ?? 'object')}${message}`)
}

function inner(value: unknown, before: unknown, schema: Schema, path: string): readonly Cause[] {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return []
    return value.flatMap((item, index) => problems(item, counterpart(item, before, schema), items, `${path}[${index}]`))
  }
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const below = schema.properties.get(name) ?? schema.additional
    const old = isFields(before) && Object.hasOwn(before, name) ? before[name] : undefined
    return below === undefined ? [] : problems(field, old, below, path === '' ? name : `${path}.${name}`)
  })
}

/** The item that this one was before, which only lists that are maps can tell. */
function counterpart(item: unknown, before: unknown, { list }: Schema): unknown {
  if (list?.type !== 'map' || !Array.isArray(before)) return undefined
  const key = keyOf(item, list.keys)
  return before.find((one) => sameValue(keyOf(one, list.keys), key))
}
