import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { portMasks } from './port-masks.ts'

const VECTORS: readonly (readonly [number, number, readonly (readonly [number, number])[]])[] = [
  [
    6000,
    6100,
    [
      [0x1770, 0xfff0],
      [0x1780, 0xffc0],
      [0x17c0, 0xfff0],
      [0x17d0, 0xfffc],
      [0x17d4, 0xffff],
    ],
  ],
  [
    1024,
    65535,
    [
      [0x0400, 0xfc00],
      [0x0800, 0xf800],
      [0x1000, 0xf000],
      [0x2000, 0xe000],
      [0x4000, 0xc000],
      [0x8000, 0x8000],
    ],
  ],
  [0, 65535, [[0, 0]]],
  [
    1,
    10,
    [
      [1, 0xffff],
      [2, 0xfffe],
      [4, 0xfffc],
      [8, 0xfffe],
      [10, 0xffff],
    ],
  ],
  [80, 80, [[80, 0xffff]]],
]

for (const [from, to, masks] of VECTORS) {
  test(`${from}–${to}`, () =>
    expect(portMasks(from, to).map(({ value, mask }) => [value, mask] as const)).toEqual([...masks]))
}

test('masks cover a range and nothing else, no port twice', () => {
  const port = fc.integer({ min: 0, max: 65535 })
  fc.assert(
    fc.property(port, port, (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const sizes = portMasks(from, to).map(({ mask }) => 0x10000 - mask)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(to - from + 1)
      for (const { value, mask } of portMasks(from, to)) {
        expect(value & mask).toBe(value)
        expect(value).toBeGreaterThanOrEqual(from)
        expect(value + 0x10000 - mask - 1).toBeLessThanOrEqual(to)
      }
    }),
  )
})
