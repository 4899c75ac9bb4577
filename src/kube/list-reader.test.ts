import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KubeError } from './errors.ts'
import { ListReader } from './list-reader.ts'

/** A text in pieces of some lengths, over and over. */
function read(text: string, lengths: readonly number[]): { readonly items: unknown[]; readonly rest: unknown } {
  const items: unknown[] = []
  const reader = new ListReader((item) => items.push(item))
  for (let at = 0, i = 0; at < text.length; i += 1) {
    const length = lengths[i % lengths.length] ?? 1
    reader.push(text.slice(at, at + length))
    at += length
  }
  return { items, rest: reader.end() }
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 })
/** What could be mistaken for something else. */
const tricky = fc.constantFrom('items', '"items":[', '[', ']', '{', '}', ',', '\\', '"', '\\"', '0')
const value = fc.oneof(fc.jsonValue(), tricky, fc.dictionary(tricky, fc.oneof(tricky, fc.array(tricky))))

describe('a list in pieces', () => {
  test('is read as it is, whatever the pieces', () => {
    const others = fc.dictionary(fc.oneof(tricky, fc.string()), value).map(({ items: _, ...rest }) => rest)
    fc.assert(
      fc.property(others, fc.array(value), others, lengths, fc.nat(2), (before, items, after, cuts, space) => {
        const rest = { ...before, ...after }
        const text = JSON.stringify({ ...before, items, ...after }, null, space)
        const expected = JSON.parse(JSON.stringify({ items, rest }))
        expect(read(text, cuts)).toEqual(expected)
      }),
    )
  })

  test.each(['{}', '{"items":null}', '{"items":[]}', '{"items":[ ]}'])('%s has no items', (text) => {
    expect(read(text, [1])).toEqual({ items: [], rest: {} })
  })

  test.each([
    '',
    '[]',
    'null',
    '7',
    '{"items":[1,2}',
    '{"items":[1,2]',
    '{"items":[1,,2]}',
    '{"items":[1,]}',
    '{"items":[,]}',
    '{"items":[{} {}]}',
    '{"items":[1],"items":[2]}',
    '{"items":{}}',
    '{"items":"x"}',
    '{"items":[1]}]',
    '{"items":[1]}{}',
    '{"items" [1]}',
    '}{',
  ])('%s is none', (text) => {
    for (const length of [1, 3, 100]) expect(() => read(text, [length])).toThrow(KubeError)
  })

  test('that is garbage is refused or is JSON', () => {
    const parts = fc.constantFrom('{', '}', '[', ']', ',', ':', '"items"', '"', '\\', '1', 'null', ' ', '{"items":[')
    const garbage = fc.array(parts, { maxLength: 20 }).map((some) => some.join(''))
    fc.assert(
      fc.property(garbage, lengths, (text, cuts) => {
        let result: unknown
        try {
          result = read(text, cuts)
        } catch (error) {
          if (!(error instanceof KubeError)) throw error
          return
        }
        const { items = [], ...rest } = JSON.parse(text) as { readonly items?: unknown }
        expect(result).toEqual({ items: items ?? [], rest })
      }),
      { numRuns: 2000 },
    )
  })

  test('that never ends is cut off', () => {
    const piece = 'x'.repeat(1 << 20)
    for (const begin of ['{"a":"', '{"items":["']) {
      const reader = new ListReader(() => undefined)
      reader.push(begin)
      expect(() => {
        for (let i = 0; i < 20; i += 1) reader.push(piece)
      }).toThrow('without an end')
    }
  })
})
