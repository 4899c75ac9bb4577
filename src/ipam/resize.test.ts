import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatIp } from '../network/model/address.ts'
import { formatIpRange, type IpRange, parseIpRange } from '../network/model/ip-range.ts'
import { isWithin, rangeSet, single, sizeOf, without } from './range-set.ts'
import { resized } from './resize.ts'

const ranges = (...texts: readonly string[]): readonly IpRange[] => texts.flatMap((text) => parseIpRange(text) ?? [])
const words = (set: readonly IpRange[]): readonly string[] => set.map(formatIpRange)

test.each([
  ['grows by the first free', ['10.0.0.1'], [], ['10.0.0.5-10.0.0.9'], 3, ['10.0.0.1', '10.0.0.5-10.0.0.6']],
  ['starts from nothing', [], [], ['10.0.0.5-10.0.0.9'], 2, ['10.0.0.5-10.0.0.6']],
  ['gets what there is', [], [], ['10.0.0.5'], 4, ['10.0.0.5']],
  ['shrinks by the last unused', ['10.0.0.1-10.0.0.4'], ['10.0.0.4'], [], 2, ['10.0.0.1', '10.0.0.4']],
  ['keeps what is used', ['10.0.0.1-10.0.0.4'], ['10.0.0.2-10.0.0.4'], [], 1, ['10.0.0.2-10.0.0.4']],
  ['goes to nothing', ['10.0.0.1-10.0.0.4'], [], [], 0, []],
  ['stays', ['10.0.0.1-10.0.0.2'], ['10.0.0.1'], ['10.0.0.9'], 2, ['10.0.0.1-10.0.0.2']],
])('%s', (_, current, used, free, wanted, expected) => {
  const set = resized({ current: ranges(...current), used: ranges(...used), free: ranges(...free), wanted })
  expect(words(set)).toEqual(expected)
})

test('property: never loses what is used, never takes what is not free, and has the size that is possible', () => {
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 })
  fc.assert(
    fc.property(some, some, some, fc.nat(40), (mine, free, usedOf, wanted) => {
      const set = (numbers: readonly number[]) => rangeSet(numbers.map((n) => single(formatIp(4, BigInt(n)))))
      const current = set(mine)
      const used = set(usedOf.filter((n) => mine.includes(n)))
      const spare = without(set(free), current)
      const after = resized({ current, used, free: spare, wanted })
      expect(isWithin(used, after)).toBe(true)
      expect(isWithin(after, [...current, ...spare])).toBe(true)
      if (wanted <= mine.length) expect(isWithin(after, current)).toBe(true)
      const most = BigInt(wanted) > sizeOf(used) ? BigInt(wanted) : sizeOf(used)
      const possible = sizeOf(current) + sizeOf(spare)
      expect(sizeOf(after)).toBe(most < possible ? most : possible)
    }),
  )
})
