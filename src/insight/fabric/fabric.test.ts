import { describe, expect, test } from 'bun:test'
import type { BgpFacts, BgpSessionFact, TunnelFact } from '../../agent/control/facts.ts'
import { ip } from '../../network/model/address.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import { lookFor } from '../../text/look.ts'
import { widthOf } from '../../text/width.ts'
import { type SampleFabric, sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { fabricView, isWhole } from './fabric.ts'
import { printFabric } from './print.ts'

const NOW = 1_700_090_000
const UP: BgpSessionFact = {
  name: 'node4_192_0_2_2',
  kind: 'node',
  family: 4,
  node: 'node2',
  address: ip('192.0.2.2'),
  asNumber: 64_512,
  localAs: 64_512,
  state: 'Established',
  isUp: true,
  since: NOW - 3600,
  routes: { imported: 1, exported: 1 },
}
const DOWN: BgpSessionFact = {
  name: 'peer4_192_0_2_254',
  kind: 'external',
  family: 4,
  peer: 'rack',
  address: ip('192.0.2.254'),
  asNumber: 65_001,
  localAs: 64_512,
  state: 'Active',
  isUp: false,
  since: NOW - 300,
  error: 'Socket: Connection \u001b[31mrefused',
}

function withBgp(bgp: BgpFacts): ClusterView {
  const view = sampleView()
  const [first, ...rest] = view.nodes
  if (first === undefined) throw new Error('the sample has a node')
  return { ...view, nodes: [{ ...first, status: { ...first.status, bgp } }, ...rest] }
}

test('sessions are told with both ends, since when, and why they ended', () => {
  const page = printFabric(fabricView(withBgp({ isRunning: true, sessions: [UP, DOWN] })), NOW, lookFor({}, false))
  expect(page.some((line) => /^node1 +node2, 192\.0\.2\.2 +64512 +Established +1 +1 +1 hour$/.test(line))).toBe(true)
  expect(page.some((line) => /^node1 +192\.0\.2\.254 +65001 +Active +- +- +5 minutes$/.test(line))).toBe(true)
  expect(page.join(' ')).toContain('! node1: BGP with 192.0.2.254: Socket: Connection')
  expect(page.join('')).not.toContain('\u001b[31m')
})

test.each<[string, BgpFacts, boolean]>([
  ['all sessions are up', { isRunning: true, sessions: [UP] }, true],
  ['one is down', { isRunning: true, sessions: [UP, DOWN] }, false],
  ['BIRD does not run', { isRunning: false, sessions: [] }, false],
  ['something is asked for that cannot be', { isRunning: true, problem: 'no', sessions: [] }, false],
])('%s: whether the fabric is as it should be', (_, bgp, expected) => {
  const whole = fabricView({ ...withBgp(bgp), silent: [] })
  expect(isWhole({ ...whole, ways: [] })).toBe(expected)
})

test('what is wrong with a BIRD is told', () => {
  const said = (bgp: BgpFacts): string => printFabric(fabricView(withBgp(bgp)), NOW, lookFor({}, false)).join('\n')
  expect(said({ isRunning: false, sessions: [] })).toContain('! node1: BIRD does not run')
  expect(said({ isRunning: false, problem: 'BIRD cannot be started', sessions: [] })).toContain(
    'BIRD cannot be started',
  )
})

test('of a way over several hops all are told', () => {
  const view = sampleView()
  const [first, ...rest] = view.nodes
  const [peer, ...others] = first?.status.peers ?? []
  if (first === undefined || peer === undefined) throw new Error('the sample has two nodes')
  const hop = { via: ip('192.0.2.3'), link: 'eth1' }
  const way = { family: 4, way: 'direct', via: ip('192.0.2.2'), link: 'eth0', others: [hop], since: NOW } as const
  const peers = [{ ...peer, ways: [way] }, ...others]
  const known = { ...view, nodes: [{ ...first, status: { ...first.status, peers } }, ...rest] }
  const page = printFabric(fabricView(known), NOW, lookFor({}, false))
  expect(page.join(' ')).toContain('192.0.2.2 on eth0, 192.0.2.3 on eth1')
})

const CARRIES: TunnelFact = {
  state: 'up',
  since: NOW - 3600,
  roundTripMs: 0.84,
  full: { bytes: 1450, passes: true, since: NOW - 3600 },
}

function withTunnel(tunnel: TunnelFact): ClusterView {
  const view = sampleView()
  const [first, ...rest] = view.nodes
  if (first === undefined) throw new Error('the sample has a node')
  const [peer, ...others] = first.status.peers
  if (peer === undefined) throw new Error('the sample’s node has a peer')
  const ways = [{ family: 4, way: 'tunnel', since: NOW - 60 }] as const
  return {
    ...view,
    silent: [],
    nodes: [{ ...first, status: { ...first.status, peers: [{ ...peer, ways, tunnel }, ...others] } }, ...rest],
  }
}

test.each<[string, TunnelFact, string, boolean]>([
  ['that carries', CARRIES, 'up, 0.8 ms', true],
  [
    'that large packets do not pass',
    { ...CARRIES, full: { bytes: 1450, passes: false, since: NOW }, problem: 'MTU' },
    'up, no 1450, 0.8 ms',
    false,
  ],
  ['that is down', { state: 'down', since: NOW - 90, problem: 'no answer \u001b[31m' }, 'down 1 minute', false],
  ['that never answered', { state: 'never', since: NOW - 5, problem: 'no answer' }, 'silent 5 seconds', false],
  ['of whom nobody has to answer yet', { state: 'never', since: NOW - 5 }, 'silent 5 seconds', true],
  ['that was just asked', { state: 'asked', since: NOW }, 'asked', true],
])('a tunnel %s', (_, tunnel, cell, expected) => {
  const view = fabricView(withTunnel(tunnel))
  const page = printFabric(view, NOW, lookFor({}, false))
  expect(page.some((line) => line.startsWith('node1') && line.endsWith(`  ${cell}`))).toBe(true)
  expect(page.some((line) => line.startsWith('! node1: '))).toBe(tunnel.problem !== undefined)
  expect(page.join('')).not.toContain('\u001b[31m')
  expect(isWhole(view)).toBe(expected)
})

describe('a fabric in a page', () => {
  const WHY = 'node2 (192.0.2.12) is on another segment, behind 192.0.2.1'
  const page = (columns: number, fabric: SampleFabric): readonly string[] => {
    const view = sampleView([], {}, fabric)
    const nodes = view.nodes.map((facts) => {
      const peers = facts.status.peers.map((peer) => ({
        ...peer,
        ways: (peer.ways ?? []).map((way) => ({ ...way, before: 'tunnel' as const })),
      }))
      return { ...facts, status: { ...facts.status, peers } }
    })
    return printFabric(fabricView({ ...view, nodes, registry: undefined }), NOW, lookFor({ columns }, false))
  }
  const BGP: Fabric = { way: 'bgp', otherwise: 'tunnel' }

  test('a way by BGP is called so, in the table and in the sum', () => {
    const lines = page(100, { wanted: BGP })
    expect(lines.some((line) => /^node1 +node2 +IPv4 +bgp +192\.0\.2\.12 on eth0 /.test(line))).toBe(true)
    expect(lines.at(-1)).toContain('4 by BGP')
    expect(fabricView(sampleView([], {}, { wanted: BGP })).ways).toContainEqual(
      expect.objectContaining({ node: 'node1', peer: 'node2', way: 'bgp' }),
    )
  })

  test('addresses are whole on 80 columns, and what a way was before has a column', () => {
    const lines = page(80, { wanted: BGP })
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([])
    expect(lines.filter((line) => line.includes(' 2001:db8::12 '))).toHaveLength(1)
    expect(lines.find((line) => line.startsWith('NODE'))).toMatch(/ SINCE {2}BEFORE {2}/)
    expect(lines.find((line) => /^node1 +node2 +IPv4/.test(line))).toMatch(/ 1 day {2}tunnel {2}/)
  })

  test('the further lines of what is to be looked at stand below its text', () => {
    const lines = page(60, { wanted: BGP, without: { node1: WHY } })
    const at = lines.findIndex((line) => line.startsWith('! node1: '))
    expect(lines[at + 1]).toMatch(/^ {2}\S/)
  })
})
