import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, cidr, contains, type Family, familyOf, firstIp, overlaps } from '../network/model/address.ts'
import { IpamError } from './errors.ts'
import { NodeRanges } from './node-ranges.ts'

const vectors: readonly {
  readonly network: string
  readonly hostBits: number
  readonly ranges: Readonly<Record<number, string>>
  readonly count?: number
}[] = [
  {
    network: '172.11.0.0/16',
    hostBits: 10,
    count: 64,
    ranges: { 0: '172.11.0.0/22', 1: '172.11.4.0/22', 2: '172.11.8.0/22', 3: '172.11.12.0/22', 63: '172.11.252.0/22' },
  },
  {
    network: '10.1.0.0/16',
    hostBits: 8,
    count: 256,
    ranges: { 0: '10.1.0.0/24', 1: '10.1.1.0/24', 255: '10.1.255.0/24' },
  },
  {
    network: '10.1.0.0/16',
    hostBits: 6,
    count: 1024,
    ranges: {
      0: '10.1.0.0/26',
      1: '10.1.1.0/26',
      255: '10.1.255.0/26',
      256: '10.1.0.64/26',
      257: '10.1.1.64/26',
      1023: '10.1.255.192/26',
    },
  },
  {
    network: '10.0.0.0/14',
    hostBits: 10,
    count: 256,
    ranges: {
      0: '10.0.0.0/22',
      1: '10.1.0.0/22',
      2: '10.2.0.0/22',
      3: '10.3.0.0/22',
      4: '10.0.4.0/22',
      5: '10.1.4.0/22',
    },
  },
  {
    network: '10.128.0.0/14',
    hostBits: 9,
    count: 512,
    ranges: { 0: '10.128.0.0/23', 1: '10.129.0.0/23', 2: '10.130.0.0/23', 3: '10.131.0.0/23', 4: '10.128.2.0/23' },
  },
  {
    network: '10.1.0.0/16',
    hostBits: 14,
    count: 4,
    ranges: { 0: '10.1.0.0/18', 1: '10.1.64.0/18', 2: '10.1.128.0/18', 3: '10.1.192.0/18' },
  },
  { network: '10.1.0.0/16', hostBits: 16, count: 1, ranges: { 0: '10.1.0.0/16' } },
  { network: 'fd01::/48', hostBits: 64, count: 65535, ranges: { 0: 'fd01:0:0:1::/64', 1: 'fd01:0:0:2::/64' } },
  { network: 'fd01::/48', hostBits: 68, count: 4096, ranges: { 0: 'fd01::/60', 1: 'fd01:0:0:10::/60' } },
  { network: 'fd01::/48', hostBits: 44, ranges: { 0: 'fd01::1000:0:0/84', 1: 'fd01::2000:0:0/84' } },
]

describe('node ranges', () => {
  for (const { network, hostBits, ranges, count } of vectors) {
    test(`${network} with ${hostBits} host bits`, () => {
      const pool = new NodeRanges([{ cidr: cidr(network), hostBits }])
      const family = familyOf(cidr(network))
      const given = take(pool, family, count ?? 10)
      for (const [index, range] of Object.entries(ranges)) expect(given[Number(index)]).toBe(cidr(range))
      expect(new Set(given).size).toBe(given.length)
      if (count !== undefined) expect(code(() => pool.allocate(family))).toBe('IPAM_RANGES_EXHAUSTED')
    })
  }

  test('the first network with a free range wins, per family, and the search goes round', () => {
    const pool = new NodeRanges([
      { cidr: cidr('10.1.0.0/16'), hostBits: 15 },
      { cidr: cidr('fd01::/62'), hostBits: 64 },
      { cidr: cidr('10.2.0.0/16'), hostBits: 16 },
    ])
    expect(pool.families).toEqual([4, 6])
    expect(take(pool, 4, 3)).toEqual(['10.1.0.0/17', '10.1.128.0/17', '10.2.0.0/16'].map(cidr))
    expect(code(() => pool.allocate(4))).toBe('IPAM_RANGES_EXHAUSTED')
    expect(pool.allocate(6)).toBe(cidr('fd01::/64'))
    pool.release(cidr('10.1.128.0/17'))
    expect(pool.allocate(4)).toBe(cidr('10.1.128.0/17'))
  })

  test('a released range is not given out again before the search comes round', () => {
    const networks = [{ cidr: cidr('10.1.0.0/16'), hostBits: 14 }]
    const pool = new NodeRanges(networks)
    const [first = cidr('0.0.0.0/0')] = take(pool, 4, 2)
    pool.release(first)
    const later = new NodeRanges(networks, pool.position)
    later.mark(cidr('10.1.64.0/18'))
    expect(take(later, 4, 3)).toEqual(['10.1.128.0/18', '10.1.192.0/18', '10.1.0.0/18'].map(cidr))
  })

  test('marks twice, refuses what is foreign, and keeps away from what is reserved', () => {
    const pool = new NodeRanges([{ cidr: cidr('10.1.0.0/16'), hostBits: 14 }])
    pool.mark(cidr('10.1.0.0/18'))
    pool.mark(cidr('10.1.0.0/18'))
    pool.reserve(cidr('10.1.70.0/24'))
    expect(pool.allocate(4)).toBe(cidr('10.1.128.0/18'))
    for (const foreign of ['10.2.0.0/18', '10.1.0.0/19', '10.0.0.0/14', 'fd01::/64', '9.255.192.0/18']) {
      expect(code(() => pool.mark(cidr(foreign)))).toBe('IPAM_OUTSIDE')
    }
    expect(code(() => pool.release(cidr('10.1.192.0/18')))).toBe('IPAM_NOT_TAKEN')
  })

  for (const hostBits of [0, 17, 18, -1]) {
    test(`${hostBits} host bits of a /16 are refused`, () => {
      expect(code(() => new NodeRanges([{ cidr: cidr('10.1.0.0/16'), hostBits }]))).toBe('IPAM_BAD_POOL')
    })
  }

  test('for any network, ranges lie inside, share nothing, and a release makes room for exactly one', () => {
    const shape = fc.record({
      length: fc.integer({ min: 8, max: 30 }),
      subnetBits: fc.integer({ min: 0, max: 8 }),
      value: fc.nat(0xffffffff),
    })
    fc.assert(
      fc.property(shape, fc.nat(255), ({ length, subnetBits, value }, which) => {
        const bits = Math.min(subnetBits, 31 - length)
        const network = cidr(
          `${[24, 16, 8, 0].map((shift) => ((value & (length === 0 ? 0 : -1 << (32 - length))) >>> shift) & 255).join('.')}/${length}`,
        )
        const pool = new NodeRanges([{ cidr: network, hostBits: 32 - length - bits }])
        const ranges = take(pool, 4, 2 ** bits)
        expect(ranges.every((range) => contains(network, firstIp(range)) && overlaps(network, range))).toBe(true)
        expect(new Set(ranges).size).toBe(2 ** bits)
        expect(code(() => pool.allocate(4))).toBe('IPAM_RANGES_EXHAUSTED')
        const freed = ranges[which % ranges.length] ?? network
        pool.release(freed)
        expect(pool.allocate(4)).toBe(freed)
        expect(code(() => pool.allocate(4))).toBe('IPAM_RANGES_EXHAUSTED')
      }),
    )
  })
})

function take(pool: NodeRanges, family: Family, count: number): readonly Cidr[] {
  return Array.from({ length: count }, () => pool.allocate(family))
}

function code(act: () => unknown): string {
  try {
    act()
    return 'ok'
  } catch (error) {
    if (error instanceof IpamError) return error.code
    throw error
  }
}
