import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, formatIp, ipValue, overlaps } from '../network/model/address.ts'
import { parseIpRange } from '../network/model/ip-range.ts'
import { type JudgedPool, overlappingSubnets, poolProblems, poolProblemTexts } from './pool-problems.ts'
import { sizeOf, without } from './range-set.ts'

interface Written {
  readonly name: string
  readonly subnet: string
  readonly ips: readonly string[]
  readonly excludeIPs?: readonly string[]
  readonly at?: number
  readonly problem?: string
}

function pool({ name, subnet, ips, excludeIPs = [], at = 0, problem }: Written): JudgedPool {
  const ranges = (texts: readonly string[]) => texts.flatMap((text) => parseIpRange(text) ?? [])
  return {
    name,
    createdAt: `2026-01-01T00:00:${String(at).padStart(2, '0')}Z`,
    subnet: cidr(subnet),
    ranges: ranges(ips),
    excluded: ranges(excludeIPs),
    ...(problem === undefined ? {} : { problem }),
  }
}

const NET = '172.18.0.0/16'

test.each<[string, readonly Written[], Readonly<Record<string, string>>]>([
  ['one pool', [{ name: 'a', subnet: NET, ips: ['172.18.0.2-172.18.0.9'] }], {}],
  [
    'two of one subnet with addresses of their own',
    [
      { name: 'a', subnet: NET, ips: ['172.18.0.2-172.18.0.9'] },
      { name: 'b', subnet: NET, ips: ['172.18.0.10-172.18.0.20', '172.18.0.1'], at: 1 },
    ],
    {},
  ],
  [
    'shared addresses: the younger one is refused',
    [
      { name: 'a', subnet: NET, ips: ['172.18.0.2-172.18.0.9'], at: 1 },
      { name: 'b', subnet: NET, ips: ['172.18.0.5-172.18.0.20'] },
    ],
    {
      a: '172.18.0.5-172.18.0.9 is given out by the pool b, which is older; leave these addresses out in one of the two, or exclude them',
    },
  ],
  [
    'of one second: the later name',
    [
      { name: 'b', subnet: NET, ips: ['172.18.0.5'] },
      { name: 'a', subnet: NET, ips: ['172.18.0.5'] },
    ],
    {
      b: '172.18.0.5 is given out by the pool a, which is older; leave these addresses out in one of the two, or exclude them',
    },
  ],
  [
    'what is excluded in either is not shared',
    [
      { name: 'a', subnet: NET, ips: ['172.18.0.2-172.18.0.9'], excludeIPs: ['172.18.0.5-172.18.0.9'] },
      { name: 'b', subnet: NET, ips: ['172.18.0.4-172.18.0.20'], excludeIPs: ['172.18.0.4'], at: 1 },
    ],
    {},
  ],
  [
    'a subnet inside another one',
    [
      { name: 'a', subnet: NET, ips: ['172.18.0.2'] },
      { name: 'b', subnet: '172.18.30.0/24', ips: ['172.18.30.2'], at: 1 },
    ],
    {
      b: '172.18.30.0/24 overlaps 172.18.0.0/16 of the pool a, which is older; give both the same subnet, or subnets that share no address',
    },
  ],
  [
    'a subnet around another one, and around one of IPv6',
    [
      { name: 'a', subnet: '172.18.30.0/24', ips: [] },
      { name: 'b', subnet: NET, ips: [], at: 1 },
      { name: 'c', subnet: 'fd00:1::/64', ips: [] },
      { name: 'd', subnet: 'fd00::/16', ips: [], at: 1 },
    ],
    {
      b: '172.18.0.0/16 overlaps 172.18.30.0/24 of the pool a, which is older; give both the same subnet, or subnets that share no address',
      d: 'fd00::/16 overlaps fd00:1::/64 of the pool c, which is older; give both the same subnet, or subnets that share no address',
    },
  ],
  [
    'whoever is refused, or is not understood, stands in nobody’s way',
    [
      { name: 'a', subnet: NET, ips: ['172.18.0.2'] },
      { name: 'b', subnet: '172.0.0.0/8', ips: [], at: 1 },
      { name: 'c', subnet: '172.20.0.0/16', ips: [], at: 2 },
      { name: 'd', subnet: '10.0.0.0/8', ips: [], problem: 'ips: 10.0.0.9-10.0.0.1 is no range' },
      { name: 'e', subnet: '10.0.0.0/24', ips: [], at: 3 },
    ],
    {
      b: '172.0.0.0/8 overlaps 172.18.0.0/16 of the pool a, which is older; give both the same subnet, or subnets that share no address',
    },
  ],
])('%s', (_, pools, problems) => {
  expect(Object.fromEntries(poolProblemTexts(pools.map(pool)))).toEqual(problems)
})

const somePools = fc
  .array(
    fc.record({
      base: fc.integer({ min: 0, max: 7 }),
      length: fc.integer({ min: 24, max: 28 }),
      from: fc.integer({ min: 0, max: 255 }),
      count: fc.integer({ min: 0, max: 40 }),
      hole: fc.integer({ min: 0, max: 255 }),
      at: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((list) =>
    list.map(({ base, length, from, count, hole, at }, index): JudgedPool => {
      const size = 2 ** (32 - length)
      const start = BigInt(0x0a000000 + Math.floor((base * 32) / size) * size)
      const one = (offset: number) => formatIp(4, start + BigInt(offset % size))
      const first = one(from)
      const last = formatIp(4, ipValue(first) + BigInt(Math.min(count, size - 1 - (from % size))))
      return {
        name: `p${index}`,
        createdAt: `2026-01-01T00:00:0${at}Z`,
        subnet: cidr(`${formatIp(4, start)}/${length}`),
        ranges: [{ first, last }],
        excluded: [{ first: one(hole), last: one(hole) }],
      }
    }),
  )

function contradict(a: JudgedPool, b: JudgedPool): boolean {
  if (a.subnet !== b.subnet) return overlaps(a.subnet, b.subnet)
  const mine = without(a.ranges, a.excluded)
  return sizeOf(without(mine, without(b.ranges, b.excluded))) < sizeOf(mine)
}

test('those that are left contradict nobody, each refused one contradicts one that holds, and the order of asking does not matter', () => {
  let refused = 0
  fc.assert(
    fc.property(somePools, fc.infiniteStream(fc.nat()), (pools, numbers) => {
      const problems = poolProblems(pools)
      refused += problems.size
      const held = pools.filter(({ name }) => !problems.has(name))
      for (const a of held) for (const b of held) if (a !== b) expect(contradict(a, b)).toBe(false)
      for (const [name, { other }] of problems) {
        const [mine, theirs] = [pools.find((one) => one.name === name), held.find((one) => one.name === other)]
        if (mine === undefined || theirs === undefined) throw new Error(`${name} is refused because of nobody`)
        expect(contradict(mine, theirs)).toBe(true)
        expect(theirs.createdAt <= mine.createdAt).toBe(true)
      }
      const shuffled = pools
        .map((one) => ({ one, key: numbers.next().value ?? 0 }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ one }) => one)
      expect([...poolProblemTexts(shuffled)].toSorted()).toEqual([...poolProblemTexts(pools)].toSorted())
    }),
    { numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(100)
})

test('subnets of which pools are made overlap not at all, not even as one', () => {
  const subnets = [
    { name: 'a', createdAt: '2', subnet: cidr(NET) },
    { name: 'b', createdAt: '1', subnet: cidr(NET) },
    { name: 'c', createdAt: '3', subnet: cidr('172.19.0.0/16') },
  ]
  expect([...overlappingSubnets(subnets)].map(([name, other]) => [name, other.name])).toEqual([['a', 'b']])
})

test('ten thousand pools of ten thousand subnets and one of each other’s are judged at once', () => {
  const pools = Array.from({ length: 10_000 }, (_, index): JudgedPool => {
    const start = BigInt(0x0a000000 + index * 256)
    const at = (offset: number) => formatIp(4, start + BigInt(offset))
    const ranges = [{ first: at(2), last: at(200) }]
    return { name: `p${index}`, createdAt: '2026', subnet: cidr(`${at(0)}/24`), ranges, excluded: [] }
  })
  const twin = pools.at(-1)
  if (twin === undefined) throw new Error('there are none')
  expect([...poolProblems([...pools, { ...twin, name: 'twin' }]).keys()]).toEqual(['twin'])
})
