/**
 * Validation, defaults and pruning of custom resources.
 */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { ApiError } from '../contract.ts'
import { withDefaults } from './defaults.ts'
import { pruned } from './prune.ts'
import { readSchema } from './schema.ts'
import { garbage, schemas, values } from './testing/arbitraries.ts'
import { REFUSED } from './testing/cases.ts'
import { resourceWith, thing } from './testing/definitions.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }

describe('a value is refused', () => {
  for (const [what, schema, value, words] of REFUSED) {
    test(what, () => expect(wordsAbout(schema, value)).toBe(words))
  }

  test('with every wrong field as a cause', () => {
    const schema = { type: 'object', required: ['a'], properties: { a: integer, b: { ...integer, minimum: 1 } } }
    const error = refusal(schema, { b: 0 })
    expect(error?.status).toBe(422)
    expect(error?.reason).toBe('Invalid')
    expect(error?.details).toEqual({
      name: 'x',
      group: 'test.example',
      kind: 'Thing',
      causes: [
        { reason: 'FieldValueRequired', message: 'Required value', field: 'f.a' },
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0: f.b in body should be greater than or equal to 1',
          field: 'f.b',
        },
      ],
    })
  })

  test('for its name', () => {
    const metadata = { type: 'object', properties: { name: { ...text, maxLength: 0 } } }
    const { prepare } = resourceWith({ type: 'object', properties: { metadata } })
    expect(() => prepare(thing({}), undefined)).toThrow('metadata.name: Too long: may not be more than 0 bytes')
  })

  test('in time, whatever the pattern', () => {
    const words = wordsAbout({ ...text, pattern: '^(a+)+$' }, `${'a'.repeat(60_000)}!`)
    expect(words).toContain("f in body should match '^(a+)+$'")
  })
})

describe('a value is stored', () => {
  const map = { type: 'object', additionalProperties: { type: 'object', properties: { a: text } } }
  const cases: readonly (readonly [string, object, unknown, unknown])[] = [
    ['with a default', { ...text, default: 'd' }, undefined, 'd'],
    ['with a default for null', { ...text, default: 'd' }, null, 'd'],
    ['with a null that may stand', { ...text, default: 'd', nullable: true }, null, null],
    ['without a null that may not', text, null, undefined],
    ['with defaults in an object', { type: 'object', properties: { q: { ...text, default: 'd' } } }, {}, { q: 'd' }],
    [
      'without the object of a default',
      { type: 'object', properties: { q: { ...text, default: 'd' } } },
      undefined,
      undefined,
    ],
    [
      'with defaults in a default',
      { type: 'object', default: {}, properties: { q: { ...text, default: 'd' } } },
      undefined,
      { q: 'd' },
    ],
    [
      'with defaults in items',
      { type: 'array', items: { type: 'object', properties: { q: { ...integer, default: 1 } } } },
      [{}, { q: 2 }],
      [{ q: 1 }, { q: 2 }],
    ],
    ['without unknown fields', { type: 'object', properties: { a: text } }, { a: 'a', b: 1 }, { a: 'a' }],
    ['without unknown fields in a map', map, { k: { a: 'a', b: 1 } }, { k: { a: 'a' } }],
    [
      'with unknown fields that are wanted',
      {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { o: { type: 'object', properties: { a: text } } },
      },
      { u: { v: 1 }, o: { a: 'a', w: 1 } },
      { u: { v: 1 }, o: { a: 'a' } },
    ],
    [
      'with what every embedded object has',
      { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { a: text } },
      { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' }, b: 1 },
      { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' } },
    ],
    [
      'with any fields, and nothing in them',
      { type: 'object', additionalProperties: true },
      { a: 1, b: { c: 1 } },
      { a: 1, b: {} },
    ],
    ['as a text for a number', { 'x-kubernetes-int-or-string': true }, '80%', '80%'],
    ['in a format that nobody knows', { ...text, format: 'nonsense' }, 'x', 'x'],
    [
      'as a field called constructor',
      { type: 'object', properties: { constructor: text } },
      { constructor: 'c' },
      { constructor: 'c' },
    ],
  ]
  for (const [what, schema, value, stored] of cases) {
    test(what, () => {
      const { prepare } = resourceWith({ type: 'object', properties: { f: schema } })
      const object = prepare(thing(value === undefined ? {} : { f: value }), undefined)
      expect(object['f']).toEqual(stored)
    })
  }

  test('with metadata that no schema speaks of', () => {
    const { prepare } = resourceWith({ type: 'object', properties: { metadata: { type: 'object' } } })
    const object: KubeObject = { ...thing({ z: 1 }), metadata: { name: 'x', labels: { a: 'b' } } }
    const { z: _pruned, ...kept } = object
    expect(prepare(object, undefined)).toEqual(kept as KubeObject)
  })
})

describe('whatever the schema and the value', () => {
  test('what is pruned stays as it is when pruned again', () => {
    fc.assert(
      fc.property(schemas, values, (raw, value) => {
        const schema = readSchema(raw)
        const once = pruned(value, schema)
        expect(pruned(once, schema)).toEqual(once)
      }),
    )
  })

  test('what has its defaults stays as it is', () => {
    fc.assert(
      fc.property(schemas, values, (raw, value) => {
        const schema = readSchema(raw)
        const once = withDefaults(pruned(value, schema), schema)
        expect(withDefaults(once, schema)).toEqual(once)
      }),
    )
  })

  test('an object that was stored can be stored again, unchanged', () => {
    fc.assert(
      fc.property(schemas, values, (f, value) => {
        const { prepare } = resourceWith({ type: 'object', properties: { f } })
        const stored = orRefused(() => prepare(thing({ f: value }), undefined))
        if (stored !== undefined) expect(prepare(stored, stored)).toEqual(stored)
      }),
    )
  })

  test('garbage is refused in the words of the API', () => {
    fc.assert(
      fc.property(garbage, garbage, (schema, value) => {
        orRefused(() =>
          resourceWith({ type: 'object', properties: { f: schema } }).prepare(thing({ f: value }), undefined),
        )
        orRefused(() => resourceWith(schema).prepare(thing({ f: value }), undefined))
      }),
      { numRuns: 500 },
    )
  })
})

function orRefused<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return undefined
    throw error
  }
}

function refusal(schema: object, value: unknown): ApiError | undefined {
  const { prepare } = resourceWith({ type: 'object', properties: { f: schema } })
  try {
    prepare(thing({ f: value }), undefined)
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

function wordsAbout(schema: object, value: unknown): string | undefined {
  return refusal(schema, value)?.message.replace('Thing.test.example "x" is invalid: ', '')
}
