import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../network/model/address.ts'
import { BusySet } from './busy-set.ts'
import { IpamError } from './errors.ts'
import { AddressPool, gatewayOf } from './pool.ts'
import { VniPool } from './vni.ts'

describe('gateways', () => {
  for (const [range, gateway] of [
    ['10.1.0.0/24', '10.1.0.1'],
    ['10.1.255.64/26', '10.1.255.65'],
    ['10.128.2.0/23', '10.128.2.1'],
    ['fd01:0:0:2::/64', 'fd01:0:0:2::1'],
  ] as const) {
    test(`of ${range}`, () => expect(gatewayOf(cidr(range))).toBe(ip(gateway)))
  }
})

describe('an address pool', () => {
  test('gives out all but network, gateway and broadcast, in order, then refuses', () => {
    const pool = new AddressPool(cidr('10.1.0.8/29'))
    expect(pool.capacity).toBe(5n)
    expect(Array.from({ length: 5 }, () => pool.allocate(0))).toEqual(
      ['10', '11', '12', '13', '14'].map((n) => ip(`10.1.0.${n}`)),
    )
    expect(code(() => pool.allocate(0))).toBe('IPAM_ADDRESSES_EXHAUSTED')
    expect(pool.leased).toBe(5)
  })

  test('has an address of a /30 and three of an IPv6 /125 less two', () => {
    expect(new AddressPool(cidr('10.0.0.0/30')).allocate(0)).toBe(ip('10.0.0.2'))
    expect(new AddressPool(cidr('fd00::/125')).capacity).toBe(6n)
    for (const tiny of ['10.0.0.0/31', '10.0.0.0/32', 'fd00::/127']) {
      expect(code(() => new AddressPool(cidr(tiny)))).toBe('IPAM_BAD_POOL')
    }
  })

  test('lets a released address rest, then gives it out when the search comes round', () => {
    const pool = new AddressPool(cidr('10.0.0.0/29'), { rest: 30 })
    for (let i = 0; i < 4; i += 1) pool.allocate(0)
    pool.release(ip('10.0.0.2'), 100)
    expect(pool.isLeased(ip('10.0.0.2'))).toBe(false)
    expect(pool.allocate(100)).toBe(ip('10.0.0.6'))
    expect(code(() => pool.allocate(129))).toBe('IPAM_ADDRESSES_EXHAUSTED')
    expect(pool.allocate(130)).toBe(ip('10.0.0.2'))
  })

  test('gives an asked-for address even while it rests, once', () => {
    const pool = new AddressPool(cidr('10.0.0.0/29'), { rest: 30 })
    pool.request(ip('10.0.0.4'))
    expect(code(() => pool.request(ip('10.0.0.4')))).toBe('IPAM_TAKEN')
    pool.release(ip('10.0.0.4'), 0)
    pool.request(ip('10.0.0.4'))
    expect(Array.from({ length: 4 }, () => pool.allocate(1000))).not.toContain(ip('10.0.0.4'))
    expect(code(() => pool.allocate(1000))).toBe('IPAM_ADDRESSES_EXHAUSTED')
  })

  test('goes on after a remembered address', () => {
    expect(new AddressPool(cidr('10.0.0.0/24'), { after: ip('10.0.0.77') }).allocate(0)).toBe(ip('10.0.0.78'))
    expect(new AddressPool(cidr('10.0.0.0/24'), { after: ip('10.0.0.254') }).allocate(0)).toBe(ip('10.0.0.2'))
    expect(new AddressPool(cidr('10.0.0.0/24'), { after: ip('10.9.0.77') }).allocate(0)).toBe(ip('10.0.0.2'))
  })

  for (const [what, address, expected] of [
    ['the network address', '10.0.0.0', 'IPAM_RESERVED'],
    ['the gateway', '10.0.0.1', 'IPAM_RESERVED'],
    ['the broadcast address', '10.0.0.255', 'IPAM_RESERVED'],
    ['an address below', '9.255.255.255', 'IPAM_OUTSIDE'],
    ['an address above', '10.0.1.0', 'IPAM_OUTSIDE'],
    ['an address of the other family', '::a00:5', 'IPAM_OUTSIDE'],
  ] as const) {
    test(`refuses ${what}`, () => {
      const pool = new AddressPool(cidr('10.0.0.0/24'))
      for (const act of [
        () => pool.request(ip(address)),
        () => pool.mark(ip(address)),
        () => pool.release(ip(address), 0),
      ]) {
        expect(code(act)).toBe(expected)
      }
      expect(pool.isLeased(ip(address))).toBe(false)
    })
  }

  test('keeps a lease at the far end of a /64', () => {
    const pool = new AddressPool(cidr('fd00::/64'), { rest: 5 })
    const far = ip('fd00::ffff:ffff:ffff:ffff')
    pool.mark(far)
    pool.mark(far)
    expect([pool.leased, pool.isLeased(far)]).toEqual([1, true])
    expect(pool.leasedAddresses()).toEqual([far])
    expect(code(() => pool.request(far))).toBe('IPAM_TAKEN')
    pool.release(far, 0)
    expect([pool.leased, pool.isLeased(far)]).toEqual([0, false])
    expect(pool.allocate(0)).toBe(ip('fd00::2'))
  })

  test('a million leases in a row are stepped over at once', () => {
    const pool = new AddressPool(cidr('10.0.0.0/8'))
    for (let i = 0; i < 1_000_000; i += 1) pool.allocate(0)
    expect(pool.leased).toBe(1_000_000)
    pool.release(ip('10.0.0.9'), 0)
    const again = new AddressPool(cidr('10.0.0.0/8'))
    expect(again.allocate(0)).toBe(ip('10.0.0.2'))
    expect(pool.allocate(0)).not.toBe(ip('10.0.0.9'))
  })

  test('never gives one address to two, and loses none, against a plain list', () => {
    const step = fc.record({ do: fc.constantFrom('allocate', 'release', 'request', 'pass'), number: fc.nat(40) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const both = new Compared()
        for (const next of steps) {
          if (next.do === 'allocate') both.allocate()
          else if (next.do === 'release') both.release(next.number)
          else if (next.do === 'request') both.request(`10.0.0.${next.number + 28}`)
          else both.now += next.number / 4
          expect(both.pool.leased).toBe(both.leased.size)
          expect<readonly string[]>(both.pool.leasedAddresses().sort()).toEqual([...both.leased].sort())
        }
      }),
      { numRuns: 200 },
    )
  })
})

/** A pool beside a plain list of what it should hold. */
class Compared {
  readonly pool = new AddressPool(cidr('10.0.0.32/27'), { rest: 10 })
  readonly leased = new Set<string>()
  now = 0
  readonly #restsUntil = new Map<string, number>()

  allocate(): void {
    const free = Array.from({ length: 29 }, (_, i) => `10.0.0.${i + 34}`).filter((address) => this.#isFree(address))
    if (free.length === 0) {
      expect(code(() => this.pool.allocate(this.now))).toBe('IPAM_ADDRESSES_EXHAUSTED')
      return
    }
    const given = this.pool.allocate(this.now)
    expect(free).toContain(given)
    this.leased.add(given)
  }

  release(index: number): void {
    const address = [...this.leased][index]
    if (address === undefined) return
    this.pool.release(ip(address), this.now)
    this.leased.delete(address)
    this.#restsUntil.set(address, this.now + 10)
  }

  request(address: string): void {
    if (code(() => this.pool.request(ip(address))) !== 'ok') return
    expect(this.leased.has(address)).toBe(false)
    this.leased.add(address)
  }

  #isFree(address: string): boolean {
    return !this.leased.has(address) && (this.#restsUntil.get(address) ?? 0) <= this.now
  }
}

test('a busy set finds what a plain search finds', () => {
  const number = fc.nat(2500)
  const step = fc.oneof(fc.record({ add: number, run: fc.nat(1200) }), fc.record({ delete: number }))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2500 }),
      fc.array(step, { maxLength: 30 }),
      fc.array(number, { minLength: 5 }),
      (size, steps, probes) => {
        const set = new BusySet(size)
        const plain = new Set<number>()
        for (const next of steps) {
          if ('delete' in next) expect(set.delete(next.delete)).toBe(plain.delete(next.delete))
          else
            for (let i = next.add; i < Math.min(size, next.add + next.run); i += 1) {
              expect(set.add(i)).toBe(!plain.has(i))
              plain.add(i)
            }
        }
        expect(set.count).toBe(plain.size)
        expect([...set].sort((a, b) => a - b)).toEqual([...plain].sort((a, b) => a - b))
        for (const from of [0, size - 1, ...probes.map((probe) => probe % size)]) {
          let expected: number | undefined = from
          while (expected < size && plain.has(expected)) expected += 1
          expect(set.nextFree(from)).toBe((expected < size ? expected : undefined) as number)
        }
      },
    ),
  )
})

describe('a VNI pool', () => {
  test('searches from where chance points, goes round, and is full', () => {
    const pool = new VniPool(10, 13)
    expect([0.5, 0.5, 0.5, 0.5].map((chance) => pool.allocate(chance))).toEqual([12, 13, 10, 11])
    expect(code(() => pool.allocate(0))).toBe('IPAM_VNIS_EXHAUSTED')
    pool.release(10)
    expect(pool.allocate(0.99)).toBe(10)
  })

  test('a shared VNI is free when its last user leaves', () => {
    const pool = new VniPool(10, 11)
    pool.share(10)
    pool.share(10)
    pool.release(10)
    expect([pool.users(10), pool.allocate(0)]).toEqual([1, 11])
    pool.release(10)
    expect(pool.allocate(0)).toBe(10)
    expect(code(() => pool.release(12))).toBe('IPAM_NOT_TAKEN')
  })

  test('what is avoided is given out when nothing else is left, and no user of it is counted', () => {
    const pool = new VniPool(10, 12)
    pool.share(10)
    for (const vni of [0, 9, 10, 11, 13]) pool.avoid(vni)
    pool.release(10)
    expect([pool.users(10), pool.users(11), pool.allocate(0)]).toEqual([0, 0, 12])
    pool.share(11)
    expect(pool.allocate(0)).toBe(10)
    expect(code(() => pool.allocate(0))).toBe('IPAM_VNIS_EXHAUSTED')
    pool.release(11)
    expect(pool.allocate(0)).toBe(11)
  })

  test('the global VNI and reserved ones have users and are never given out', () => {
    const pool = new VniPool(10, 10)
    for (const vni of [0, 0, 1, 9]) pool.share(vni)
    expect([pool.users(0), pool.allocate(0)]).toEqual([2, 10])
    for (const bad of [-1, 11, 0.5, Number.NaN]) expect(code(() => pool.share(bad))).toBe('IPAM_OUTSIDE')
  })

  test('takes any chance, as far as the last of 24 bits', () => {
    expect([0, 1, 2, -1, 0.999999999].map((chance) => new VniPool().allocate(chance))).toEqual([
      10, 0xffffff, 0xffffff, 10, 0xffffff,
    ])
  })
})

function code(act: () => unknown): string {
  try {
    act()
    return 'ok'
  } catch (error) {
    if (error instanceof IpamError) return error.code
    throw error
  }
}
