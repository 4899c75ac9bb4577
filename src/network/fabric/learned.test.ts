import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  type Cidr,
  cidr,
  contains,
  type Family,
  firstIp,
  formatIp,
  networkAround,
  prefixLength,
} from '../model/address.ts'
import { LearnedRoutes } from './learned.ts'

/** Few bits differ, so that networks lie in one another. */
const network = fc
  .record({
    family: fc.constantFrom<Family>(4, 6),
    bits: fc.integer({ min: 0, max: 7 }),
    length: fc.constantFrom(0, 1, 2, 3, 24, 32),
  })
  .map(({ family, bits, length }) =>
    networkAround(formatIp(family, BigInt(bits) << (family === 4 ? 29n : 125n)), length),
  )

const routes = fc.array(network, { maxLength: 30 }).map((all) => all.map((destination, n) => ({ destination, n })))

/** What asking every route says: the first of the longest. */
function byAsking(all: readonly { readonly destination: Cidr; readonly n: number }[], range: Cidr) {
  const covering = all.filter(
    ({ destination }) => contains(destination, firstIp(range)) && prefixLength(destination) <= prefixLength(range),
  )
  return covering.toSorted((a, b) => prefixLength(b.destination) - prefixLength(a.destination) || a.n - b.n)[0]
}

test('the route to a range is the one that asking every route finds', () => {
  fc.assert(
    fc.property(routes, network, (all, range) => {
      expect(new LearnedRoutes(all).to(range)).toEqual(byAsking(all, range))
    }),
    { numRuns: 500 },
  )
})

test('routes are looked at once, however many ranges are asked for', () => {
  let asked = 0
  const all = Array.from({ length: 500 }, (_, n) => ({
    get destination(): string {
      asked += 1
      return `10.${n >> 8}.${n & 255}.0/24`
    },
  }))
  const learned = new LearnedRoutes(all)
  const afterwards = asked
  for (let n = 0; n < 500; n += 1) expect(learned.to(cidr(`10.${n >> 8}.${n & 255}.0/24`))).toBeDefined()
  expect(asked).toBe(afterwards)
  expect(afterwards).toBe(all.length)
})
