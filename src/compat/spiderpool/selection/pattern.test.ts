import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isPattern, parsePattern } from './pattern.ts'

// The cases of Go's path/filepath/match_test.go that have to do with names.
test.each([
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'abc', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f', false],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^b-d]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['a[^a][^a][^a]b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['a*b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-]', '-', true],
  ['[x\\-]', 'x', true],
  ['[x\\-]', '-', true],
  ['[x\\-]', 'z', false],
  ['[\\-x]', 'x', true],
  ['[\\-x]', '-', true],
  ['[\\-x]', 'a', false],
  ['*x', 'xxx', true],
  ['', '', true],
  ['', 'a', false],
  ['a', '', false],
  ['a*', 'ba', false],
])('%p and %p: %p', (pattern, name, expected) => {
  expect(parsePattern(pattern)?.(name)).toBe(expected)
})

test.each(['[]a]', '[-]', '[x-]', '[-x]', '[a-b-c]', '[', '[^', '[^bc', 'a[', 'a[b', '\\', 'a\\', '['.repeat(129)])(
  '%p is malformed',
  (pattern) => expect(parsePattern(pattern)).toBeUndefined(),
)

test('plain names are no patterns', () => {
  expect(['ippool-test', 'a.b', ''].some(isPattern)).toBe(false)
  expect(['a*', '?', '[a', '\\a'].every(isPattern)).toBe(true)
})

test('property: as a regular expression has it', () => {
  const part = fc.constantFrom('*', '?', 'a', 'b', '[ab]', '[^a]', '[a-b]')
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), name, (parts, text) => {
      const source = parts.map((one) => (one === '*' ? '[^/]*' : one === '?' ? '[^/]' : one)).join('')
      expect(parsePattern(parts.join(''))?.(text)).toBe(new RegExp(`^${source}$`).test(text))
    }),
    { numRuns: 500 },
  )
})

test('a hostile pattern costs no more than its length times the name’s', () => {
  expect(parsePattern(`${'*a'.repeat(60)}b`)?.('a'.repeat(253))).toBe(false)
})
