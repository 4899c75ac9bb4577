import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { box } from './box.ts'
import { lookFor, PLAIN } from './look.ts'
import { table } from './table.ts'
import { fit, widthOf } from './width.ts'
import { count, grouped, wrap, wrapWords } from './words.ts'

const coloured = lookFor({}, true)
const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'ß', '·', '1'), minLength: 1, maxLength: 50 }), {
  minLength: 1,
  maxLength: 6,
})

test('a table fits whatever width there is, and loses nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words, words, words), { maxLength: 5 }),
      fc.integer({ min: 40, max: 100 }),
      (rows, columns) => {
        const cells = rows.map((row) => row.map((cell) => cell.join(' ')))
        const heads = ['ONE', 'TWO', 'THREE'].map((head) => ({ head }))
        const lines = table(heads, cells, lookFor({ columns }, false))
        expect(lines.filter((line) => widthOf(line) > columns)).toEqual([])
        const letters = (text: string): string => [...text.replaceAll(' ', '')].sort().join('')
        expect(letters(lines.slice(1).join(''))).toBe(letters(cells.flat().join('')))
      },
    ),
  )
})

test('a name that is too wide for its column is broken at a joint', () => {
  const broken = (name: string, columns: number): string[] =>
    table([{ head: 'A' }], [[name]], { ...PLAIN, width: columns }).slice(1)
  expect(broken('BaselineAdminNetworkPolicy', 15)).toEqual(['BaselineAdmin', 'NetworkPolicy'])
  expect(broken('kube-system/weft-dns-9xnggkx5vx', 22)).toEqual(['kube-system/weft-dns-', '9xnggkx5vx'])
  expect(broken('a-'.padEnd(25, 'x'), 12)).toEqual(['a-xxxxxxxxxx', 'xxxxxxxxxxxx', 'x'])
})

test('words are wrapped between words only', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 5, max: 80 }), (list, width) => {
      const lines = wrap(list.join(' '), width)
      expect(lines.join(' ')).toBe(list.join(' '))
      expect(lines.filter((line) => line.includes(' ') && widthOf(line) > width)).toEqual([])
    }),
  )
  expect(wrapWords(['a b', 'c d', 'e'], 10, '  ', ' - ')).toEqual(['a b - c d', '  e'])
})

test('digits are grouped on a terminal only', () => {
  expect(grouped(1_234_567n, PLAIN)).toBe('1234567')
  expect(grouped(1_234_567n, lookFor({ isTTY: true }, false))).toBe('1 234 567')
  expect([count(1, 'node', PLAIN), count(2n, 'node', PLAIN)]).toEqual(['1 node', '2 nodes'])
})

test('as many columns as the terminal has, up to a page', () => {
  expect(
    [undefined, 80, 400, 3].map((columns) => lookFor(columns === undefined ? {} : { columns }, false).width),
  ).toEqual([100, 80, 100, 40])
})

test('text is filled up or cut to any width', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'ß', '·', ' ') }),
      fc.integer({ min: 1, max: 40 }),
      (text, width) => {
        expect(widthOf(fit(text, width))).toBe(width)
        expect(widthOf(fit(coloured.bad(text), width))).toBe(width)
      },
    ),
  )
})

test('a box is as wide as asked, whatever is in it', () => {
  const lines = box('a long title that does not fit', ['short', 'x'.repeat(80)], 24, 4)
  expect(lines.map(widthOf)).toEqual(new Array(6).fill(24))
})
