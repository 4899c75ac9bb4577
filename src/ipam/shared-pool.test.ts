import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Ip, ip } from '../network/model/address.ts'
import { type IpRange, parseIpRange } from '../network/model/ip-range.ts'
import { AddressSpace } from './address-space.ts'
import { rangeSet, without } from './range-set.ts'
import { SharedPool } from './shared-pool.ts'

function ranges(...texts: readonly string[]): IpRange[] {
  return texts.flatMap((text) => parseIpRange(text) ?? [])
}

const pool = (family: 4 | 6, rest: number, ...texts: readonly string[]): SharedPool =>
  new SharedPool(family, rangeSet(ranges(...texts)), rest)

/** Picks and marks, as somebody does whose claim was written. */
function take(from: SharedPool, now = 0, spread?: number, chance?: number): Ip | undefined {
  const address = from.pick(now, spread, chance)
  if (address !== undefined) from.mark(address)
  return address
}

describe('numbers of addresses', () => {
  const space = new AddressSpace(4, rangeSet(ranges('10.0.0.9-10.0.0.10', '10.0.0.2-10.0.0.3', 'fd00::1')))

  test('go through the runs in order', () => {
    expect([0, 1, 2, 3].map((number) => space.addressOf(number))).toEqual(
      ['10.0.0.2', '10.0.0.3', '10.0.0.9', '10.0.0.10'].map(ip),
    )
    expect([space.size, space.numbered]).toEqual([4n, 4])
  })

  test.each(['10.0.0.1', '10.0.0.4', '10.0.0.8', '10.0.0.11', '255.255.255.255', '0.0.0.0', 'fd00::1'])(
    'there is none for %s',
    (text) => expect(space.numberOf(ip(text))).toBeUndefined(),
  )

  test('an address has the number that it is found by', () => {
    for (let number = 0; number < 4; number += 1) expect(space.numberOf(space.addressOf(number))).toBe(number)
    expect(() => space.addressOf(4)).toThrow(RangeError)
  })

  test('of a /64 the first 2^48 have one', () => {
    const wide = new AddressSpace(6, rangeSet(ranges('fd00::-fd00::ffff:ffff:ffff:ffff', 'fd01::1')))
    expect([wide.size, wide.numbered]).toEqual([2n ** 64n + 1n, 2 ** 48])
    expect(wide.numberOf(ip('fd00::ffff:ffff:ffff'))).toBe(2 ** 48 - 1)
    expect(wide.numberOf(ip('fd00::1:0:0:0'))).toBeUndefined()
    expect(wide.numberOf(ip('fd01::1'))).toBeUndefined()
  })

  test('a short run far away in a /64 has numbers', () => {
    const far = new AddressSpace(6, rangeSet(ranges('fd00::ffff:ffff:ffff:fff0-fd00::ffff:ffff:ffff:ffff')))
    expect(far.addressOf(15)).toBe(ip('fd00::ffff:ffff:ffff:ffff'))
    expect(far.numberOf(ip('fd00::ffff:ffff:ffff:fff1'))).toBe(1)
  })
})

describe('a shared pool', () => {
  test('gives the first free address, run by run, then none', () => {
    const small = pool(4, 10, '172.18.30.131-172.18.30.132', '172.18.30.140')
    expect(Array.from({ length: 4 }, () => take(small))).toEqual([
      ip('172.18.30.131'),
      ip('172.18.30.132'),
      ip('172.18.30.140'),
      undefined as unknown as Ip,
    ])
    expect(small.counts()).toEqual({ total: 3n, leased: 3, resting: 0 })
  })

  test('what was given back goes last, longest first, and is like any other after its rest', () => {
    const small = pool(4, 10, '10.0.0.1-10.0.0.4')
    for (let i = 0; i < 3; i += 1) take(small)
    small.release(ip('10.0.0.2'), 100)
    small.release(ip('10.0.0.1'), 101)
    expect(small.counts()).toEqual({ total: 4n, leased: 1, resting: 2 })
    expect(take(small, 102)).toBe(ip('10.0.0.4'))
    expect(take(small, 102)).toBe(ip('10.0.0.2'))
    small.release(ip('10.0.0.4'), 103)
    expect(take(small, 111)).toBe(ip('10.0.0.1'))
  })

  test('what somebody took while it rested rests no more', () => {
    const small = pool(4, 10, '10.0.0.1-10.0.0.2')
    small.mark(ip('10.0.0.1'))
    small.release(ip('10.0.0.1'), 0)
    expect(small.isFree(ip('10.0.0.1'))).toBe(true)
    small.mark(ip('10.0.0.1'))
    expect(small.isFree(ip('10.0.0.1'))).toBe(false)
    expect(small.counts()).toEqual({ total: 2n, leased: 1, resting: 0 })
    expect(take(small, 100)).toBe(ip('10.0.0.2'))
    expect(small.pick(100)).toBeUndefined()
  })

  test('addresses of others are nothing to it', () => {
    const small = pool(4, 10, '10.0.0.1')
    for (const other of ['10.0.0.2', 'fd00::1']) {
      small.mark(ip(other))
      small.release(ip(other), 0)
      expect([small.has(ip(other)), small.isFree(ip(other))]).toEqual([false, false])
    }
    small.release(ip('10.0.0.1'), 0)
    expect(small.counts()).toEqual({ total: 1n, leased: 0, resting: 0 })
  })

  test('a spread chooses among those that come next, and round the end', () => {
    const small = pool(4, 10, '10.0.0.1-10.0.0.8')
    small.mark(ip('10.0.0.1'))
    expect([0, 0.5, 0.99].map((chance) => small.pick(0, 4, chance))).toEqual(
      ['10.0.0.2', '10.0.0.4', '10.0.0.5'].map(ip),
    )
    for (const last of ['10.0.0.6', '10.0.0.7', '10.0.0.8']) small.mark(ip(last))
    expect(small.pick(0, 1000, 0.9999)).not.toBe(ip('10.0.0.8'))
    expect(small.isFree(small.pick(0, 1000, 0.9999) ?? ip('0.0.0.0'))).toBe(true)
  })

  test('an empty pool has nothing', () => {
    const none = new SharedPool(4, without(ranges('10.0.0.1'), ranges('10.0.0.1')), 10)
    expect(none.pick(0, 8, 0.5)).toBeUndefined()
    expect(none.counts()).toEqual({ total: 0n, leased: 0, resting: 0 })
  })

  test('a /8 and a /64 give out after many leases in a row as after none', () => {
    const wide = pool(4, 10, '10.0.0.0-10.255.255.255')
    for (let i = 0; i < 100_000; i += 1) take(wide)
    expect(take(wide)).toBe(ip('10.1.134.160'))
    const deep = pool(6, 10, 'fd00::-fd00::ffff:ffff:ffff:ffff')
    expect([take(deep), take(deep)]).toEqual([ip('fd00::'), ip('fd00::1')])
    expect(deep.pick(0, 2 ** 40, 0.999)).not.toBeUndefined()
  })

  test('property: against a plain list', () => {
    const number = fc.nat(30)
    const step = fc.oneof(
      fc.record({ take: fc.double({ min: 0, max: 0.999, noNaN: true }), spread: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ mark: number }),
      fc.record({ release: number }),
      fc.record({ pass: fc.nat(6) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const both = new Compared()
        for (const next of steps) {
          if ('pass' in next) both.now += next.pass
          else if ('mark' in next) both.mark(next.mark)
          else if ('release' in next) both.release(next.release)
          else both.take(next.spread, next.take)
          both.expectSame()
        }
      }),
      { numRuns: 150 },
    )
  })
})

/** A pool beside plain sets of what it should hold. */
class Compared {
  readonly #real = pool(4, 10, '10.0.0.3-10.0.0.9', '10.0.0.12-10.0.0.20')
  readonly #all = Array.from({ length: 31 }, (_, i) => ip(`10.0.0.${i}`))
  readonly #mine = this.#all.filter((_, i) => (i >= 3 && i <= 9) || (i >= 12 && i <= 20))
  readonly #leased = new Set<Ip>()
  readonly #rests = new Map<Ip, number>()
  now = 0

  mark(index: number): void {
    const address = this.#all[index] as Ip
    this.#real.mark(address)
    if (this.#mine.includes(address)) this.#leased.add(address)
    this.#rests.delete(address)
  }

  release(index: number): void {
    const address = this.#all[index] as Ip
    this.#real.release(address, this.now)
    if (this.#leased.delete(address)) this.#rests.set(address, this.now)
  }

  take(spread: number, chance: number): void {
    for (const [address, since] of this.#rests) if (since + 10 <= this.now) this.#rests.delete(address)
    const fresh = this.#mine.filter((address) => !this.#leased.has(address) && !this.#rests.has(address))
    const choice = fresh.length > 0 ? fresh : [...this.#rests.keys()]
    const got = this.#real.pick(this.now, spread, chance)
    if (spread === 1 || choice.length === 0) expect(got).toBe(choice[0] as Ip)
    else expect(choice).toContain(got as Ip)
    if (got !== undefined) this.mark(this.#all.indexOf(got))
  }

  expectSame(): void {
    expect(this.#real.counts().leased).toBe(this.#leased.size)
    for (const address of this.#mine) expect(this.#real.isFree(address)).toBe(!this.#leased.has(address))
  }
}
