import { describe, expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import { PLAIN } from '../../text/look.ts'
import { type SampleFabric, sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { type Explanation, explainRequest } from './explain.ts'
import { printExplanation } from './print.ts'

const DIRECT: Fabric = { way: 'direct', otherwise: 'tunnel' }
const STRICT: Fabric = { way: 'direct', otherwise: 'refuse' }
const WHY = 'node2 (192.0.2.12) is on another segment, behind 192.0.2.1'

const ask = (view: ClusterView, to = 'shop/cart', from = 'shop/web'): Explanation =>
  explainRequest(view, { from, to, protocol: 'tcp', family: 4 })
const routed = (fabric: SampleFabric): ClusterView => sampleView([], {}, fabric)
const said = ({ ways: [way] }: Explanation, name: string) => {
  const step = way?.steps.find((one) => one.name === name)
  return [step?.outcome, step?.says]
}

describe('the step names the way that the two nodes have, not the tunnel', () => {
  test.each<[string, SampleFabric, string, string]>([
    [
      'a direct route',
      { wanted: DIRECT },
      'node1 → node2, by the direct route over 192.0.2.12 on eth0',
      'and the direct route carries up to 1500',
    ],
    [
      'a route by BGP',
      { wanted: { ...DIRECT, way: 'bgp' } },
      'node1 → node2, by the route that BGP told over 192.0.2.12 on eth0',
      'and the route that BGP told carries up to 1500',
    ],
    [
      'the tunnel for want of one',
      { wanted: DIRECT, without: { node1: WHY, node2: 'node1 does not answer' } },
      `node1 (192.0.2.11) → node2 (192.0.2.12), through the vxlan tunnel, as ${WHY}`,
      'and the tunnel carries them',
    ],
  ])('%s', (_, fabric, route, mtu) => {
    const explanation = ask(routed(fabric))
    expect(explanation.reachable).toBe(true)
    expect(said(explanation, 'route')).toEqual(['passes', route])
    expect(said(explanation, 'MTU')).toEqual(['passes', `shop/web sends IPv4 packets of up to 1450 bytes, ${mtu}`])
    expect(explanation.ways[0]?.flows.agrees).toBe(true)
  })

  test('to a node’s own address packets take the tunnel in every fabric', () => {
    expect(said(ask(routed({ wanted: STRICT }), 'node2'), 'route')).toEqual([
      'passes',
      'node1 (192.0.2.11) → node2 (192.0.2.12), through the vxlan tunnel',
    ])
  })

  test('nobody knows it where the sender’s agent does not answer', () => {
    const view = routed({ wanted: DIRECT })
    const explanation = ask({ ...view, nodes: view.nodes.slice(1) })
    expect(said(explanation, 'route')).toEqual([
      'unknown',
      'node1 → node2: by which way is not known, the agent of node1 does not answer',
    ])
  })

  test('of a machine’s ranges each may have its own', () => {
    const view = routed({ wanted: DIRECT })
    const range = cidr('10.129.0.0/23')
    const ranges = [
      { range: cidr('10.131.0.0/24'), way: 'direct' },
      { range, way: 'tunnel', why: 'nobody told of it' },
    ] as const
    const nodes = view.nodes.map((facts) => {
      const peers = facts.status.peers.map((peer) => ({
        ...peer,
        ways: (peer.ways ?? []).map((way) => (way.family === 4 ? { ...way, ranges } : way)),
      }))
      return { ...facts, status: { ...facts.status, peers } }
    })
    expect(said(ask({ ...view, nodes }), 'route')[1]).toEndWith('through the vxlan tunnel, as nobody told of it')
  })
})

describe('a connection between nodes without a way is not said to be possible', () => {
  const REMEDY = 'let such packets take the tunnel: weft.fabric.otherwise in ClusterNetwork'

  test('there', () => {
    const explanation = ask(routed({ wanted: STRICT, without: { node1: WHY } }))
    expect(explanation.reachable).toBe(false)
    expect(said(explanation, 'route')).toEqual([
      'stops',
      `node1 → node2: there is no way, as ${WHY}, and the cluster’s fabric refuses the tunnel`,
    ])
    expect(said(explanation, 'MTU')).toEqual(['moot', 'nothing goes to node2'])
    expect(explanation.ways[0]?.flows.agrees).toBe(true)
    const page = printExplanation(explanation, PLAIN).join(' ')
    expect(page).toStartWith('✗ shop/web cannot open tcp port 80 of shop/cart: node1 → node2: there is no way')
    expect(page.replace(/\s+/g, ' ')).toContain(REMEDY)
  })

  test('back', () => {
    const explanation = ask(routed({ wanted: STRICT, without: { node2: 'node1 does not answer on eth0' } }))
    expect(explanation.reachable).toBe(false)
    expect(said(explanation, 'route')[0]).toBe('passes')
    expect(said(explanation, 'answer')).toEqual([
      'stops',
      'answers, node2 → node1: there is no way, as node1 does not answer on eth0, and the cluster’s fabric refuses the tunnel',
    ])
  })

  test('answers that come another way are said to', () => {
    const explanation = ask(routed({ wanted: DIRECT, without: { node2: 'node1 does not answer on eth0' } }))
    expect(explanation.reachable).toBe(true)
    expect(said(explanation, 'answer')[1]).toEndWith(
      '; they come through the vxlan tunnel, as node1 does not answer on eth0',
    )
  })
})
