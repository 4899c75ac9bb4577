import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createCache } from './cache/cache.ts'
import { isOvsdbError } from './errors.ts'
import { checkSchema } from './schema/check.ts'
import { type Column, map, optional, scalar, set } from './schema/column.ts'
import { OPEN_VSWITCH } from './schema/open-vswitch.ts'
import { checkResults } from './transact/results.ts'
import { decodeValue, defaultValue, encodeValue, sameValue, type Value, type ValueInput } from './values.ts'
import { decodeMessage } from './wire/message.ts'

const uuid = fc.uuid()
const text = fc.string({ unit: 'binary' })
const integer = fc.maxSafeInteger().map((n) => n + 0)

/** Columns with values that fit them. */
const fitting: fc.Arbitrary<readonly [Column, ValueInput]> = fc.oneof(
  text.map((value) => [scalar('string'), value] as const),
  fc.boolean().map((value) => [scalar('boolean'), value] as const),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => [scalar('real'), value + 0] as const),
  fc.option(integer, { nil: undefined }).map((value) => [optional('integer'), value] as const),
  fc.option(uuid, { nil: undefined }).map((value) => [optional('uuid'), value] as const),
  fc.uniqueArray(uuid).map((value) => [set('uuid'), value] as const),
  fc.uniqueArray(text).map((value) => [set('string'), value] as const),
  fc.array(fc.tuple(text, text)).map((pairs) => [map('string', 'string'), new Map(pairs)] as const),
  fc.array(fc.tuple(integer, uuid)).map((pairs) => [map('integer', 'uuid'), new Map(pairs)] as const),
)

test('what is encoded decodes to the same', () => {
  fc.assert(
    fc.property(fitting, ([column, value]) => {
      const wire: unknown = JSON.parse(JSON.stringify(encodeValue(column, value)))
      expect(sameValue(decodeValue(column, wire), value as Value)).toBe(true)
    }),
  )
})

test('a record is written as a map, and a set of one may come bare', () => {
  expect(encodeValue(map('string', 'string'), { a: '1' })).toEqual(['map', [['a', '1']]])
  expect(encodeValue(map('integer', 'uuid'), { 3: { namedUuid: 'q' } })).toEqual(['map', [[3, ['named-uuid', 'q']]]])
  expect(decodeValue(set('integer'), 7)).toEqual([7])
  expect(decodeValue(map('string', 'string'), ['map', [['__proto__', 'x']]])).toEqual(new Map([['__proto__', 'x']]))
})

test.each([
  ['two values in an optional', optional('integer'), ['set', [1, 2]]],
  ['an empty set in a scalar', scalar('string'), ['set', []]],
  ['a string for an integer', scalar('integer'), '1'],
  ['a fraction for an integer', scalar('integer'), 1.5],
  ['a named UUID from the server', scalar('uuid'), ['named-uuid', 'x']],
  ['a short UUID', scalar('uuid'), ['uuid', '1234']],
  ['a pair of three', map('string', 'string'), ['map', [['a', 'b', 'c']]]],
  ['a set tag without elements', set('string'), ['set']],
] as const)('%s is OVSDB_BAD_VALUE', (_what, column, json) => {
  expect(codeOf(() => decodeValue(column, json))).toBe('OVSDB_BAD_VALUE')
})

test('decoders give a stable code for every JSON value', () => {
  const row = fc.record({ name: fc.jsonValue(), ports: fc.jsonValue() }, { requiredKeys: [] })
  const update = fc.dictionary(
    fc.constantFrom('initial', 'insert', 'modify', 'delete', 'x'),
    fc.oneof(row, fc.jsonValue()),
    { maxKeys: 2 },
  )
  const updates = fc.dictionary(
    fc.constantFrom('Bridge', 'Port', '__proto__'),
    fc.dictionary(fc.oneof(uuid, text), update),
  )
  const hostile = fc.oneof(fc.jsonValue(), updates, fc.array(fc.jsonValue()))
  const columns = { name: scalar('string'), ports: set('uuid') }
  fc.assert(
    fc.property(hostile, (json) => {
      const cache = createCache({ Bridge: columns })
      const attempts = [
        () => decodeMessage(json),
        () => checkResults([{ op: 'comment' }], json),
        () => checkSchema(OPEN_VSWITCH, json),
        ...[scalar('uuid'), set('integer'), map('string', 'string')].map((column) => () => decodeValue(column, json)),
        () => cache.replace(json),
      ]
      for (const attempt of attempts) expect(codeOf(attempt) ?? 'OVSDB_').toStartWith('OVSDB_')
      const before = [...cache.rows('Bridge').values()]
      if (codeOf(() => cache.apply(json)) !== undefined) expect([...cache.rows('Bridge').values()]).toEqual(before)
    }),
    { numRuns: 500 },
  )
})

test('defaults are values of their column', () => {
  for (const columns of Object.values(OPEN_VSWITCH.tables)) {
    for (const column of Object.values(columns)) {
      const value = defaultValue(column)
      expect(sameValue(decodeValue(column, encodeValue(column, value as ValueInput)), value)).toBe(true)
    }
  }
})

test('the declared tables are those of the installed schema, and what is missing is named', async () => {
  const schema = await Bun.file('/usr/share/openvswitch/vswitch.ovsschema').json()
  checkSchema(OPEN_VSWITCH, schema)
  delete schema.tables.Interface.columns.ofport_request
  schema.tables.Port.columns.tag.type.max = 'unlimited'
  delete schema.tables.Queue
  expect(() => checkSchema(OPEN_VSWITCH, schema)).toThrow(
    'column Port.tag as optional integer; column Interface.ofport_request; table Queue',
  )
})

function codeOf(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return isOvsdbError(error) ? error.code : String(error)
  }
}
