import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, cidr } from '../network/model/address.ts'
import { type RangeUse, rangeNeed } from './range-need.ts'

/** Blocks of Calico's size: 61 addresses are for pods. */
function uses(...busy: readonly (number | 'closed')[]): readonly RangeUse[] {
  return busy.map((one, index) => ({
    range: cidr(`10.1.${index}.0/26`),
    capacity: 61n,
    busy: one === 'closed' ? 0 : one,
    ...(one === 'closed' ? { since: 7 } : {}),
  }))
}

test.each([
  { busy: [0], need: {} },
  { busy: [30], need: {} },
  { busy: [31], need: { wants: { 4: 2 } } },
  { busy: [61], need: { wants: { 4: 2 } } },
  { busy: [61, 0], need: { wants: { 4: 2 } } },
  { busy: [61, 31], need: { wants: { 4: 3 } } },
  { busy: [15, 0], need: { wants: { 4: 2 } } },
  { busy: [14, 0], need: { unused: [{ range: cidr('10.1.1.0/26') }] } },
  { busy: [0, 5], need: { wants: { 4: 2 } } },
  { busy: [14, 'closed'] as const, need: { unused: [{ range: cidr('10.1.1.0/26'), since: 7 }] } },
])('$busy', ({ busy, need }) => {
  expect(rangeNeed(uses(...busy), 20)).toEqual(need)
})

test('a node that may have no more asks for none, and one that has too many gives the empty ones back', () => {
  expect(rangeNeed(uses(61), 1)).toEqual({})
  expect(rangeNeed(uses(61, 0), 1)).toEqual({ unused: [{ range: cidr('10.1.1.0/26') }] })
})

test('families have needs of their own; a /64 is never short', () => {
  const v6: RangeUse = { range: cidr('fd00:1::/64'), capacity: 2n ** 64n - 2n, busy: 10_000 }
  expect(rangeNeed([...uses(61), v6], 20)).toEqual({ wants: { 4: 2 } })
})

test('what is given back is not asked for at once, whatever the size and the pods', () => {
  const busyIn = (capacity: number) => fc.array(fc.nat(capacity), { minLength: 1, maxLength: 6 })
  const node = fc.integer({ min: 1, max: 200 }).chain((capacity) => fc.tuple(fc.constant(capacity), busyIn(capacity)))
  fc.assert(
    fc.property(node, ([capacity, busy]) => {
      const all = busy.map(
        (one, index): RangeUse => ({
          range: `10.${index}.0.0/24` as Cidr,
          capacity: BigInt(capacity),
          busy: one,
        }),
      )
      const [spare] = rangeNeed(all, 20).unused ?? []
      if (spare === undefined) return
      const rest = all.filter(({ range }) => range !== spare.range)
      expect(rangeNeed(rest, 20).wants?.[4] ?? 1).toBeLessThanOrEqual(rest.length)
    }),
  )
})
