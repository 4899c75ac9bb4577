import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { jsonFault } from './json-fault.ts'

test.each([
  ['{', 'unexpected end at line 1, column 2'],
  ['{"a"', 'unexpected end at line 1, column 5'],
  ['{"a', 'unexpected end at line 1, column 4'],
  ['{"a":\n', 'unexpected end at line 2, column 1'],
  ['{"a":-', 'unexpected end at line 1, column 7'],
  ['{\n  "a": 1,\n  "b" 2\n}', 'unexpected character at line 3, column 7'],
  ['{"a":1,}', 'unexpected character at line 1, column 8'],
  ['{"a":1}}', 'unexpected character at line 1, column 8'],
  ['[1,]', 'unexpected character at line 1, column 4'],
  ['[1}', 'unexpected character at line 1, column 3'],
  ['{1:2}', 'unexpected character at line 1, column 2'],
  ['{"a":secret}', 'unexpected character at line 1, column 6'],
  ['{"a":"\\x"}', 'unexpected character at line 1, column 8'],
  ['{"a":"\\u12g4"}', 'unexpected character at line 1, column 8'],
  ['{"a":"\n"}', 'unexpected character at line 1, column 7'],
  ['{"a":01}', 'unexpected character at line 1, column 7'],
  ['{"a":1.}', 'unexpected character at line 1, column 7'],
  ['\ufeff{}', 'unexpected character at line 1, column 1'],
  ['', 'unexpected end at line 1, column 1'],
])('%j: %s', (text, expected) => {
  expect(jsonFault(text)).toBe(expected)
})

/** Mostly JSON, with a piece put in, taken out or cut off. */
const damaged = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.nat(2),
    fc.constantFrom('', '', ',', '"', '}', ']', ':', '-', '\\', '0', '\n'),
  )
  .map(([json, place, gap, piece]) => {
    const at = place % (json.length + 1)
    return json.slice(0, at) + piece + json.slice(at + gap)
  })

test('a text has a fault exactly where the engine refuses it', () => {
  const verdicts = new Set<boolean>()
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string(), fc.json()), (text) => {
      verdicts.add(isJson(text))
      expect(jsonFault(text) === undefined).toBe(isJson(text))
    }),
    { numRuns: 2000 },
  )
  expect(verdicts.size).toBe(2)
})

test('depth and size are no danger', () => {
  expect(jsonFault('['.repeat(1_048_576))).toEndWith('line 1, column 1048577')
  expect(jsonFault(`"${'\\n'.repeat(500_000)}`)).toEndWith('line 1, column 1000002')
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
