import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, type Ip, ip } from '../network/model/address.ts'
import { type IpRange, isInRange, parseIpRange } from '../network/model/ip-range.ts'
import type { AddressPool } from '../network/model/pool.ts'
import { poolProblemTexts } from './pool-problems.ts'
import { SharedPools } from './shared-pools.ts'

const REST = 10

const ranges = (...texts: readonly string[]) => texts.flatMap((text) => parseIpRange(text) ?? [])

function pool(name: string, range: string, more: Partial<AddressPool> = {}): AddressPool {
  return {
    name,
    uid: `uid-${name}`,
    createdAt: '2026-01-01T00:00:00Z',
    family: 4,
    subnet: cidr('10.0.0.0/16'),
    ranges: ranges(range),
    excluded: [],
    routes: [],
    isDefault: false,
    isDisabled: false,
    isTerminating: false,
    nodes: [],
    namespaces: [],
    definitions: [],
    ...more,
  }
}

/** Those whose label says so are refused. */
function pools(): SharedPools {
  const refused = (all: Iterable<AddressPool>) =>
    new Map([...all].flatMap(({ name, labels }) => (labels?.['refused'] ? [[name, labels['refused']] as const] : [])))
  return new SharedPools(refused, REST)
}

function take(from: SharedPools, name: string, now = 0): Ip | undefined {
  const address = from.pick(name, now)
  if (address !== undefined) from.claim(address, name)
  return address
}

describe('pools of the cluster', () => {
  test('give out what is neither excluded, reserved nor claimed, whichever was told first', () => {
    const all = pools()
    all.claim(ip('10.0.0.1'), 'a')
    all.put(pool('a', '10.0.0.1-10.0.0.6', { excluded: ranges('10.0.0.3') }))
    all.reserve({ name: 'r', ranges: ranges('10.0.0.4', 'fd00::1') })
    expect([take(all, 'a'), take(all, 'a'), take(all, 'a'), take(all, 'a') ?? 'none']).toEqual([
      ip('10.0.0.2'),
      ip('10.0.0.5'),
      ip('10.0.0.6'),
      'none' as Ip,
    ])
    expect(all.counts('a')).toEqual({ total: 4n, leased: 4, resting: 0, reserved: 1n })
  })

  test('what others gave out is nobody’s to give, from whichever pool it was, until they let go of it', () => {
    const all = pools()
    const occupied = ranges('10.0.0.1', '10.0.0.3')
    all.put(pool('b', '10.0.0.3-10.0.0.4'))
    expect(all.pick('b', 0)).toBe(ip('10.0.0.3'))
    all.put(pool('a', '10.0.0.1-10.0.0.2', { occupied }))
    expect([take(all, 'a'), take(all, 'a') ?? 'none', all.pick('b', 0)]).toEqual([
      ip('10.0.0.2'),
      'none' as Ip,
      ip('10.0.0.4'),
    ])
    expect(all.counts('a')).toEqual({ total: 2n, leased: 2, resting: 0, reserved: 0n })
    expect([all.gives('a', ip('10.0.0.1')), all.isFree('a', ip('10.0.0.1'))]).toEqual([true, false])
    expect(all.gives('b', ip('10.0.0.1'))).toBe(false)
    // The one is claimed by now, the other nobody's: that is what the next status says.
    all.claim(ip('10.0.0.1'), 'a')
    expect(all.isFree('a', ip('10.0.0.1'))).toBe(false)
    all.put(pool('a', '10.0.0.1-10.0.0.2'))
    expect([all.isFree('a', ip('10.0.0.1')), all.pick('b', 0)]).toEqual([false, ip('10.0.0.3')])
    all.put(pool('a', '10.0.0.1-10.0.0.2', { occupied }))
    all.remove('a')
    expect(all.pick('b', 0)).toBe(ip('10.0.0.3'))
  })

  test('a reservation that goes gives its addresses back', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1-10.0.0.2'))
    all.reserve({ name: 'r', ranges: ranges('10.0.0.1') })
    expect([all.gives('a', ip('10.0.0.1')), all.pick('a', 0)]).toEqual([false, ip('10.0.0.2')])
    all.reserve({ name: 'r', ranges: ranges('10.0.0.2') })
    expect(all.pick('a', 0)).toBe(ip('10.0.0.1'))
    all.unreserve('r')
    expect([all.isFree('a', ip('10.0.0.1')), all.isFree('a', ip('10.0.0.2'))]).toEqual([true, true])
  })

  test('a change of a pool keeps what is claimed, and what rests', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1-10.0.0.3'))
    for (let i = 0; i < 3; i += 1) take(all, 'a')
    all.release(ip('10.0.0.1'), 'a', 100)
    all.put(pool('a', '10.0.0.1-10.0.0.4'))
    expect(all.counts('a')).toEqual({ total: 4n, leased: 2, resting: 1, reserved: 0n })
    expect([take(all, 'a', 101), take(all, 'a', 101), all.pick('a', 101) ?? 'none']).toEqual([
      ip('10.0.0.4'),
      ip('10.0.0.1'),
      'none' as Ip,
    ])
  })

  test('a claim of a pool that is gone keeps its address from others', () => {
    const all = pools()
    all.put(pool('old', '10.0.0.1-10.0.0.2'))
    take(all, 'old')
    all.remove('old')
    all.put(pool('new', '10.0.0.1-10.0.0.2'))
    expect(take(all, 'new')).toBe(ip('10.0.0.2'))
    all.claim(ip('10.0.0.2'), 'old')
    all.release(ip('10.0.0.1'), 'old', 0)
    expect(all.pick('new', 0)).toBe(ip('10.0.0.1'))
  })

  test('a claim on what its pool no longer has keeps the address from others', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1'))
    all.put(pool('b', '10.0.0.2-10.0.0.3'))
    expect([all.pick('a', 0), all.pick('b', 0)]).toEqual([ip('10.0.0.1'), ip('10.0.0.2')])
    all.claim(ip('10.0.0.2'), 'a')
    expect(all.pick('b', 0)).toBe(ip('10.0.0.3'))
  })

  test('a refused pool gives nothing; its claims count where they are', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1-10.0.0.3'))
    all.put(pool('b', '10.0.0.1-10.0.0.3'))
    take(all, 'b')
    expect(all.pick('a', 0)).toBe(ip('10.0.0.1'))
    all.put(pool('b', '10.0.0.1-10.0.0.3', { labels: { refused: 'it overlaps a' } }))
    expect([all.pick('b', 0) ?? 'none', all.pick('a', 0)]).toEqual(['none' as Ip, ip('10.0.0.2')])
    expect([all.problemOf('b'), all.gives('b', ip('10.0.0.1'))]).toEqual(['it overlaps a', false])
    all.claim(ip('10.0.0.2'), 'b')
    expect(all.pick('a', 0)).toBe(ip('10.0.0.3'))
    all.put(pool('b', '10.0.0.9'))
    expect([all.problemOf('b') ?? 'none', all.pick('b', 0)]).toEqual(['none', ip('10.0.0.9')])
  })

  test('a pool that is not understood gives nothing', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1', { problem: 'spec.ips[0]: no range' }))
    expect([all.pick('a', 0) ?? 'none', all.problemOf('a')]).toEqual(['none' as Ip, 'spec.ips[0]: no range'])
    expect([all.pick('nobody', 0) ?? 'none', all.counts('nobody') ?? 'none']).toEqual(['none' as Ip, 'none'])
  })

  test('what was never claimed is not released', () => {
    const all = pools()
    all.put(pool('a', '10.0.0.1'))
    all.pick('a', 0)
    all.release(ip('10.0.0.1'), 'a', 0)
    expect(all.counts('a')).toEqual({ total: 1n, leased: 0, resting: 0, reserved: 0n })
  })
})

test('property: an address is free in a pool where the pool gives it out and nobody has claimed it', () => {
  const octet = fc.integer({ min: 0, max: 15 })
  const name = fc.constantFrom('a', 'b', 'c')
  const run = fc.tuple(octet, fc.nat(6)).map(([first, more]) => `10.0.0.${first}-10.0.0.${Math.min(15, first + more)}`)
  const step: fc.Arbitrary<(both: Compared) => void> = fc.oneof(
    fc
      .tuple(name, run, fc.option(run), fc.constantFrom('1', '2', '3'))
      .map((put) => (both: Compared) => both.put(...put)),
    name.map((one) => (both: Compared) => both.remove(one)),
    fc.option(run).map((one) => (both: Compared) => both.reserve(one)),
    fc.tuple(octet, name).map((claim) => (both: Compared) => both.claim(...claim)),
    octet.map((one) => (both: Compared) => both.release(one)),
    name.map((one) => (both: Compared) => both.pick(one)),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const both = new Compared()
      for (const act of steps) {
        act(both)
        both.expectSame()
      }
    }),
    { numRuns: 200 },
  )
})

const ALL = Array.from({ length: 16 }, (_, i) => ip(`10.0.0.${i}`))

/** Pools beside what they are made of. */
class Compared {
  readonly #real = new SharedPools(poolProblemTexts, REST)
  readonly #pools = new Map<string, AddressPool>()
  readonly #claims = new Map<Ip, string>()
  #reserved = ''
  #now = 0

  put(name: string, run: string, excluded: string | null, age: string): void {
    const one = pool(name, run, { createdAt: age, excluded: excluded === null ? [] : ranges(excluded) })
    this.#pools.set(name, one)
    this.#real.put(one)
  }

  remove(name: string): void {
    this.#pools.delete(name)
    this.#real.remove(name)
  }

  reserve(run: string | null): void {
    this.#reserved = run ?? ''
    if (run === null) this.#real.unreserve('r')
    else this.#real.reserve({ name: 'r', ranges: ranges(run) })
  }

  claim(octet: number, name: string): void {
    const address = ALL[octet] as Ip
    if (this.#claims.has(address)) return
    this.#claims.set(address, name)
    this.#real.claim(address, name)
  }

  release(octet: number): void {
    const address = ALL[octet] as Ip
    const name = this.#claims.get(address)
    this.#now += 1
    this.#claims.delete(address)
    if (name !== undefined) this.#real.release(address, name, this.#now)
  }

  pick(name: string): void {
    const picked = this.#real.pick(name, this.#now)
    expect(picked === undefined).toBe(this.#free(name).length === 0)
    if (picked === undefined) return
    expect(this.#free(name)).toContain(picked)
    this.claim(ALL.indexOf(picked), name)
  }

  expectSame(): void {
    for (const name of ['a', 'b', 'c']) {
      expect(ALL.filter((address) => this.#real.isFree(name, address))).toEqual(this.#free(name))
    }
  }

  #free(name: string): Ip[] {
    const one = this.#pools.get(name)
    if (one === undefined || poolProblemTexts(this.#pools.values()).has(name)) return []
    const isIn = (set: readonly IpRange[], address: Ip): boolean => set.some((range) => isInRange(range, address))
    const given = ALL.filter((address) => isIn(one.ranges, address) && !isIn(one.excluded, address))
    return given.filter((address) => !isIn(ranges(this.#reserved), address) && !this.#claims.has(address))
  }
}
