import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../model/address.ts'
import type { Labels } from '../../model/policy.ts'
import { fullMesh } from './cluster.ts'
import type { BgpCluster, BgpPeer } from './model.ts'
import { reflectorPlan } from './reflectors.ts'
import { sessionsOf } from './sessions.ts'

function meshOf(count: number): BgpCluster {
  const machines = Array.from({ length: count }, (_, i) => ({
    node: `n${String(i + 1).padStart(4, '0')}`,
    machine: { kind: 'node', uid: `u${i}` } as const,
    addresses: [ip(`10.1.${i >> 8}.${i & 255}`), ip(`fd00::${(i + 1).toString(16)}`)],
    ranges: [],
  }))
  return fullMesh({ networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }] }, machines)
}

const NO_LABELS: ReadonlyMap<string, Labels> = new Map()

describe('a plan', () => {
  test.each([
    [1, undefined],
    [100, undefined],
    [101, 3],
    [1500, 3],
    [2000, 4],
  ])('of %i nodes has %p reflectors', (count, expected) => {
    const plan = reflectorPlan({ cluster: meshOf(count), labels: NO_LABELS, above: 100 })
    expect(plan.proposal?.reflectors.length).toBe(expected as number)
    expect(plan.now).toEqual({ all: count * (count - 1), most: 2 * (count - 1) })
  })

  test('has one of each zone, the most stable first, and the same for whatever order', () => {
    const cluster = meshOf(120)
    const labels = new Map(
      cluster.nodes.map(({ name }, i): [string, Labels] => [
        name,
        {
          'topology.kubernetes.io/zone': `z${i % 3}`,
          ...(name === 'n0050' ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
        },
      ]),
    )
    const plan = reflectorPlan({ cluster, labels, above: 100 })
    expect(plan.proposal?.reflectors).toEqual([
      { node: 'n0050', clusterId: '10.1.0.49', zone: 'z1' },
      { node: 'n0001', clusterId: '10.1.0.0', zone: 'z0' },
      { node: 'n0003', clusterId: '10.1.0.2', zone: 'z2' },
    ])
    expect(reflectorPlan({ cluster: { ...cluster, nodes: cluster.nodes.toReversed() }, labels, above: 100 })).toEqual(
      plan,
    )
  })

  test('keeps what reflects already, and asks for nothing where two do or there is no mesh', () => {
    const cluster = meshOf(120)
    const reflecting = (count: number): BgpCluster => ({
      ...cluster,
      nodes: cluster.nodes.map((node, i) => (i >= 120 - count ? { ...node, clusterId: ip(`244.0.9.${i}`) } : node)),
    })
    const one = reflectorPlan({ cluster: reflecting(1), labels: NO_LABELS, above: 100 })
    expect(one.proposal?.reflectors[0]).toEqual({ node: 'n0120', clusterId: '244.0.9.119' })
    expect(reflectorPlan({ cluster: reflecting(2), labels: NO_LABELS, above: 100 }).proposal).toBeUndefined()
    const { mesh: _, ...alone } = cluster
    expect(reflectorPlan({ cluster: alone, labels: NO_LABELS, above: 100 }).proposal).toBeUndefined()
  })

  test('counts the sessions that there will be', () => {
    const cluster = meshOf(12)
    const { proposal } = reflectorPlan({ cluster, labels: NO_LABELS, above: 10 })
    const chosen = new Map(proposal?.reflectors.map(({ node, clusterId }) => [node, clusterId]))
    const peer: BgpPeer = {
      name: 'reflectors',
      on: { kind: 'all' },
      to: { kind: 'nodes', nodes: [...chosen.keys()], isMutual: true },
      nextHop: 'auto',
      bfd: false,
      source: 'node',
      filters: [],
    }
    const { mesh: _, ...rest } = cluster
    const after: BgpCluster = {
      ...rest,
      peers: [peer],
      nodes: cluster.nodes.map((node) => {
        const id = chosen.get(node.name)
        return id === undefined ? node : { ...node, clusterId: ip(id) }
      }),
    }
    const each = after.nodes.map(({ name }) => sessionsOf(after, name).sessions.length)
    expect(proposal?.after).toEqual({ all: each.reduce((a, b) => a + b, 0) / 2, most: Math.max(...each) })
    expect(reflectorPlan({ cluster: after, labels: NO_LABELS, above: 10 }).now).toEqual(proposal?.after as never)
  })
})
