import { describe, expect, test } from 'bun:test'
import { lookFor } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { explanationAsJson } from './as-json.ts'
import { explainRequest } from './explain.ts'
import { printExplanation } from './print.ts'
import { answerOf } from './sentence.ts'
import { ALLOW_WEB, allow, DENY_IN, EXPLAIN_CASES, type ExplainCase, inShop } from './testing/explain-cases.ts'

const ask = (view: ClusterView, request: ExplainCase['request']) =>
  explainRequest(view, { protocol: 'tcp', family: 4, ...request })

describe('one sentence names what decides, and the flows agree', () => {
  for (const { name, policies, names, request, says, remedy } of EXPLAIN_CASES) {
    test(name, () => {
      const explanation = ask(sampleView(policies, names), request)
      expect(answerOf(explanation)).toEqual({ says, remedy })
      expect(explanation.reachable).toBe(!/ cannot | only when /.test(says))
      expect(explanation.ways.map(({ flows }) => flows)).toEqual(
        explanation.ways.map(({ flows }) => ({ agrees: true, says: flows.says })),
      )
    })
  }
})

describe('flows that do otherwise', () => {
  test('they do not allow yet what the objects allow', () => {
    const { registry, ...rest } = sampleView([DENY_IN])
    const explanation = ask(
      { ...rest, registry: registry && { ...registry, policies: [] } },
      { from: 'shop/web', to: 'shop/cart' },
    )
    expect(explanation.reachable).toBe(true)
    expect(explanation.ways[0]?.flows.agrees).toBe(false)
    expect(explanation.ways[0]?.flows.says).toBe(
      'the objects allow it, the flows of node1 and node2 do not (yet): node2 drops it because no rule lets shop/cart take tcp port 80 from shop/web, and the isolation of pods by NetworkPolicy shop/deny-all (ingress) ends what no rule allows (ingress-isolated)',
    )
  })
  test('they still allow what the objects refuse', () => {
    const { nodes } = sampleView()
    const explanation = ask({ ...sampleView([DENY_IN]), nodes }, { from: 'shop/web', to: 'shop/cart' })
    expect(explanation.ways[0]?.flows).toMatchObject({
      agrees: false,
      says: 'the objects refuse it, the flows of node1 and node2 let it through (still)',
    })
  })
  test('the agent of the other node is not asked where it does not answer', () => {
    const view = sampleView([DENY_IN, ALLOW_WEB])
    const alone = { ...view, nodes: view.nodes.slice(0, 1) }
    const explanation = ask(alone, { from: 'shop/web', to: 'shop/cart' })
    expect(explanation.reachable).toBe(true)
    expect(explanation.ways[0]?.flows).toEqual({
      agrees: undefined,
      says: 'the flows of node1 send it on; those of node2 could not be asked: its agent does not answer',
    })
    const sender = ask(alone, { from: 'shop/cart', to: 'shop/web' })
    expect(sender.ways[0]?.flows.says).toBe('the agent of node2 does not answer: its flows could not be asked')
  })
})

describe('questions that make no sense', () => {
  const view = sampleView()
  test.each([
    [{ from: 'shop/nobody', to: 'shop/web' }, 'INSIGHT_NAME_UNKNOWN'],
    [{ from: 'shop/web', to: 'shop/nobody' }, 'INSIGHT_NAME_UNKNOWN'],
    [{ from: '198.51.100.7', to: 'shop/web' }, 'INSIGHT_NAME_UNKNOWN'],
    [{ from: 'shop/web', to: 'shop/api', port: 'nope' }, 'INSIGHT_NAME_UNKNOWN'],
    [{ from: 'shop/web', to: 'service/shop/web', port: 'nope' }, 'INSIGHT_NAME_UNKNOWN'],
    [{ from: 'shop/web', to: 'service/shop/empty', family: 6 }, 'INSIGHT_NO_ADDRESS'],
    [{ from: 'shop/web', to: 'node/node2', port: 30080 }, 'INSIGHT_USAGE'],
    [{ from: 'shop/web', to: '192.0.2.12', port: 30514, protocol: 'udp' }, 'INSIGHT_USAGE'],
  ] as const)('%p', (request, code) => {
    expect(() => ask(view, request)).toThrow(expect.objectContaining({ code }))
  })
  test('a registry that does not answer', () => {
    const silent = { ...view, registry: undefined, registryProblem: 'nothing answers' }
    expect(() => ask(silent, { from: 'shop/web', to: 'shop/api' })).toThrow(
      expect.objectContaining({ code: 'INSIGHT_REGISTRY_UNREACHABLE', message: 'nothing answers' }),
    )
  })
  test('services that kube-proxy translates', () => {
    const nodes = view.nodes.map((facts) => ({
      ...facts,
      cluster: { ...facts.cluster, services: 'kube-proxy' as const },
    }))
    expect(() => ask({ ...view, nodes }, { from: 'shop/web', to: 'service/shop/web' })).toThrow(
      expect.objectContaining({ code: 'INSIGHT_USAGE' }),
    )
  })
})

test('SCTP where the kernel forwards: answers belong to their connection', () => {
  const sctp = { type: 'numbers', protocol: 'SCTP', from: 80, to: 80 } as const
  const view = sampleView([inShop('sctp', { ingress: [allow({ ports: [sctp] })] })])
  const nodes = view.nodes.map((facts) => ({ ...facts, status: { ...facts.status, datapath: 'system' as const } }))
  const explanation = ask({ ...view, nodes }, { from: 'shop/web', to: 'shop/cart', protocol: 'sctp' })
  expect(explanation.reachable).toBe(true)
  expect(explanation.ways[0]?.flows.agrees).toBe(true)
})

test('what is printed has every step, fits a page, and says which one stops it', () => {
  for (const { policies, names, request } of EXPLAIN_CASES) {
    const explanation = ask(sampleView(policies, names), request)
    for (const columns of [100, 80]) {
      const lines = printExplanation(explanation, lookFor({ columns }, false))
      expect(lines.filter((line) => line.length > columns)).toEqual([])
      expect(lines[0]).toStartWith(explanation.reachable ? '✓ ' : '✗ ')
      const chain = lines.slice(lines.indexOf('') + 1)
      expect(chain.some((line) => /^✗ (spoof guard|tenant|service|route|egress|ingress|answer)/.test(line))).toBe(
        !explanation.reachable,
      )
      for (const step of ['spoof guard', 'service', 'answer', 'flows'])
        expect(chain.some((line) => line.slice(2).startsWith(step))).toBe(true)
    }
  }
})

test('the JSON form', () => {
  const explanation = ask(sampleView([DENY_IN, ALLOW_WEB]), { from: 'shop/web', to: 'shop/api', port: 8080 })
  expect(JSON.parse(JSON.stringify(explanationAsJson(explanation)))).toMatchObject({
    reachable: false,
    flowsAgree: true,
    from: { kind: 'pod', name: 'shop/web', address: '10.128.0.2', node: 'node1' },
    service: null,
    protocol: 'tcp',
    port: 8080,
    family: 4,
    ways: [
      {
        to: { kind: 'pod', name: 'shop/api', address: '10.128.0.3', node: 'node1', port: 8080 },
        reachable: false,
        decidedBy: 'ingress policies',
        steps: [
          { step: 'spoof guard', outcome: 'passes' },
          { step: 'tenant', outcome: 'passes' },
          { step: 'service', outcome: 'passes' },
          { step: 'route', outcome: 'passes' },
          { step: 'egress policies', outcome: 'passes', policy: null, field: null },
          {
            step: 'ingress policies',
            outcome: 'stops',
            policy: { kind: 'NetworkPolicy', namespace: 'shop', name: 'deny-all' },
            field: 'spec.ingress[0].ports[0]',
          },
          { step: 'egress firewall', outcome: 'passes' },
          { step: 'MTU', outcome: 'passes' },
          { step: 'answer', outcome: 'moot' },
        ],
        flows: { agrees: true },
      },
    ],
  })
})
