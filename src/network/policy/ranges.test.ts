import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, contains, formatIp, networkAround } from '../model/address.ts'
import { inRange, without } from './ranges.ts'

test('192.168.1.0/24 without 192.168.1.1', () => {
  const left = without(cidr('192.168.1.0/24'), [cidr('192.168.1.1/32')])
  expect([...left].sort()).toEqual(
    ['128/25', '64/26', '32/27', '16/28', '8/29', '4/30', '2/31', '0/32']
      .map((tail) => cidr(`192.168.1.${tail}`))
      .sort(),
  )
})

test('10.0.0.0/8 without 10.0.1.0/24 are sixteen prefixes', () => {
  expect(without(cidr('10.0.0.0/8'), [cidr('10.0.1.0/24')])).toHaveLength(16)
})

test('what is left holds the same addresses, in prefixes that do not meet', () => {
  const address = fc.integer({ min: 0, max: 255 }).map((n) => formatIp(4, 0x0a000000n | BigInt(n)))
  const prefix = fc.tuple(address, fc.integer({ min: 24, max: 32 })).map(([ip, length]) => networkAround(ip, length))
  fc.assert(
    fc.property(prefix, fc.array(prefix, { maxLength: 4 }), address, (range, except, ip) => {
      const found = without(range, except).filter((one) => contains(one, ip))
      expect(found.length).toBe(inRange(range, except, ip) ? 1 : 0)
    }),
  )
})
