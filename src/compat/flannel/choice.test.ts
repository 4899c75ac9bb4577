import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, cidr, ip, overlaps } from '../../network/model/address.ts'
import { type Choosing, chooseLease, type StoredLease } from './choice.ts'
import { decodeNetworkConfig } from './config.ts'
import { leaseKey } from './lease.ts'

const CONFIG = decodeNetworkConfig('{"Network":"10.1.0.0/16"}', 'nodes')
const OWN = { publicIp: ip('192.0.2.1') }

function lease(subnet: string, publicIp: string, more: Partial<StoredLease> = {}): StoredLease {
  const subnets = { ipv4: cidr(subnet) }
  const attributes = { publicIp: ip(publicIp), backendType: 'udp' }
  return { key: leaseKey(subnets), revision: 1, isReservation: false, subnets, attributes, ...more }
}

function choose(more: Partial<Choosing>) {
  return chooseLease({ config: CONFIG, own: OWN, leases: [], random: () => 0, ...more })
}

const make = (subnet: string, instead?: StoredLease) => ({
  does: 'make' as const,
  subnets: { ipv4: cidr(subnet) },
  instead,
})

describe('which lease', () => {
  test('the first free one, leaving the very first subnet out', () => {
    expect(choose({})).toEqual(make('10.1.1.0/24'))
    expect(choose({ leases: [lease('10.1.1.0/24', '192.0.2.9')] })).toEqual(make('10.1.2.0/24'))
    expect(choose({ random: () => 0.999 })).toEqual(make('10.1.100.0/24'))
  })

  test('the one with this machine’s address, of several a reservation', () => {
    const own = lease('10.1.7.0/24', '192.0.2.1')
    const reserved = lease('10.1.8.0/24', '192.0.2.1', { isReservation: true })
    const memory = { subnets: { ipv4: cidr('10.1.9.0/24') } }
    expect(choose({ leases: [lease('10.1.1.0/24', '192.0.2.9'), own], memory })).toEqual({ does: 'keep', lease: own })
    expect(choose({ leases: [own, reserved] })).toEqual({ does: 'keep', lease: reserved })
  })

  test('an own one that does not fit any more goes', () => {
    for (const subnet of ['10.9.7.0/24', '10.1.7.0/26', '10.1.0.0/24']) {
      const own = lease(subnet, '192.0.2.1')
      expect(choose({ leases: [own] })).toEqual(make('10.1.1.0/24', own))
    }
  })

  test('the subnet of the time before, as long as it is free and fits', () => {
    const memory = { subnets: { ipv4: cidr('10.1.9.0/24') } }
    expect(choose({ memory })).toEqual(make('10.1.9.0/24'))
    expect(choose({ memory, leases: [lease('10.1.9.0/24', '192.0.2.9')] })).toEqual(make('10.1.1.0/24'))
    expect(choose({ memory: { subnets: { ipv4: cidr('10.2.9.0/24') } } })).toEqual(make('10.1.1.0/24'))
  })

  test('another address of this machine keeps the subnet, as long as nobody else has it', () => {
    const before = lease('10.1.9.0/24', '198.51.100.1')
    const memory = { subnets: { ipv4: cidr('10.1.9.0/24') }, publicIp: '198.51.100.1' }
    expect(choose({ memory, leases: [before] })).toEqual({ does: 'keep', lease: before })
    const taken = lease('10.1.9.0/24', '198.51.100.2')
    expect(choose({ memory, leases: [taken] })).toEqual(make('10.1.1.0/24'))
  })

  test('a lease of another length is in the way of all that it covers', () => {
    expect(choose({ leases: [lease('10.1.0.0/22', '192.0.2.9')] })).toEqual(make('10.1.4.0/24'))
    expect(choose({ leases: [lease('10.1.1.64/26', '192.0.2.9')] })).toEqual(make('10.1.2.0/24'))
  })

  test('when all are taken it says how many', () => {
    const config = decodeNetworkConfig('{"Network":"10.1.0.0/22"}', 'nodes')
    const leases = [1, 2, 3].map((n) => lease(`10.1.${n}.0/24`, `192.0.2.${n + 10}`))
    expect(() => choose({ config, leases })).toThrow('out of subnets: all 3 of 10.1.0.0/22')
    expect(choose({ config, leases: leases.slice(1) })).toEqual(make('10.1.1.0/24'))
  })

  test('one of each family, and no lease of one family alone', () => {
    const text = '{"EnableIPv6":true,"Network":"10.1.0.0/16","IPv6Network":"fd00:10::/48","Backend":{"Type":"vxlan"}}'
    const config = decodeNetworkConfig(text, 'nodes')
    const half = lease('10.1.7.0/24', '192.0.2.1')
    expect(choose({ config, leases: [half] })).toEqual({
      does: 'make',
      subnets: { ipv4: cidr('10.1.1.0/24'), ipv6: cidr('fd00:10:0:1::/64') },
      instead: half,
    })
  })
})

test('whatever is there, what is made overlaps nobody’s', () => {
  const subnet = fc
    .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.integer({ min: 18, max: 30 }))
    .map(([a, b, length]): Cidr => {
      const value = ((a << 8) | b) & (length >= 24 ? 0xff_ff : (0xff_ff << (32 - length - 8)) & 0xff_ff)
      return cidr(`10.1.${length >= 24 ? value >> 8 : (((a << 8) >> (32 - length)) << (32 - length)) >> 8}.0/${length}`)
    })
  fc.assert(
    fc.property(
      fc.array(subnet, { maxLength: 60 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (subnets, random) => {
        const leases = subnets.map((one, i) => lease(one, `198.51.100.${(i % 250) + 1}`))
        try {
          const choice = choose({ leases, random: () => random })
          expect(choice.does).toBe('make')
          const made = choice.does === 'make' ? choice.subnets.ipv4 : undefined
          expect(subnets.filter((one) => made === undefined || overlaps(one, made))).toEqual([])
        } catch (error) {
          expect(error).toMatchObject({ code: 'FLANNEL_FULL' })
        }
      },
    ),
  )
})
