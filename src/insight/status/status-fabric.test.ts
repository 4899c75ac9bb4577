import { describe, expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { PLAIN } from '../../text/look.ts'
import { type SampleFabric, sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { printStatus } from './print.ts'
import { clusterStatus } from './status.ts'

const WHY = 'node2 (192.0.2.12) is on another segment, behind 192.0.2.1'
const page = (view: ClusterView, details = false): readonly string[] =>
  printStatus(clusterStatus(view), details, 1_700_090_000, PLAIN)

describe('the first line says what carries packets of pods', () => {
  const direct = { way: 'direct', otherwise: 'tunnel' } as const
  test.each<[string, SampleFabric | undefined, string, Readonly<Record<string, number>>]>([
    ['tunnels', undefined, 'vxlan over IPv4, multitenant', { tunnel: 4 }],
    ['direct routes', { wanted: direct }, 'direct routes, multitenant', { direct: 4 }],
    ['BGP', { wanted: { ...direct, way: 'bgp' } }, 'BGP routes, multitenant', { bgp: 4 }],
    [
      'pairs that differ',
      { wanted: direct, without: { node1: WHY } },
      'direct routes for 2 of 4 ways, vxlan over IPv4 for 2, multitenant',
      { direct: 2, tunnel: 2 },
    ],
    [
      'no route at all',
      { wanted: direct, without: { node1: WHY, node2: WHY } },
      'vxlan over IPv4 for want of direct routes, multitenant',
      { tunnel: 4 },
    ],
  ])('%s', (_, fabric, words, ways) => {
    const view = sampleView([], {}, fabric)
    expect(page(view)[0]).toStartWith(words)
    expect(clusterStatus(view).fabric?.ways).toEqual(ways)
    expect(clusterStatus(view).ready).toBe(true)
  })

  test('a way that is refused is a problem, told in one line', () => {
    const wanted = { way: 'direct', otherwise: 'refuse' } as const
    const view = sampleView([], {}, { wanted, without: { node1: WHY } })
    const lines = page(view)
    expect(lines[0]).toStartWith('direct routes for 2 of 4 ways, none for 2, multitenant')
    expect(lines.join(' ').replace(/ +/g, ' ')).toContain(
      `! 2 of 4 ways between nodes are refused, such as that of node1 to node2 over IPv4: ${WHY} → weft fabric show`,
    )
    expect(clusterStatus(view).ready).toBe(false)
  })
})

describe('a range that is about to be taken back is seen', () => {
  const fresh = cidr('10.128.255.0/26')

  test('of a node whose agent answers', () => {
    const view = sampleView()
    const nodes = view.nodes.map((facts, i) => {
      const [first] = facts.status.ranges
      if (first === undefined || i > 0) return facts
      const ranges = [...facts.status.ranges, { ...first, range: fresh, closing: true as const }]
      return { ...facts, status: { ...facts.status, ranges } }
    })
    expect(page({ ...view, nodes }).some((line) => line.includes(`  ${fresh} closing  `))).toBe(true)
    expect(
      page({ ...view, nodes }, true)
        .join(' ')
        .replace(/\s+/g, ' '),
    ).toContain('in use: 4 of 509 (0%), closing: no more pods, taken back when it is empty')
  })

  test('of a node that only the registry tells of', () => {
    const view = sampleView()
    const networks = (view.registry?.networks ?? []).map((network) =>
      network.node === 'node2'
        ? { ...network, ranges: [...network.ranges, fresh], closing: [{ range: fresh, since: 3 }] }
        : network,
    )
    const registry = view.registry === undefined ? undefined : { ...view.registry, networks }
    const lines = page({ ...view, registry, nodes: view.nodes.slice(0, 1) })
    expect(lines.some((line) => line.includes(`  ${fresh} closing`))).toBe(true)
  })
})
