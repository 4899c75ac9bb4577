import { describe, expect, test } from 'bun:test'
import { type Ip, ip } from '../network/model/address.ts'
import { chooseUplink, type UplinkFacts, type UplinkWish } from './uplink.ts'

const FACTS: UplinkFacts = {
  links: [
    { index: 2, name: 'eth0', mtu: 1500, up: true },
    { index: 3, name: 'eth1', mtu: 9000, up: true },
  ],
  addresses: [
    { link: 2, family: 4, address: ip('192.0.2.1') },
    { link: 3, family: 4, address: ip('198.51.100.1') },
    { link: 3, family: 4, address: ip('198.51.100.2') },
    { link: 3, family: 6, address: ip('2001:db8::1') },
  ],
  defaults: { 4: 2, 6: 3 },
  wayTo: (address) => (address.startsWith('198.') ? { link: 3 } : undefined),
}

function choose(wish: Partial<UplinkWish>, families = { ipv4: true, ipv6: false }) {
  const { link, addresses, publicIp } = chooseUplink({ iface: [], ifaceRegex: [], ...wish }, FACTS, families)
  return [link.name, addresses.ipv4 ?? addresses.ipv6, publicIp]
}

describe('which link, from where it sends, and what others are told', () => {
  test.each<[Partial<UplinkWish>, readonly [string, string, string]]>([
    [{}, ['eth0', '192.0.2.1', '192.0.2.1']],
    [{ iface: ['eth1'] }, ['eth1', '198.51.100.1', '198.51.100.1']],
    [{ iface: ['198.51.100.2'] }, ['eth1', '198.51.100.2', '198.51.100.2']],
    [{ ifaceRegex: ['^eth[1-9]$'] }, ['eth1', '198.51.100.1', '198.51.100.1']],
    [{ ifaceCanReach: '198.51.100.9' as Ip }, ['eth1', '198.51.100.1', '198.51.100.1']],
    // An own address that others are told is that of the link, and where packets come from.
    [{ publicIp: ip('198.51.100.2') }, ['eth1', '198.51.100.2', '198.51.100.2']],
    [{ iface: ['eth1'], publicIp: ip('198.51.100.2') }, ['eth1', '198.51.100.2', '198.51.100.2']],
    // Nobody's here: a translation on the way.
    [{ publicIp: ip('203.0.113.9') }, ['eth0', '192.0.2.1', '203.0.113.9']],
    [{ iface: ['eth0'], publicIp: ip('198.51.100.2') }, ['eth0', '192.0.2.1', '198.51.100.2']],
  ])('%j', (wish, expected) => expect(choose(wish)).toEqual([...expected]))

  test('a link without an address of a family that the network has is none', () => {
    expect(() => choose({}, { ipv4: true, ipv6: true })).toThrow('eth0 has no IPv6 address')
    expect(() => choose({ iface: ['eth7'] })).toThrow('no link is eth7')
  })
})
