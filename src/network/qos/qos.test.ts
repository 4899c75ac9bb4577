import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Meter } from '../../flow/flow.ts'
import { ip, macFromIp } from '../model/address.ts'
import { LEAST_RATE, type Limits, limitsFrom, MOST_RATE, sameLimits } from '../model/bandwidth.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { diffMeters } from './meters.ts'
import { bucketOf, policerOf, shapingOf } from './shaping.ts'

const rate = fc.integer({ min: LEAST_RATE, max: MOST_RATE })
const mtu = fc.integer({ min: 1_280, max: 9_000 })

describe('a bucket', () => {
  test('holds two frames, and whatever waits once', () => {
    fc.assert(
      fc.property(rate, mtu, (bits, size) => {
        const { burst, limit } = bucketOf(bits, size)
        expect(burst).toBeGreaterThanOrEqual(2 * (size + 14))
        expect(limit).toBeGreaterThanOrEqual(burst)
        // Both are told to the kernel in 32 bits, the burst as time.
        expect(limit).toBeLessThan(2 ** 31)
        expect((burst * 8) / bits).toBeLessThan(200)
      }),
    )
  })

  test('is true to its rate over ten seconds, from the rate on at which single frames do not matter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000, max: MOST_RATE }), (bits) => {
        expect(bucketOf(bits, 1_450).burst * 8).toBeLessThanOrEqual(0.05 * 10 * bits)
      }),
    )
  })

  test.each([
    [10_000_000, 250_000],
    [100_000_000, 262_144],
    [10_000_000_000, 1_250_000],
  ])('of %d bit/s lets %d bytes pass at once', (bits, burst) => expect(bucketOf(bits, 1_450).burst).toBe(burst))
})

describe('a policer', () => {
  test('never has a word while the shaper stands', () => {
    fc.assert(
      fc.property(rate, fc.integer({ min: 0x1000, max: 0xefff }), (fromPod, ofport) => {
        const meter = policerOf({ ofport, limits: { fromPod } })
        if (meter === undefined) {
          expect(fromPod).toBeGreaterThan(3.9e12)
          return
        }
        expect(meter.id).toBe(ofport)
        expect(meter.rate * 1_000).toBeGreaterThanOrEqual(fromPod * 1.09)
        expect((meter.burst ?? 0) * 1_000).toBeGreaterThanOrEqual(bucketOf(Math.min(fromPod, 1e9), 1_450).burst * 8)
      }),
    )
  })

  test('is there for what a pod sends only', () => {
    expect(policerOf({ ofport: 0x1000, limits: { toPod: 1e6 } })).toBeUndefined()
    expect(policerOf({ ofport: 0x1000 })).toBeUndefined()
  })
})

test('an endpoint without limits has no shaping', () => {
  const address = ip('10.128.0.2')
  const endpoint: Endpoint = {
    id: 'c/eth0',
    containerId: 'c',
    ifname: 'eth0',
    namespace: 'shop',
    pod: 'web',
    mac: macFromIp(address),
    addresses: [address],
    ofport: 0x1000,
  }
  expect(shapingOf(endpoint, 'weft0', 1_450)).toBeUndefined()
  expect(shapingOf({ ...endpoint, limits: {} }, 'weft0', 1_450)).toBeUndefined()
  expect(shapingOf({ ...endpoint, limits: { toPod: 1e7 } }, 'weft0', 1_450)).toEqual({
    key: 'qos/c/eth0',
    title: 'pod shop/web',
    link: 'weft0',
    buckets: { toPod: bucketOf(1e7, 1_450) },
  })
})

test('meters become what they should be, and others’ stay', () => {
  const meter = (id: number, kbps = 5): Meter => ({ id, unit: 'kbps', rate: kbps, burst: 9 })
  const actual = [meter(1), meter(0x1000), meter(0x1001), meter(0x1002)]
  expect(diffMeters(actual, [meter(0x1000), meter(0x1001, 6), meter(0x1003)])).toEqual({
    add: [meter(0x1003)],
    modify: [meter(0x1001, 6)],
    remove: [0x1002],
  })
  expect(diffMeters([meter(0x1000)], [meter(0x1000)])).toEqual({ add: [], modify: [], remove: [] })
})

test('what is asked for holds; what is no rate changes nothing', () => {
  const standing: Limits = { toPod: 1_000, fromPod: 2_000 }
  const table = [
    [{}, {}],
    [{ toPod: { rate: 5_000 } }, { toPod: 5_000 }],
    [{ toPod: { problem: 'no' } }, { toPod: 1_000 }],
    [
      { toPod: { problem: 'no' }, fromPod: { rate: 9_000 } },
      { toPod: 1_000, fromPod: 9_000 },
    ],
  ] as const
  for (const [wanted, limits] of table) expect(sameLimits(limitsFrom(wanted, standing), limits)).toBe(true)
  expect(limitsFrom({ fromPod: { problem: 'no' } }, {})).toEqual({})
})
