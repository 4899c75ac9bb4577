import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isOvsdbError } from '../errors.ts'
import { createJsonSplitter } from './splitter.ts'

/** Feeds pieces; returns the values seen and the code of the error, if any. */
function split(pieces: readonly Uint8Array[], maxBytes?: number): { values: unknown[]; code: string | undefined } {
  const values: unknown[] = []
  const splitter = createJsonSplitter({
    onValue: (value) => values.push(value),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })
  try {
    for (const piece of pieces) splitter.push(piece)
    return { values, code: undefined }
  } catch (error) {
    return { values, code: isOvsdbError(error) ? error.code : String(error) }
  }
}

/** Cuts bytes at the given fractions of their length. */
function cutAt(bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...fractions.map((f) => Math.floor(f * (bytes.length + 1))).toSorted((a, b) => a - b),
    bytes.length,
  ]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
const space = fc.constantFrom('', ' ', '\n', '\r\n\t')
const message = fc.oneof(
  fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })),
  fc.array(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })),
)

test('any chunking gives the same values', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(message, space)), fractions, (messages, cuts) => {
      const texts = messages.map(([value]) => JSON.stringify(value))
      const stream = Buffer.from(messages.map(([, gap], index) => `${texts[index]}${gap}`).join(''))
      const expected = texts.map((text) => JSON.parse(text))
      expect(split(cutAt(stream, cuts))).toEqual({ values: expected, code: undefined })
      expect(split([...stream].map((byte) => Uint8Array.of(byte)))).toEqual({ values: expected, code: undefined })
    }),
    { numRuns: 200 },
  )
})

test('any bytes end the same way however they are cut, with a stable code', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'{}[]",:\\1 u') }).map((s) => Buffer.from(s)),
  )
  fc.assert(
    fc.property(bytes, fractions, (stream, cuts) => {
      const whole = split([stream])
      expect([undefined, 'OVSDB_BAD_JSON']).toContain(whole.code)
      expect(split(cutAt(stream, cuts))).toEqual(whole)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['a bare word', 'hello'],
  ['a number between values', '{}1{}'],
  ['a closing bracket too many', '{}}'],
  ['brackets that do not match', '{]'],
  ['a broken escape', '{"a":"\\x"}'],
  ['nesting without end', '['.repeat(100_000)],
])('%s is OVSDB_BAD_JSON', (_what, text) => {
  expect(split([Buffer.from(text)]).code).toBe('OVSDB_BAD_JSON')
})

test('invalid UTF-8 is refused, not repaired', () => {
  expect(split([Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)]).code).toBe('OVSDB_BAD_JSON')
})

test('the size limit is on one message, in whatever pieces it comes', () => {
  const fits = Buffer.from(JSON.stringify(['x'.repeat(96)]))
  const long = Buffer.from(JSON.stringify(['x'.repeat(97)]))
  expect(split([fits, fits], 100).code).toBeUndefined()
  expect(split([long], 100).code).toBe('OVSDB_MESSAGE_TOO_LARGE')
  expect(split(cutAt(long, [0.5]), 100).code).toBe('OVSDB_MESSAGE_TOO_LARGE')
  expect(split([Buffer.from(`{"${'x'.repeat(200)}`)], 100).code).toBe('OVSDB_MESSAGE_TOO_LARGE')
})

test('a failed splitter stays failed', () => {
  const splitter = createJsonSplitter({ onValue: () => undefined })
  expect(() => splitter.push(Buffer.from('x'))).toThrow()
  expect(() => splitter.push(Buffer.from('{}'))).toThrow()
})
