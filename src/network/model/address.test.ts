import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  BITS,
  cidr,
  contains,
  type Family,
  familyOf,
  firstIp,
  formatIp,
  ip,
  ipValue,
  lastIp,
  linkLocalFromMac,
  macFromIp,
  networkAround,
  overlaps,
  parseCidr,
  parseIp,
  parseMac,
  prefixLength,
} from './address.ts'

const family = fc.constantFrom<Family>(4, 6)
const value = (of: Family): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(BITS[of])) - 1n })
/** Groups of zeros, as real addresses have them, are rare among random numbers. */
const gappyValue = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n))
const address = family.chain((of) => (of === 4 ? value(4) : fc.oneof(value(6), gappyValue)).map((v) => formatIp(of, v)))
const network = address.chain((of) =>
  fc.integer({ min: 0, max: BITS[familyOf(of)] }).map((length) => networkAround(of, length)),
)

describe('RFC 5952', () => {
  const vectors: readonly (readonly [string, string])[] = [
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::AAAA', '2001:db8::aaaa'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ]
  for (const [text, canonical] of vectors) test(text, () => expect(parseIp(text)).toBe(ip(canonical)))
})

describe('parsing', () => {
  for (const text of [
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
    '::1%lo',
    ':::',
    '1::2::3',
    '12345::',
    'g::',
    '1.2.3.4/8',
  ]) {
    test(`${JSON.stringify(text)} is no address`, () => {
      expect(parseIp(text)).toBeUndefined()
      expect(() => ip(text)).toThrow(TypeError)
    })
  }
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/',
    'fd00::1/64',
    '::/129',
    '::/1e1',
    '/8',
  ]) {
    test(`${JSON.stringify(text)} is no network`, () => {
      expect(parseCidr(text)).toBeUndefined()
      expect(() => cidr(text)).toThrow(TypeError)
    })
  }
  for (const text of [
    '',
    '00:11:22:33:44',
    '00:11:22:33:44:5',
    '00-11-22-33-44-55',
    '00:11:22:33:44:55:66',
    'gg:11:22:33:44:55',
  ]) {
    test(`${JSON.stringify(text)} is no MAC address`, () => expect(parseMac(text)).toBeUndefined())
  }

  test('whatever is no address does not throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./%') })), (text) => {
        const parsed = parseIp(text)
        if (parsed !== undefined) expect(parseIp(parsed)).toBe(parsed)
        parseCidr(text)
        parseMac(text)
      }),
    )
  })
})

describe('properties', () => {
  test('an address survives its number, and is its own canonical form', () => {
    fc.assert(
      fc.property(address, (a) => {
        expect(formatIp(familyOf(a), ipValue(a))).toBe(a)
        expect(parseIp(a)).toBe(a)
        expect(parseIp(a.toUpperCase())).toBe(a)
      }),
    )
  })

  test('the eight groups written out are the same address', () => {
    fc.assert(
      fc.property(gappyValue, (v) => {
        const groups = Array.from({ length: 8 }, (_, i) => ((v >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
        expect(ipValue(ip(groups.join(':')))).toBe(v)
        expect(ipValue(ip(groups.map((group) => group.padStart(4, '0')).join(':')))).toBe(v)
      }),
    )
  })

  test('a network survives its text and knows its ends', () => {
    fc.assert(
      fc.property(network, (n) => {
        expect(parseCidr(n)).toBe(n)
        const size = 1n << BigInt(BITS[familyOf(n)] - prefixLength(n))
        expect(ipValue(lastIp(n)) - ipValue(firstIp(n))).toBe(size - 1n)
        expect(contains(n, firstIp(n)) && contains(n, lastIp(n))).toBe(true)
      }),
    )
  })

  test('contains is being between first and last', () => {
    const near = fc.tuple(network, fc.bigInt({ min: -3n, max: 3n }), fc.boolean()).map(([n, step, atEnd]) => {
      const last = (1n << BigInt(BITS[familyOf(n)])) - 1n
      const moved = ipValue(atEnd ? lastIp(n) : firstIp(n)) + step
      return [n, formatIp(familyOf(n), moved < 0n ? 0n : moved > last ? last : moved)] as const
    })
    fc.assert(
      fc.property(fc.oneof(near, fc.tuple(network, address)), ([n, a]) => {
        const between = ipValue(a) >= ipValue(firstIp(n)) && ipValue(a) <= ipValue(lastIp(n))
        expect(contains(n, a)).toBe(familyOf(a) === familyOf(n) && between)
      }),
    )
  })

  test('overlaps is sharing an address', () => {
    const related = fc
      .tuple(network, fc.nat(128))
      .map(([n, length]) => [n, networkAround(firstIp(n), length % (BITS[familyOf(n)] + 1))] as const)
    fc.assert(
      fc.property(fc.oneof(related, fc.tuple(network, network)), ([a, b]) => {
        const share = ipValue(firstIp(a)) <= ipValue(lastIp(b)) && ipValue(firstIp(b)) <= ipValue(lastIp(a))
        expect(overlaps(a, b)).toBe(familyOf(a) === familyOf(b) && share)
        expect(overlaps(b, a)).toBe(overlaps(a, b))
      }),
    )
  })
})

describe('MAC addresses', () => {
  test('derive from addresses as the CNI plugins do', () => {
    expect<string>(macFromIp(ip('10.128.0.2'))).toBe('0a:58:0a:80:00:02')
    expect<string>(macFromIp(ip('fd00::1:2:3'))).toBe('0a:58:00:02:00:03')
  })

  test('give the link-local address that a kernel gives them', () => {
    const mac = parseMac('52:54:00:12:34:56')
    expect(mac === undefined ? '' : linkLocalFromMac(mac)).toBe('fe80::5054:ff:fe12:3456')
  })
})
