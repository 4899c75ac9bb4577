import { describe, expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from '../../../test/tables/sample-node.ts'
import { nodeContext } from '../context.ts'
import { hostPlan } from '../host.ts'
import { cidr, familyOf, ip } from '../model/address.ts'
import type { Fabric } from '../model/cluster.ts'
import type { NodePlanner } from '../planner.ts'
import type { PeerPlace } from './direct.ts'
import { wayTo, wayToRange } from './way.ts'

const STATUS = { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } as const

function onLink(link: string, address = '192.0.2.12'): PeerPlace {
  return { reach: { 4: 'open', 6: { why: 'no IPv6 there' } }, places: { 4: { link, address: ip(address) } } }
}

function planned(fabric: Fabric = { way: 'direct', otherwise: 'tunnel' }): NodePlanner {
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric })
  planner.putPeer({ ...sampleNode(2), status: STATUS })
  return planner
}

function wayOf(planner: NodePlanner): string {
  const [known] = planner.known()
  return known === undefined ? 'unknown' : wayTo(planner.context.cluster, known.peer, 4, known.reach).is
}

/** As the agent does it after the flows. */
function apply(planner: NodePlanner): boolean {
  return planner.led(hostPlan(planner.context, planner.publication()).direct)
}

describe('packets take a way without a tunnel', () => {
  test('as soon as the stack was set up for it, and not before', () => {
    const planner = planned()
    expect(wayOf(planner)).toBe('tunnel')
    expect(planner.putPlace('node2', onLink('eth0'))).toBe(true)
    expect(wayOf(planner)).toBe('tunnel')
    expect(hostPlan(planner.context, planner.publication()).direct?.routes).toHaveLength(1)
    expect(apply(planner)).toBe(true)
    expect(wayOf(planner)).toBe('direct')
    expect(apply(planner)).toBe(false)
  })

  test.each([
    ['another link', onLink('eth1')],
    ['another address', onLink('eth0', '192.0.2.99')],
  ])('anew, by %s', (_, place) => {
    const planner = planned()
    planner.putPlace('node2', onLink('eth0'))
    apply(planner)
    planner.putPlace('node2', place)
    expect(wayOf(planner)).toBe('tunnel')
    apply(planner)
    expect(wayOf(planner)).toBe('direct')
  })

  test('over several links only when what comes back is let in by each', () => {
    const planner = planned({ way: 'bgp', otherwise: 'tunnel' })
    const others = [{ link: 'eth1', address: ip('198.51.100.12') }]
    planner.putPlace('node2', onLink('eth0'))
    apply(planner)
    expect(wayOf(planner)).toBe('bgp')
    const both = { ...onLink('eth0'), places: { 4: { link: 'eth0', address: ip('192.0.2.12'), others } } }
    planner.putPlace('node2', both)
    expect(wayOf(planner)).toBe('tunnel')
    apply(planner)
    expect(wayOf(planner)).toBe('bgp')
    const segments = hostPlan(planner.context, planner.publication()).direct?.segments
    expect(segments?.map(({ link, ranges }) => `${link} ${ranges}`)).toEqual([
      'eth0 10.129.0.0/23',
      'eth1 10.129.0.0/23',
    ])
  })

  test('no more, at once, when the kernel knows of none', () => {
    const planner = planned()
    planner.putPlace('node2', onLink('eth0'))
    apply(planner)
    planner.putPlace('node2', { reach: { 4: { why: 'gone' }, 6: { why: 'gone' } }, places: {} })
    expect(wayOf(planner)).toBe('tunnel')
    expect(apply(planner)).toBe(false)
  })

  test('that BGP found, once they are let out by its link', () => {
    const planner = planned({ way: 'bgp', otherwise: 'refuse' })
    planner.putPlace('node2', onLink('eth0', '192.0.2.1'))
    expect(wayOf(planner)).toBe('none')
    expect(hostPlan(planner.context, planner.publication()).direct?.routes).toEqual([])
    apply(planner)
    expect(wayOf(planner)).toBe('bgp')
  })

  test('by own routes only once they are there, where a BGP daemon led before', () => {
    const planner = planned({ way: 'bgp', otherwise: 'tunnel' })
    planner.putPlace('node2', onLink('eth0'))
    apply(planner)
    planner.setContext({
      ...planner.context,
      cluster: { ...SAMPLE_CLUSTER, fabric: { way: 'direct', otherwise: 'tunnel' } },
    })
    expect(wayOf(planner)).toBe('tunnel')
    apply(planner)
    expect(wayOf(planner)).toBe('direct')
  })
})

test('a range that is new has no way yet, while packets to the others of its node keep theirs', () => {
  const fresh = cidr('10.128.255.0/24')
  const planner = planned({ way: 'bgp', otherwise: 'refuse' })
  planner.putPlace('node2', onLink('eth0', '192.0.2.1'))
  apply(planner)
  planner.putPeer({ ...sampleNode(2), status: STATUS, ranges: [...sampleNode(2).ranges, fresh] })
  const ways = (): readonly string[] =>
    [...planner.known()]
      .filter(({ peer }) => peer.node === 'node2')
      .flatMap((known) =>
        known.peer.ranges
          .filter((range) => familyOf(range) === 4)
          .map((range) => wayToRange(planner.context.cluster, known.peer, range, known).is),
      )
  expect(ways()).toEqual(['bgp', 'none'])
  planner.putPlace('node2', { ...onLink('eth0', '192.0.2.1'), without: { [fresh]: 'nobody told of it' } })
  apply(planner)
  expect(ways()).toEqual(['bgp', 'none'])
  planner.putPlace('node2', onLink('eth0', '192.0.2.1'))
  apply(planner)
  expect(ways()).toEqual(['bgp', 'bgp'])
})

test('a node with several ranges has one way to the rest of its network, and an end for each of them', () => {
  const own = [...sampleNode(1).ranges, cidr('10.128.254.0/24')]
  const context = nodeContext(SAMPLE_CLUSTER, { ...sampleNode(1), ranges: own }, 1450)
  if (context === undefined) throw new Error('it has ranges')
  const { routes, blackholes, addresses } = hostPlan(context, { ports: [], peers: [] })
  const destinations = routes.map(({ to }) => to)
  expect(new Set(destinations).size).toBe(destinations.length)
  expect(destinations).toEqual(expect.arrayContaining([...own]))
  expect<readonly string[]>(blackholes).toEqual(own)
  expect(addresses).toHaveLength(own.length)
})
