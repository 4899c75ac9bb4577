import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, formatIp, ip, networkAround, overlaps } from '../../network/model/address.ts'
import { type Cutter, capacityWarning, decodeNetworkConfig, rangesOf } from './config.ts'
import { FlannelError } from './errors.ts'
import { capacityOf, freeSubnets, isOfRange, subnetRange } from './range.ts'

const decode = (text: string, cutter: Cutter = 'nodes') => decodeNetworkConfig(text, cutter)

describe('what a configuration means', () => {
  test('the seed’s', () => {
    expect(decode('{"Network": "10.1.0.0/16"}')).toEqual({
      ipv4: {
        network: cidr('10.1.0.0/16'),
        range: { network: cidr('10.1.0.0/16'), length: 24, first: ip('10.1.1.0'), last: ip('10.1.255.0') },
      },
      backend: { type: 'udp', port: 8285 },
    })
  })

  test.each([
    [
      '{"network":"10.1.0.0/16","backend":{"type":"vxlan"}}',
      { type: 'vxlan', vni: 1, port: 8472, directRouting: false, learning: false },
    ],
    [
      '{"Network":"10.1.0.0/16","Backend":{"Type":"vxlan","vni":7,"PORT":4789,"MTU":1400,"directRouting":true,"Learning":true}}',
      { type: 'vxlan', vni: 7, port: 4789, mtu: 1400, directRouting: true, learning: true },
    ],
    [
      '{"Network":"10.1.0.0/16","Backend":{"Type":"vxlan","VNI":0,"Port":0,"MTU":0}}',
      { type: 'vxlan', vni: 1, port: 8472, directRouting: false, learning: false },
    ],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"host-gw"}}', { type: 'host-gw' }],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"udp","Port":9000}}', { type: 'udp', port: 9000 }],
    ['{"Network":"10.1.0.0/16","Backend":{}}', { type: 'udp', port: 8285 }],
  ] as const)('%s', (text, backend) => {
    expect(decode(text).backend as unknown).toEqual(backend)
  })

  test('both families, and IPv6 alone', () => {
    const both = '{"EnableIPv6":true,"Network":"10.1.0.0/16","IPv6Network":"fd00:10::/48","Backend":{"Type":"vxlan"}}'
    expect(rangesOf(decode(both)).map(({ length }) => length)).toEqual([24, 64])
    const alone = '{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:10::/48","Backend":{"Type":"host-gw"}}'
    expect(decode(alone).ipv4).toBeUndefined()
    expect(decode(alone).ipv6?.range?.first).toBe(ip('fd00:10:0:1::'))
  })

  test('host bits of a network are nobody’s business', () => {
    expect(decode('{"Network":"10.1.2.3/16"}').ipv4?.network).toBe(cidr('10.1.0.0/16'))
  })

  test('where Kubernetes cuts the network, nothing is said of subnets', () => {
    expect(decode('{"Network":"10.1.0.0/16","SubnetLen":99}', 'kubernetes').ipv4).toEqual({
      network: cidr('10.1.0.0/16'),
    })
  })
})

describe('what is refused says which value would be right', () => {
  const REFUSED: readonly (readonly [text: string, message: string, remedy?: string])[] = [
    ['{', 'no JSON'],
    ['[]', 'no JSON object'],
    ['{}', 'no Network', '10.1.0.0/16'],
    ['{"Network":"10.1.0.0"}', 'no IPv4 network'],
    ['{"Network":5}', 'no IPv4 network'],
    ['{"Network":"fd00::/48"}', 'no IPv4 network'],
    ['{"Network":"10.1.0.0/29"}', 'too small', '/28'],
    ['{"Network":"10.1.0.0/16","SubnetLen":17}', 'SubnetLen 17', '18 to 30'],
    ['{"Network":"10.1.0.0/16","SubnetLen":31}', 'SubnetLen 31', '18 to 30'],
    ['{"Network":"10.1.0.0/16","SubnetLen":"24"}', 'SubnetLen "24"', 'without quotes'],
    ['{"Network":"10.200.0.0/16","SubnetLen":26,"SubnetMin":"10.200.0.2"}', 'SubnetMin 10.200.0.2', 'write 10.200.0.0'],
    ['{"Network":"10.200.0.0/16","SubnetLen":26,"SubnetMax":"10.200.20.194"}', 'SubnetMax', 'write 10.200.20.192'],
    ['{"Network":"10.1.0.0/16","SubnetMin":"10.2.0.0"}', 'not in 10.1.0.0/16'],
    ['{"Network":"10.1.0.0/16","SubnetMin":"10.1.9.0","SubnetMax":"10.1.8.0"}', 'behind', 'swap'],
    ['{"EnableIPv4":false,"Network":"10.1.0.0/16"}', 'neither'],
    ['{"EnableIPv6":true,"Network":"10.1.0.0/16"}', 'no IPv6Network'],
    ['{"EnableIPv6":"yes","Network":"10.1.0.0/16"}', 'neither true nor false'],
    ['{"EnableIPv6":true,"Network":"10.1.0.0/16","IPv6Network":"fd00::/48"}', 'udp carries IPv4 alone'],
    ['{"Network":"10.1.0.0/16","Backend":"vxlan"}', 'no JSON object'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"ipip"}}', 'IP in IP'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"wireguard"}}', 'WireGuard'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"ipsec"}}', 'IPsec'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"extension"}}', 'commands'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"alloc"}}', 'hands out subnets'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"tencent-vpc"}}', 'cloud'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"toString"}}', 'no back end'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"vxlan","VNI":16777216}}', 'VNI'],
    ['{"Network":"10.1.0.0/16","Backend":{"Type":"vxlan","GBP":true}}', 'GBP'],
  ]
  for (const [text, message, remedy = ''] of REFUSED) {
    test(`${text}: ${message}`, () => {
      const error = faultOf(() => decode(text))
      expect(error.code).toBe('FLANNEL_CONFIG')
      expect(error.message).toContain(message)
      expect(`${error.remedy} `).toContain(remedy)
    })
  }

  test('anything is a configuration or refused', () => {
    const field = fc.constantFrom(
      'Network',
      'network',
      'SubnetLen',
      'subnetmin',
      'EnableIPv6',
      'IPv6Network',
      'Backend',
    )
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('10.0.0.0/8', 'fd00::/40', 24, true, '10.0.1.0'))
    fc.assert(
      fc.property(fc.dictionary(field, value), (fields) => {
        try {
          decode(JSON.stringify(fields))
        } catch (error) {
          expect(error).toBeInstanceOf(FlannelError)
        }
      }),
    )
  })
})

describe('ranges', () => {
  test.each([
    ['10.1.0.0/16', undefined, 255n],
    ['10.1.0.0/16', 26, 1023n],
    ['10.1.0.0/22', undefined, 3n],
    ['10.1.0.0/24', undefined, 3n],
    ['10.1.0.0/28', undefined, 3n],
    ['fd00:10::/48', undefined, 65_535n],
    ['fd00:10::/63', undefined, 3n],
  ])('%s cut to /%p has %p', (network, length, capacity) => {
    expect(capacityOf(subnetRange({ network: cidr(network), length }))).toBe(capacity)
  })

  test('free ones are of the range, free, and never more than asked for', () => {
    const range = subnetRange({ network: cidr('10.0.0.0/20'), length: 26 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 62 })), fc.integer({ min: 1, max: 80 }), (taken, most) => {
        const all = freeSubnets(range, [], 1000)
        const gone = new Set(taken.flatMap((i) => all[i] ?? []))
        const free = freeSubnets(range, [...gone], most)
        expect(free.length).toBe(Math.min(most, 63 - gone.size))
        expect(free.every((subnet) => isOfRange(range, subnet) && !gone.has(subnet))).toBe(true)
      }),
    )
  })

  test('leases of any length and any place are in the way, and no other subnet is left out', () => {
    const range = subnetRange({ network: cidr('10.0.0.0/20'), length: 24 })
    const lease = fc
      .tuple(fc.nat({ max: 0x3fff }), fc.integer({ min: 14, max: 30 }))
      .map(([low, length]) => networkAround(formatIp(4, BigInt(0x0a00_0000 + low)), length))
    fc.assert(
      fc.property(fc.array(lease, { maxLength: 6 }), (taken) => {
        const all = freeSubnets(range, [], 100)
        expect(all).toHaveLength(15)
        expect(freeSubnets(range, taken, 100)).toEqual(
          all.filter((one) => !taken.some((other) => overlaps(one, other))),
        )
      }),
    )
  })

  test('the choice takes no longer in a larger network, nor behind a lease that takes nearly all of it', () => {
    const wide = subnetRange({ network: cidr('fd00::/16') })
    expect(freeSubnets(wide, [cidr('fd00::/17'), cidr('fd00:8000::/18')], 2)).toEqual([
      cidr('fd00:c000::/64'),
      cidr('fd00:c000:0:1::/64'),
    ])
    expect(freeSubnets(wide, [cidr('fd00::/15')], 1)).toEqual([])
    const ipv4 = subnetRange({ network: cidr('0.0.0.0/0'), length: 30 })
    expect(freeSubnets(ipv4, [cidr('0.0.0.0/1'), cidr('128.0.0.0/1')], 1)).toEqual([])
    expect(freeSubnets(ipv4, [cidr('0.0.0.0/1'), cidr('128.0.0.0/2')], 1)).toEqual([cidr('192.0.0.0/30')])
  })

  test('a warning comes before the end', () => {
    const config = decode('{"Network":"10.1.0.0/16"}')
    expect(capacityWarning(config, 200)).toBeUndefined()
    expect(capacityWarning(config, 230)).toContain('230 of 255 subnets of 10.1.0.0/16')
  })
})

function faultOf(action: () => unknown): FlannelError {
  try {
    action()
  } catch (error) {
    if (error instanceof FlannelError) return error
    throw error
  }
  throw new Error('it was accepted')
}
