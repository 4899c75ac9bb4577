import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Decoded } from './decode.ts'
import { poolSizesOf } from './neutron.ts'
import { decodeNeutronNetwork, decodeNodePorts, decodePortUse } from './validate-neutron.ts'

const NETWORK = { name: 'pods', network: 'pods-net' }
const PORT = { id: 'p1', mac: 'fa:16:3e:00:00:02', addresses: [{ address: '10.1.0.7', subnetId: 's1' }] }
const POOL = {
  network: 'pods',
  networkId: 'n1',
  mode: 'pair',
  parent: { portId: 'vm1', mac: 'fa:16:3e:00:00:01' },
  mtu: 1442,
  subnets: [{ id: 's1', cidr: '10.1.0.0/24', routes: [], nameservers: [] }],
  groups: [],
  ports: [PORT],
}
const PROBLEM = { network: 'pods', reason: 'PORTS_FULL', problem: 'no more' }
const USE = { node: 'n', leased: [], resting: [], given: [], wants: [] }
const LEASE = { id: 'p1', sandbox: 'c1', ifname: 'eth0' }

type Case = readonly [
  title: string,
  decode: (input: unknown) => Decoded<unknown>,
  input: unknown,
  paths: readonly string[],
]

const network = (more: object): object => ({ ...NETWORK, ...more })
const ports = (more: object): object => ({ node: 'n', pools: [{ ...POOL, ...more }], problems: [] })
const port = (more: object): object => ports({ ports: [{ ...PORT, ...more }] })
const use = (more: object): object => ({ ...USE, ...more })

const cases: readonly Case[] = [
  ['a network', decodeNeutronNetwork, NETWORK, []],
  ['a network without one of Neutron', decodeNeutronNetwork, { name: 'pods' }, ['network']],
  ['a mode that is none', decodeNeutronNetwork, network({ mode: 'nic' }), ['mode']],
  ['more at least than at most', decodeNeutronNetwork, network({ pool: { min: 9, max: 8 } }), ['pool.min']],
  ['as many at least as at most', decodeNeutronNetwork, network({ pool: { min: 8, max: 8 } }), []],
  ['more at least than at most by default', decodeNeutronNetwork, network({ pool: { min: 400 } }), []],
  ['no port at all', decodeNeutronNetwork, network({ pool: { max: 0 } }), ['pool.max']],
  [
    'a parent by a MAC address that is none',
    decodeNeutronNetwork,
    network({ parent: { mac: 'eth1' } }),
    ['parent.mac'],
  ],
  ['a selector that is none', decodeNeutronNetwork, network({ nodes: 'all' }), ['nodes']],
  ['ports', decodeNodePorts, ports({}), []],
  ['a VLAN beside an address pair', decodeNodePorts, port({ vlan: 7 }), ['pools[0].ports[0].vlan']],
  ['a trunk without a VLAN', decodeNodePorts, ports({ mode: 'trunk' }), ['pools[0].ports[0].vlan']],
  ['a VLAN above all', decodeNodePorts, port({ vlan: 4095 }), ['pools[0].ports[0].vlan']],
  ['a port twice', decodeNodePorts, ports({ ports: [PORT, PORT] }), ['pools[0].ports[1]']],
  ['an address of no subnet', decodeNodePorts, ports({ subnets: [] }), ['pools[0].ports[0]']],
  [
    'an address outside its subnet',
    decodeNodePorts,
    port({ addresses: [{ address: '10.2.0.7', subnetId: 's1' }] }),
    ['pools[0].ports[0]'],
  ],
  ['a network twice', decodeNodePorts, { node: 'n', pools: [POOL, POOL], problems: [] }, ['pools[1]']],
  [
    'a problem of a pool, and one of groups',
    decodeNodePorts,
    { node: 'n', pools: [], problems: [PROBLEM, { ...PROBLEM, groups: ['web'] }] },
    [],
  ],
  [
    'two problems of one pool',
    decodeNodePorts,
    { node: 'n', pools: [], problems: [PROBLEM, PROBLEM] },
    ['problems[1]'],
  ],
  ['an id with a blank', decodeNodePorts, port({ id: 'p 1' }), ['pools[0].ports[0].id']],
  ['use of ports', decodePortUse, use({ leased: [LEASE], given: ['p2'], wants: [{ network: 'pods', n: 1 }] }), []],
  ['a port that two pods have', decodePortUse, use({ leased: [LEASE, LEASE] }), ['leased[1]']],
  ['a port that is given and in use', decodePortUse, use({ leased: [LEASE], given: ['p1'] }), ['given[0]']],
  [
    'a port that is given and rests',
    decodePortUse,
    use({ resting: [{ id: 'p1', until: '2026-01-01T00:00:00Z' }], given: ['p1'] }),
    ['given[0]'],
  ],
  [
    'a port that rests until never',
    decodePortUse,
    use({ resting: [{ id: 'p1', until: 'never' }] }),
    ['resting[0].until'],
  ],
  ['a wish for nothing', decodePortUse, use({ wants: [{ network: 'pods', n: 0 }] }), ['wants[0].n']],
]

test.each(cases)('%s', (_title, decode, input, paths) => {
  const decoded = decode(input)
  expect(decoded.ok ? [] : decoded.problems.map(({ path }) => path)).toEqual([...paths])
})

test('nothing at all makes a decoder throw', () => {
  fc.assert(
    fc.property(fc.anything(), (input) => {
      for (const decode of [decodeNeutronNetwork, decodeNodePorts, decodePortUse]) expect(decode(input).ok).toBe(false)
    }),
  )
})

test('sizes that count keep their order, whichever of them are given', () => {
  const size = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined })
  fc.assert(
    fc.property(size, size, size, (min, max, batch) => {
      const given = Object.fromEntries(Object.entries({ min, max, batch }).filter(([, value]) => value !== undefined))
      const decoded = decodeNeutronNetwork(network({ pool: given }))
      if (!decoded.ok) return
      const sizes = poolSizesOf(decoded.value)
      expect(sizes.min).toBeLessThanOrEqual(sizes.max)
      expect(sizes).toEqual(expect.objectContaining(given))
    }),
  )
})
