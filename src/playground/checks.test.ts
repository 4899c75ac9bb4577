import { expect, test } from 'bun:test'
import { type Family, ip } from '../network/model/address.ts'
import { PLAIN } from '../text/look.ts'
import { type Check, judge, type ProbeResult, planChecks } from './checks.ts'
import { describe, summarize } from './report.ts'
import { SAMPLE } from './testing/sample.ts'

const checks = planChecks(SAMPLE)
const find = (kind: Check['kind'], from: string, to: string): Check => {
  const found = checks.find((check) => check.kind === kind && check.from === from && check.to === to)
  if (found === undefined) throw new Error(`no check ${kind} ${from} ${to}`)
  return found
}
const tcp = (family: Family, server: string, client: string): ProbeResult => ({
  family,
  protocol: 'tcp',
  reached: true,
  server,
  client,
})
const nothing = (family: Family, protocol: 'ping' | 'tcp'): ProbeResult => ({ family, protocol, reached: false })

test('every ordered pair of pods, and four rows per pod', () => {
  expect(checks.filter(({ kind }) => kind === 'pod-pod')).toHaveLength(4 * 3)
  expect(checks.filter(({ kind }) => kind !== 'pod-pod')).toHaveLength(4 * 4)
})

test('pods on another network than the overlay are not measured, and named', () => {
  const wired = { namespace: 'shop', name: 'fixed', uid: 'f', node: 'node1', addresses: [ip('172.18.30.131')] }
  const around = { ...SAMPLE, pods: [...SAMPLE.pods, wired] }
  expect(planChecks(around)).toEqual(checks)
  expect(summarize(around, [])).toMatchObject({ pods: 5, unmeasured: ['shop/fixed'] })
  expect(describe(around, [], PLAIN)).toContain('not on the overlay: shop/fixed.')
  expect(describe(SAMPLE, [], PLAIN)).not.toContain('Not measured')
})

test('on a single node there is no other node', () => {
  const [node] = SAMPLE.nodes
  if (node === undefined) throw new Error('no node')
  const pods = SAMPLE.pods.filter((pod) => pod.node === node.node)
  const kinds = planChecks({ ...SAMPLE, nodes: [node], pods }).map(({ kind }) => kind)
  expect(kinds).not.toContain('remote-pod')
  expect(kinds).toContain('node-pod')
})

test.each([
  ['pod-pod', 'shop/web', 'shop/db', true, '10.128.0.3'],
  ['pod-pod', 'shop/web', 'bank/vault', false, '10.128.0.3'],
  ['pod-pod', 'bank/vault', 'default/monitor', true, '10.128.0.2'],
  ['node-pod', 'node1', 'shop/web', true, '10.128.0.1'],
  ['remote-pod', 'node2', 'shop/web', true, '10.129.0.1'],
  ['pod-node', 'shop/web', 'node1', true, '10.128.0.3'],
  ['pod-outside', 'shop/web', 'outside', true, '198.18.77.11'],
] as const)('%s %s → %s: %p, seen as %s', (kind, from, to, expected, seenAs) => {
  const check = find(kind, from, to)
  expect(check.expected).toBe(expected)
  expect<string | undefined>(check.seenAs[0]).toBe(seenAs)
})

const allowed = find('pod-pod', 'shop/web', 'shop/db')
const forbidden = find('pod-pod', 'shop/web', 'bank/vault')
const outside = find('pod-outside', 'shop/web', 'outside')

test.each([
  ['as it should be', allowed, tcp(4, 'shop/db', '10.128.0.3'), undefined],
  ['no answer', allowed, nothing(4, 'ping'), 'no answer'],
  ['somebody else answers', allowed, tcp(4, 'bank/vault', '10.128.0.3'), 'bank/vault answered instead of shop/db'],
  ['the source was translated', allowed, tcp(4, 'shop/db', '198.18.77.11'), 'seen as 198.18.77.11 instead'],
  ['the other family’s source', allowed, tcp(6, 'shop/db', '10.128.0.3'), 'seen as 10.128.0.3 instead of fd00'],
  ['closed', forbidden, nothing(6, 'tcp'), undefined],
  ['a leak', forbidden, tcp(6, 'bank/vault', 'fd00:10:128:1::3'), 'although it must not'],
  ['masqueraded', outside, tcp(4, 'outside', '198.18.77.11'), undefined],
  ['not masqueraded', outside, tcp(4, 'outside', '10.128.0.3'), 'seen as 10.128.0.3'],
])('%s', (_, check, probe, problem) => {
  const { problems } = judge(check, [probe])
  if (problem === undefined) expect(problems).toEqual([])
  else expect(problems.join()).toContain(problem)
})
