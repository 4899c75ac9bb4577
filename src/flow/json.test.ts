import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeJson, encodeJson, JsonError } from './json.ts'

const bits128 = fc.bigInt({ min: -(2n ** 128n), max: 2n ** 128n })
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    bits128,
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '$bigint' && key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}))

test('what is encoded comes back, bigints included', () => {
  fc.assert(fc.property(values, (value) => expect(decodeJson(encodeJson(value))).toEqual(value)))
})

test('a bigint is an object of one decimal', () => {
  expect(encodeJson({ cookie: 0x57n })).toBe('{"cookie":{"$bigint":"87"}}')
})

describe('garbage is an error with a code', () => {
  const garbage = [
    '',
    '{',
    '{"$bigint":5}',
    '{"$bigint":"x"}',
    '{"$bigint":"1","b":2}',
    `{"$bigint":"${'9'.repeat(41)}"}`,
  ]
  for (const text of garbage) {
    test(text.slice(0, 30), () => {
      expect(() => decodeJson(text)).toThrow(JsonError)
    })
  }
})
