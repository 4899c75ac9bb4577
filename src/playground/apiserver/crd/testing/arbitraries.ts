/**
 * Schemas and values to try each other with, and garbage that looks like either.
 * @module
 */
import fc from 'fast-check'

const text = { type: 'string' }
const names = fc.constantFrom('a', 'b', 'c', 'constructor')

/** Structural schemas. */
export const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'schema' },
    fc.constant(text),
    fc.constant({ type: 'integer', minimum: -5 }),
    fc.constant({ ...text, maxLength: 4, nullable: true }),
    fc.constant({ 'x-kubernetes-int-or-string': true, default: 7 }),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
    fc.record({ type: fc.constant('object'), properties: fc.dictionary(names, tie('schema'), { maxKeys: 4 }) }),
    fc.constant({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
  ),
})).schema

/** JSON values with the names of those schemas' fields. */
export const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    fc.constantFrom(null, true, 0, -9, 1.5, '', 'text', 'longer'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
})).value

const WORDS = [
  ...['type', 'properties', 'items', 'additionalProperties', 'required', 'enum', 'default', 'pattern', 'format', 'not'],
  ...['allOf', 'anyOf', 'oneOf', 'nullable', 'maxLength', 'minItems', 'multipleOf', 'a', 'metadata', 'constructor'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-int-or-string'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-validations'],
]

/** JSON with the words of schemas for names, so that it comes close to one. */
export const garbage = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'garbage' },
    fc.constantFrom<unknown>(null, true, 0, -1, 'object', 'array', 'string', 'integer', '(', 'set', 'map', 'a'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie('value'), { maxKeys: 5 }),
  ),
})).value
