import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatIp, ip } from '../network/model/address.ts'
import { formatIpRange, type IpRange, isInRange, parseIpRange } from '../network/model/ip-range.ts'
import { firstOf, isWithin, rangeSet, single, sizeOf, without } from './range-set.ts'

function ranges(...texts: readonly string[]): readonly IpRange[] {
  return texts.map((text) => {
    const range = parseIpRange(text)
    if (range === undefined) throw new Error(`${text} is no range`)
    return range
  })
}

const words = (set: readonly IpRange[]): readonly string[] => set.map(formatIpRange)

describe('sets of addresses', () => {
  test('runs that touch or overlap become one; families stay apart', () => {
    const set = rangeSet(ranges('10.0.0.5-10.0.0.9', 'fd00::1', '10.0.0.1-10.0.0.4', '10.0.0.7-10.0.0.12', '10.0.0.20'))
    expect(words(set)).toEqual(['10.0.0.1-10.0.0.12', '10.0.0.20', 'fd00::1'])
    expect(sizeOf(set)).toBe(14n)
  })

  test('what is taken away leaves holes', () => {
    const left = without(
      ranges('10.0.0.1-10.0.0.10', 'fd00::-fd00::ff'),
      ranges('10.0.0.4-10.0.0.5', '10.0.0.10', 'fd00::'),
    )
    expect(words(left)).toEqual(['10.0.0.1-10.0.0.3', '10.0.0.6-10.0.0.9', 'fd00::1-fd00::ff'])
  })

  test('a range of any size costs the same', () => {
    const all = ranges('fd00::-fd00::ffff:ffff:ffff:ffff')
    expect(sizeOf(without(all, ranges('fd00::5')))).toBe(2n ** 64n - 1n)
    expect(words(firstOf(without(all, ranges('fd00::2')), 4))).toEqual(['fd00::-fd00::1', 'fd00::3-fd00::4'])
  })

  test('the very last address can be taken away', () => {
    expect(words(without(ranges('255.255.255.250-255.255.255.255'), ranges('255.255.255.255')))).toEqual([
      '255.255.255.250-255.255.255.254',
    ])
  })

  const few = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 8 }), fc.constantFrom<4 | 6>(4, 6)).map(
      ([first, more, family]): IpRange => ({
        first: formatIp(family, BigInt(first)),
        last: formatIp(family, BigInt(first + more)),
      }),
    ),
    { maxLength: 8 },
  )
  const spelled = (set: Iterable<IpRange>): Set<string> => {
    const all = new Set<string>()
    for (const range of set) {
      for (const family of [4, 6] as const) {
        for (let n = 0; n <= 48; n += 1) {
          const address = formatIp(family, BigInt(n))
          if (isInRange(range, address)) all.add(address)
        }
      }
    }
    return all
  }

  test('property: as sets of single addresses', () => {
    fc.assert(
      fc.property(few, few, fc.integer({ min: 0, max: 20 }), (a, b, count) => {
        const [all, taken] = [spelled(a), spelled(b)]
        const left = without(a, b)
        expect(spelled(left)).toEqual(all.difference(taken))
        expect(sizeOf(left)).toBe(BigInt(all.difference(taken).size))
        expect(sizeOf(rangeSet(a))).toBe(BigInt(all.size))
        expect(isWithin(a, b)).toBe(all.isSubsetOf(taken))
        const few = firstOf(left, count)
        expect(sizeOf(few)).toBe(BigInt(Math.min(count, all.difference(taken).size)))
        expect(isWithin(few, left)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('one address', () => {
    expect(words([single(ip('10.0.0.1'))])).toEqual(['10.0.0.1'])
  })
})
