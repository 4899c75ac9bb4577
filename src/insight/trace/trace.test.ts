import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PIPELINE_CASES } from '../../../test/tables/pipeline-cases.ts'
import { SAMPLE_PODS } from '../../../test/tables/sample-node.ts'
import { DROPS } from '../../network/pipeline/drops.ts'
import { lookFor } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { explain } from './explain.ts'
import { parseOfprotoTrace } from './ofproto-trace.ts'
import { printTrace } from './print.ts'
import { sentenceOf } from './sentence.ts'
import { type TraceRequest, trace } from './trace.ts'
import { walk } from './walk.ts'

const view = sampleView()
const REQUEST = { protocol: 'tcp', port: 80, size: 60 } as const

interface Case {
  readonly name: string
  readonly request: Pick<TraceRequest, 'from' | 'to'> & Partial<TraceRequest>
  readonly nodes: readonly string[]
  readonly says: string
  readonly remedy?: string
}

const ISOLATED = 'belong to different tenants (namespaces shop and bank), and neither is global (tenant-isolation).'
const OUTSIDE = ', as far as Weft sees: node1 routes it on, and what leaves the cluster gets the node’s address.'

const CASES: readonly Case[] = [
  {
    name: 'same node, same tenant',
    request: { from: 'shop/web', to: 'shop/api' },
    nodes: ['node1'],
    says: 'shop/web reaches shop/api by tcp port 80 over IPv4.',
  },
  {
    name: 'a short name',
    request: { from: 'web', to: 'cart', family: 6, protocol: 'udp', port: 53 },
    nodes: ['node1', 'node2'],
    says: 'shop/web reaches shop/cart by udp port 53 over IPv6.',
  },
  {
    name: 'another node, by address',
    request: { from: 'shop/web', to: '10.129.0.2', protocol: 'icmp' },
    nodes: ['node1', 'node2'],
    says: 'shop/web reaches shop/cart by ping over IPv4.',
  },
  {
    name: 'another tenant on another node is dropped where it lives',
    request: { from: 'shop/web', to: 'bank/safe' },
    nodes: ['node1', 'node2'],
    says: `shop/web does not reach bank/safe by tcp port 80 over IPv4: node2 drops it because shop/web and bank/safe ${ISOLATED}`,
    remedy: 'To let them talk: weft tenant join shop --to bank',
  },
  {
    name: 'another tenant here',
    request: { from: 'shop/web', to: SAMPLE_PODS.vault.addresses[1] ?? '' },
    nodes: ['node1'],
    says: `shop/web does not reach bank/vault by tcp port 80 over IPv6: node1 drops it because shop/web and bank/vault ${ISOLATED}`,
    remedy: 'To let them talk: weft tenant join shop --to bank',
  },
  {
    name: 'a global pod to another node’s tenant',
    request: { from: 'default/dns', to: 'bank/safe' },
    nodes: ['node1', 'node2'],
    says: 'default/dns reaches bank/safe by tcp port 80 over IPv4.',
  },
  {
    name: 'nobody has the address',
    request: { from: 'shop/web', to: '10.128.1.200' },
    nodes: ['node1'],
    says: 'shop/web does not reach 10.128.1.200 by tcp port 80 over IPv4: node1 drops it because no pod on node1 is at 10.128.1.200, though its range is there (no-such-endpoint).',
    remedy: 'The pod is gone, or its address is stale: weft audit',
  },
  {
    name: 'no node has the address',
    request: { from: 'shop/web', to: 'fd00:10:128:8::1' },
    nodes: ['node1'],
    says: 'shop/web does not reach fd00:10:128:8::1 by tcp port 80 over IPv6: node1 drops it because no node that node1 knows has a range for fd00:10:128:8::1 (no-such-node).',
    remedy: 'Check the nodes’ ranges: weft status --nodes',
  },
  {
    name: 'outside',
    request: { from: 'shop/web', to: '198.51.100.7' },
    nodes: ['node1'],
    says: `shop/web reaches 198.51.100.7 by tcp port 80 over IPv4${OUTSIDE}`,
  },
  {
    name: 'larger than the sender’s interface, to the outside',
    request: { from: 'shop/web', to: '198.51.100.7', size: 9000 },
    nodes: ['node1'],
    says: 'shop/web does not reach 198.51.100.7 by tcp port 80 over IPv4 in packets of 9000 bytes: the interface of shop/web carries 1450 at most. Senders cut their data to that size, unless told not to.',
    remedy: '--size 1450',
  },
  {
    name: 'larger than the sender’s interface, on the same node',
    request: { from: 'shop/web', to: 'shop/api', size: 1451 },
    nodes: ['node1'],
    says: 'shop/web does not reach shop/api by tcp port 80 over IPv4 in packets of 1451 bytes: the interface of shop/web carries 1450 at most. Senders cut their data to that size, unless told not to.',
    remedy: '--size 1450',
  },
  {
    name: 'its node',
    request: { from: 'shop/web', to: 'node1' },
    nodes: ['node1'],
    says: 'shop/web reaches node1 by tcp port 80 over IPv4.',
  },
  {
    name: 'another node',
    request: { from: 'shop/web', to: 'node2', family: 6 },
    nodes: ['node1', 'node2'],
    says: 'shop/web reaches node2 by tcp port 80 over IPv6.',
  },
  {
    name: 'node to its pod',
    request: { from: 'node1', to: 'bank/vault' },
    nodes: ['node1'],
    says: 'node1 reaches bank/vault by tcp port 80 over IPv4.',
  },
  {
    name: 'node to a pod elsewhere',
    request: { from: 'node2', to: 'bank/vault' },
    nodes: ['node2', 'node1'],
    says: 'node2 reaches bank/vault by tcp port 80 over IPv4.',
  },
  {
    name: 'too big for the tunnel',
    request: { from: 'shop/web', to: 'shop/cart', size: 1451 },
    nodes: ['node1'],
    says: 'shop/web does not reach shop/cart by tcp port 80 over IPv4: node1 drops it because it is larger than the overlay’s MTU on node1; shop/web was told to send smaller ones (too-big).',
    remedy: 'Nothing to do if it happens now and then; else check the pod’s interface MTU',
  },
  {
    name: 'just fits',
    request: { from: 'shop/web', to: 'shop/cart', size: 1450 },
    nodes: ['node1', 'node2'],
    says: 'shop/web reaches shop/cart by tcp port 80 over IPv4.',
  },
  {
    name: 'tunnel packets to a node',
    request: { from: 'shop/web', to: '192.0.2.12', protocol: 'udp', port: 4789 },
    nodes: ['node1'],
    says: 'shop/web does not reach 192.0.2.12 by udp port 4789 over IPv4: node1 drops it because shop/web made a tunnel packet for 192.0.2.12: with it, it could enter any tenant (tunnel-port).',
    remedy: 'Pods cannot speak the overlay’s own encapsulation to nodes',
  },
]

describe('who reaches whom', () => {
  for (const { name, request, nodes, says, remedy } of CASES) {
    test(name, () => {
      const result = trace(view, { ...REQUEST, ...request })
      expect(sentenceOf(result)).toEqual({ says, remedy })
      expect(result.there.hops.map(({ facts }) => facts.status.node)).toEqual([...nodes])
      expect(result.reachable).toBe(!says.includes('does not'))
    })
  }
})

test('a node whose agent is silent ends the trace with a reason', () => {
  const alone: ClusterView = { ...view, nodes: view.nodes.slice(0, 1) }
  const result = trace(alone, { ...REQUEST, from: 'shop/web', to: '10.129.0.2' })
  expect(sentenceOf(result).says).toContain('node2, whose agent does not answer')
  expect(result.reachable).toBe(false)
})

describe('names that cannot be resolved', () => {
  const request = (from: string, to: string, more: Partial<TraceRequest> = {}) => ({ ...REQUEST, from, to, ...more })
  const wrong: readonly (readonly [string, TraceRequest, string])[] = [
    ['nobody', request('shop/nobody', 'shop/web'), 'INSIGHT_NAME_UNKNOWN'],
    ['an outsider cannot send', request('198.51.100.7', 'shop/web'), 'INSIGHT_NAME_UNKNOWN'],
    ['not on that node', request('shop/web', 'shop/api', { fromNode: 'node2' }), 'INSIGHT_NAME_UNKNOWN'],
    ['families differ', request('shop/web', '10.129.0.2', { family: 6 }), 'INSIGHT_USAGE'],
  ]
  for (const [name, one, code] of wrong) {
    test(name, () => {
      expect(() => trace(view, one)).toThrow(expect.objectContaining({ code }))
    })
  }
  test('two pods of one name', () => {
    const [first, second] = view.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes')
    const twice = { ...view, nodes: [first, { ...second, leases: first.leases }] }
    expect(() => trace(twice, request('web', 'shop/api'))).toThrow(
      expect.objectContaining({ code: 'INSIGHT_NAME_AMBIGUOUS' }),
    )
  })
})

test('every case of the pipeline’s table is explained: each step has words, each drop its sentence', () => {
  const [node] = view.nodes
  if (node === undefined) throw new Error('a node')
  for (const { packet, expect: expected } of PIPELINE_CASES) {
    const { hops, verdict } = walk(view, node, packet, 60)
    const steps = hops.flatMap(explain)
    for (const { stage, question, decided, object } of steps) {
      expect([stage, question, object, ...decided]).not.toContain(undefined)
      expect(decided.length).toBeGreaterThan(0)
    }
    if (!('drop' in expected)) continue
    expect(verdict).toEqual({ kind: 'drop', node: 'node1', drop: expected.drop })
    expect(steps.at(-1)?.decided.at(-1)).toBe(`dropped: ${DROPS[expected.drop].because}`)
  }
})

test('the uplink’s MTU counts for what leaves the cluster', () => {
  const nodes = view.nodes.map((facts) => ({ ...facts, status: { ...facts.status, uplinkMtu: 1400 } }))
  const narrow = { ...view, nodes }
  const out = trace(narrow, { ...REQUEST, from: 'shop/web', to: '198.51.100.7', size: 1401 })
  expect(sentenceOf(out).says).toContain('the uplink of node1 carries 1400 at most')
  expect(out.reachable).toBe(false)
  expect(trace(narrow, { ...REQUEST, from: 'shop/web', to: '198.51.100.7', size: 1400 }).reachable).toBe(true)
  expect(trace(narrow, { ...REQUEST, from: 'shop/web', to: 'shop/api', size: 1450 }).reachable).toBe(true)
})

test('nothing printed is wider than a page', () => {
  for (const { request } of CASES) {
    for (const columns of [100, 80]) {
      const look = lookFor({ columns }, false)
      const lines = printTrace(trace(view, { ...REQUEST, ...request }), { there: [], back: [] }, look)
      expect(lines.filter((line) => line.length > columns)).toEqual([])
    }
  }
})

test('no text is too strange for the trace reader', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (text, larger) => void parseOfprotoTrace(`bridge("b")\n${text}`, larger)),
  )
})
