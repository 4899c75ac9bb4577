import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Ip, ip } from '../network/model/address.ts'
import { decodeMeshConfig, type MeshConfig } from './config.ts'
import { portName } from './names.ts'
import { type MeshPlan, type Place, planMesh, tunnelCost } from './plan.ts'
import { meshAcceptance, meshRuleset, NO_RULESET } from './ruleset.ts'

const SEGMENT: Place = { link: 'eth0', mtu: 1500 }
const ROUTED: Place = { link: 'eth0', mtu: 9000, gateway: ip('192.0.2.254') }

function listOf(count: number, ...lines: readonly string[]): MeshConfig {
  const hosts = Array.from(
    { length: count },
    (_, i) => `  - {name: n${i + 1}, address: 192.0.2.${i + 1}, subnet: 172.17.${i + 1}.0/24}`,
  )
  return decodeMeshConfig(`${[...lines, 'hosts:', ...hosts].join('\n')}\n`, 'x')
}

function plan(config: MeshConfig, places: Readonly<Record<string, Place | string>> = {}, self = 0): MeshPlan {
  const host = config.hosts[self]
  if (host === undefined) throw new Error('there is no such machine')
  const all = new Map<Ip, Place | string>(config.hosts.map(({ address }) => [address, SEGMENT]))
  for (const [address, place] of Object.entries(places)) all.set(ip(address), place)
  return planMesh(config, host, all, { link: 'eth0', mtu: 1500 })
}

test.each([
  [{ type: 'gre' }, 4, 1462],
  [{ type: 'gre', key: 0 }, 4, 1458],
  [{ type: 'gre' }, 6, 1442],
  [{ type: 'gre', key: 7 }, 6, 1438],
  [{ type: 'vxlan' }, 4, 1450],
  [{ type: 'vxlan', key: 7 }, 6, 1430],
  [{ type: 'geneve' }, 4, 1450],
] as const)('%j over IPv%d leaves %d of 1500 bytes', (tunnel, family, left) => {
  expect(1500 - tunnelCost(tunnel, family)).toBe(left)
})

test('two machines have what the founding document types', () => {
  const { bridge, routes } = plan(listOf(2, 'network: 172.17.0.0/16'))
  expect(bridge).toEqual({
    name: 'br0',
    mtu: 1462,
    ports: [
      { name: 'gre-c0000202', peer: 'n2', type: 'gre', options: { remote_ip: '192.0.2.2', local_ip: '192.0.2.1' } },
    ],
  } as never)
  expect(routes).toEqual([{ to: '172.17.0.0/16', link: 'docker0', mtu: 1462 }] as never)
})

test('without a network, each subnet is led to docker0', () => {
  expect(plan(listOf(3)).routes.map(({ to, link }) => `${to} ${link}`)).toEqual([
    '172.17.2.0/24 docker0',
    '172.17.3.0/24 docker0',
  ])
})

test('a machine that knows nobody else has no route to anywhere', () => {
  expect(plan(listOf(1, 'network: 172.17.0.0/16')).routes).toEqual([])
})

test('the bridge has the MTU of the narrowest way', () => {
  expect(plan(listOf(3), { '192.0.2.2': { ...SEGMENT, mtu: 1400 }, '192.0.2.3': ROUTED }).bridge?.mtu).toBe(1362)
})

test('without tunnels, a machine on the segment is led to, and one behind a gateway is refused', () => {
  const { bridge, routes, peers, tunnel } = plan(listOf(3, 'way: direct'), { '192.0.2.3': ROUTED })
  expect({ bridge, tunnel }).toEqual({ bridge: undefined, tunnel: undefined })
  expect(routes).toEqual([{ to: '172.17.2.0/24', link: 'eth0', via: '192.0.2.2' }] as never)
  expect(peers.map(({ way, why }) => [way, why])).toEqual([
    ['direct', undefined],
    ['none', 'n3 (192.0.2.3) is on another segment, behind 192.0.2.254'],
  ])
})

test('or has a tunnel, as everybody has to everybody then: the other side may judge otherwise', () => {
  const { bridge, routes, peers } = plan(listOf(3, 'way: direct', 'otherwise: geneve', 'network: 172.17.0.0/16'), {
    '192.0.2.3': ROUTED,
  })
  expect(bridge?.ports.map(({ name }) => name)).toEqual(['geneve-c0000202', 'geneve-c0000203'])
  expect(routes.map(({ to, link }) => `${to} ${link}`)).toEqual(['172.17.0.0/16 docker0', '172.17.2.0/24 eth0'])
  expect(peers.map(({ way }) => way)).toEqual(['direct', 'geneve'])
})

test('a machine without a way keeps its port', () => {
  const { bridge, peers } = plan(listOf(2), { '192.0.2.2': 'this machine has no route to it' })
  expect(bridge?.ports).toHaveLength(1)
  expect(peers).toMatchObject([{ way: 'gre', why: 'n2 (192.0.2.2): this machine has no route to it' }])
})

test('n machines have n × (n − 1) ports, each two of them meet, and names fit a link', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.constantFrom('gre', 'vxlan', 'geneve'), (count, way) => {
      const config = listOf(count, `way: ${way}`)
      const ports = config.hosts.flatMap((host, self) =>
        (plan(config, {}, self).bridge?.ports ?? []).map(({ name, options }) => ({
          name,
          ...options,
          at: host.address,
        })),
      )
      const ends = new Set(ports.map((port) => `${port.at} ${Reflect.get(port, 'remote_ip')}`))
      const mirrored = ports.every((port) => ends.has(`${Reflect.get(port, 'remote_ip')} ${port.at}`))
      return ports.length === count * (count - 1) && mirrored && ports.every(({ name }) => name.length <= 15)
    }),
  )
})

test('names of ports to IPv6 addresses differ', () => {
  const names = Array.from({ length: 2000 }, (_, i) => portName('geneve', ip(`2001:db8::${(i + 1).toString(16)}`)))
  expect(new Set(names).size).toBe(2000)
  expect(names.every((name) => name.length === 15)).toBe(true)
})

test('our table is gone where nothing is wanted of it', () => {
  expect(meshRuleset(plan(listOf(2, 'way: direct'), { '192.0.2.2': ROUTED }))).toBe(NO_RULESET)
})

test('filters of others accept other machines’ containers where there is no tunnel, and only those', () => {
  expect(meshAcceptance(plan(listOf(2)))).toEqual([])
  const [acceptance] = meshAcceptance(plan(listOf(3, 'way: direct', 'network: 172.17.0.0/16'), { '192.0.2.3': ROUTED }))
  expect(acceptance?.accepted).toEqual([
    { subject: 'source', value: '172.17.2.0/24' },
    { subject: 'destination', value: '172.17.2.0/24' },
  ])
})
