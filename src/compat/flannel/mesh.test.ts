import { describe, expect, test } from 'bun:test'
import { type Cidr, cidr, type Ip, ip } from '../../network/model/address.ts'
import type { Backend } from './backend.ts'
import type { Lease } from './lease.ts'
import { type MeshInput, meshMtu, meshPlan } from './mesh.ts'

const VXLAN: Backend = { type: 'vxlan', vni: 1, port: 8472, directRouting: false, learning: false }
const MAC = 'c6:d2:32:6f:8f:44'
const OWN_MAC = 'c6:d2:32:6f:8f:01'

function lease(subnet: string, publicIp: string, backendType = 'vxlan', mac = MAC): Lease {
  const data = backendType === 'vxlan' ? { backendData: { VNI: 1, VtepMAC: mac } } : {}
  return { subnets: { ipv4: cidr(subnet) }, attributes: { publicIp: ip(publicIp), backendType, ...data } }
}

function plan(backend: Backend, leases: readonly Lease[], more: Partial<MeshInput> = {}) {
  const own = lease('10.1.1.0/24', '192.0.2.1', backend.type, OWN_MAC)
  return meshPlan({ backend, networks: [cidr('10.1.0.0/16')], own, leases, isOnLink: () => true, ...more })
}

describe('vxlan', () => {
  test('a route, a neighbour and where its frames go', () => {
    expect(plan(VXLAN, [lease('10.1.2.0/24', '192.0.2.2')])).toEqual({
      routes: [{ to: cidr('10.1.2.0/24'), by: 'tunnel4', via: ip('10.1.2.0'), onlink: true }],
      neighbours: [{ by: 'tunnel4', address: ip('10.1.2.0'), mac: MAC as never, machine: ip('192.0.2.2') }],
      remotes: [],
      machines: [ip('192.0.2.2')],
      refusals: [],
    })
  })

  test('DirectRouting takes the way around the tunnel on one segment alone', () => {
    const isOnLink = (address: Ip) => address === '192.0.2.2'
    const { routes, neighbours } = plan(
      { ...VXLAN, directRouting: true },
      [lease('10.1.2.0/24', '192.0.2.2'), lease('10.1.3.0/24', '198.51.100.3')],
      { isOnLink },
    )
    expect(routes).toEqual([
      { to: cidr('10.1.2.0/24'), by: 'uplink', via: ip('192.0.2.2') },
      { to: cidr('10.1.3.0/24'), by: 'tunnel4', via: ip('10.1.3.0'), onlink: true },
    ])
    expect(neighbours.map(({ machine }) => machine)).toEqual([ip('198.51.100.3')])
  })

  test('both families by devices of their own', () => {
    const peer: Lease = {
      subnets: { ipv4: cidr('10.1.2.0/24'), ipv6: cidr('fd00:10:0:2::/64') },
      attributes: {
        publicIp: ip('192.0.2.2'),
        publicIpv6: ip('2001:db8::2'),
        backendType: 'vxlan',
        backendData: { VtepMAC: MAC },
        backendV6Data: { VtepMAC: 'c6:d2:32:6f:8f:46' },
      },
    }
    const { routes, neighbours } = plan(VXLAN, [peer], { networks: [cidr('10.1.0.0/16'), cidr('fd00:10::/48')] })
    expect(routes.map(({ to, by }) => `${to} ${by}`)).toEqual(['10.1.2.0/24 tunnel4', 'fd00:10:0:2::/64 tunnel6'])
    expect(neighbours.map(({ machine, by }) => `${machine} ${by}`)).toEqual([
      '192.0.2.2 tunnel4',
      '2001:db8::2 tunnel6',
    ])
  })

  test('a MAC address that two tell of leads to the first', () => {
    const { neighbours, refusals } = plan(VXLAN, [lease('10.1.3.0/24', '192.0.2.3'), lease('10.1.2.0/24', '192.0.2.2')])
    expect(neighbours.map(({ machine }) => machine)).toEqual([ip('192.0.2.2')])
    expect(refusals).toEqual([expect.stringContaining('192.0.2.3 and 192.0.2.2')])
  })
})

test('machines are the addresses of leases that make sense, and those that the machines have besides', () => {
  const both = { ...lease('10.1.2.0/24', '192.0.2.2'), sources: [ip('198.51.100.2'), ip('192.0.2.2'), ip('10.1.2.9')] }
  const own = { ...lease('10.1.3.0/24', '192.0.2.3', 'vxlan', 'c6:d2:32:6f:8f:45'), sources: [ip('192.0.2.1')] }
  const { machines } = plan(VXLAN, [both, own, lease('10.9.2.0/24', '192.0.2.66')])
  expect(machines).toEqual([ip('192.0.2.2'), ip('198.51.100.2'), ip('192.0.2.3')])
})

describe('of two that cannot both hold the older one counts', () => {
  const since = (time: number, one: Lease): Lease => ({ ...one, since: time })
  const OTHER = 'c6:d2:32:6f:8f:45'

  test('a newer lease displaces none, be it narrower or wider', () => {
    const old = since(5, lease('10.1.2.0/24', '192.0.2.2'))
    const narrow = since(6, lease('10.1.2.0/25', '192.0.2.3', 'vxlan', OTHER))
    const wide = since(7, lease('10.1.0.0/17', '192.0.2.4', 'vxlan', OTHER))
    const { routes, refusals } = plan(VXLAN, [wide, narrow, old])
    expect(routes.map(({ to }) => to)).toEqual([cidr('10.1.2.0/24')])
    expect(refusals).toEqual([
      "the lease of 10.1.2.0/25 is left out: it overlaps 10.1.2.0/24, which is somebody else's",
      expect.stringMatching(/^the lease of 10\.1\.0\.0\/17 is left out: it overlaps 10\.1\.[12]\.0\/24/),
    ])
  })

  test('two Nodes with one range', () => {
    const [one, two] = [lease('10.1.2.0/24', '192.0.2.2'), lease('10.1.2.0/24', '192.0.2.3', 'vxlan', OTHER)]
    const machine = (leases: readonly Lease[]) => plan(VXLAN, leases).neighbours.map(({ machine }) => machine)
    expect(machine([since(2, one), since(1, two)])).toEqual([ip('192.0.2.3')])
    // Without a time it does not depend on the order either.
    expect(machine([one, two])).toEqual(machine([two, one]))
  })

  test('a MAC address', () => {
    const [one, two] = [lease('10.1.2.0/24', '192.0.2.2'), lease('10.1.3.0/24', '192.0.2.3')]
    const { neighbours, refusals } = plan(VXLAN, [since(9, one), since(8, two)])
    expect(neighbours.map(({ machine }) => machine)).toEqual([ip('192.0.2.3')])
    expect(refusals).toEqual([
      `192.0.2.2 and 192.0.2.3 tell of the same MAC address ${MAC}: what is for 10.1.2.0 goes nowhere`,
    ])
  })

  test('this machine’s own MAC address is nobody else’s', () => {
    const own = lease('10.1.1.0/24', '192.0.2.1')
    const { routes, refusals } = plan(VXLAN, [lease('10.1.2.0/24', '192.0.2.2')], { own })
    expect(routes).toEqual([])
    expect(refusals).toEqual([expect.stringContaining(`has the MAC address ${MAC}, which is this machine's own`)])
  })
})

test('many leases take as long each as few', () => {
  const leases = Array.from({ length: 8000 }, (_, i) => {
    const low = i.toString(16).padStart(4, '0')
    return lease(
      `10.${64 + (i >> 10)}.${(i >> 2) & 0xff}.${(i & 3) << 6}/26`,
      `192.0.${i >> 8}.${i & 0xff}`,
      'vxlan',
      `0e:00:00:00:${low.slice(0, 2)}:${low.slice(2)}`,
    )
  })
  // Each with each other would be minutes.
  const { routes, refusals } = plan(VXLAN, leases, { networks: [cidr('10.0.0.0/8')] })
  expect([routes.length, refusals.length]).toEqual([7999, 1])
}, 60_000)

test('host-gw says of every machine on another segment that it is not reached', () => {
  const leases = [lease('10.1.2.0/24', '192.0.2.2', 'host-gw'), lease('10.1.3.0/24', '198.51.100.3', 'host-gw')]
  const { routes, refusals } = plan({ type: 'host-gw' }, leases, { isOnLink: (address) => address.startsWith('192.') })
  expect(routes).toEqual([{ to: cidr('10.1.2.0/24'), by: 'uplink', via: ip('192.0.2.2') }])
  expect(refusals).toEqual([
    expect.stringContaining('10.1.3.0/24 is not reached: its machine 198.51.100.3 is on another segment'),
  ])
})

test('a lease that is wider than others displaces none of them', () => {
  const wide = lease('10.1.0.0/17', '192.0.2.9', 'host-gw')
  const { routes, refusals } = plan({ type: 'host-gw' }, [wide, lease('10.1.2.0/24', '192.0.2.2', 'host-gw')])
  expect(routes).toEqual([{ to: cidr('10.1.2.0/24'), by: 'uplink', via: ip('192.0.2.2') }])
  expect(refusals).toEqual([expect.stringContaining('the lease of 10.1.0.0/17 is left out: it overlaps')])
})

test('udp: one route, and who has what', () => {
  expect(plan({ type: 'udp', port: 8285 }, [lease('10.1.2.0/24', '192.0.2.2', 'udp')])).toEqual({
    routes: [{ to: cidr('10.1.0.0/16'), by: 'tunnel4' }],
    neighbours: [],
    remotes: [{ subnet: cidr('10.1.2.0/24'), machine: ip('192.0.2.2') }],
    machines: [ip('192.0.2.2')],
    refusals: [],
  })
})

describe('leases that make no sense are left out', () => {
  test.each<[string, Lease]>([
    ['it overlaps 10.1.1.0/24', lease('10.1.1.0/24', '192.0.2.2')],
    ['it overlaps 10.1.1.0/24', lease('10.1.1.128/25', '192.0.2.2')],
    ['not in the network 10.1.0.0/16', lease('10.9.2.0/24', '192.0.2.2')],
    ['not in the network 10.1.0.0/16', lease('10.0.0.0/8', '192.0.2.2')],
    ['speaks host-gw, and this one vxlan', lease('10.1.2.0/24', '192.0.2.2', 'host-gw')],
    ['speaks nothing', lease('10.1.2.0/24', '192.0.2.2', '')],
    ['no machine’s address'.replace('’', "'"), lease('10.1.2.0/24', '127.0.0.1')],
    ["no machine's address", lease('10.1.2.0/24', '224.0.0.1')],
    ["no machine's address", lease('10.1.2.0/24', '255.255.255.255')],
    ["one of the network's own", lease('10.1.2.0/24', '10.1.2.1')],
    ["this machine's own address", lease('10.1.2.0/24', '192.0.2.1')],
    ['names no MAC address', lease('10.1.2.0/24', '192.0.2.2', 'vxlan', 'ff:ff:ff:ff:ff:ff')],
    [
      'no such family',
      { subnets: { ipv6: cidr('fd00::/64') }, attributes: { publicIpv6: ip('2001:db8::2'), backendType: 'vxlan' } },
    ],
    [
      'over IPv4',
      { subnets: { ipv4: cidr('10.1.2.0/24') }, attributes: { publicIpv6: ip('2001:db8::2'), backendType: 'vxlan' } },
    ],
  ])('%s', (reason, one) => {
    const { routes, neighbours, refusals } = plan(VXLAN, [one, lease('10.1.3.0/24', '192.0.2.3')])
    expect(refusals).toEqual([expect.stringContaining(reason)])
    expect(routes.map(({ to }) => to)).toEqual([cidr('10.1.3.0/24') as Cidr])
    expect(neighbours).toHaveLength(1)
  })
})

test.each<[Backend, boolean, number]>([
  [VXLAN, false, 1450],
  [VXLAN, true, 1430],
  [{ ...VXLAN, mtu: 9000 }, false, 8950],
  [{ type: 'udp', port: 8285 }, false, 1472],
  [{ type: 'host-gw' }, true, 1500],
])('%j with IPv6 %p has an MTU of %p', (backend, hasIpv6, mtu) => {
  expect(meshMtu(backend, 1500, hasIpv6)).toBe(mtu)
})
