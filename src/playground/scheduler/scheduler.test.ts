import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../kube/object.ts'
import { EVENTS, NODES, PODS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { podOf } from '../workloads/pod.ts'
import { randomOf, SlowApi } from '../workloads/testing/rig.ts'
import { at } from '../workloads/values.ts'
import { decide } from './decide.ts'
import { schedulerNode } from './node.ts'
import { runScheduler } from './run.ts'

const log = { warn: () => undefined, error: (fields: object) => defects.push(fields) }
const defects: object[] = []

function node(
  name: string,
  more: { labels?: object; spec?: object; ready?: boolean; capacity?: object } = {},
): KubeObject {
  const { labels = {}, spec = {}, ready = true, capacity = {} } = more
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { capacity, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

function pod(name: string, spec: object = {}, labels: object = {}, controller?: string): KubeObject {
  const owners =
    controller === undefined
      ? []
      : [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: controller, uid: controller, controller: true }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'test', name, uid: name, labels: { ...labels }, ownerReferences: owners },
    spec,
  }
}

const apart = (labels: object, more: object = {}): object => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels }, ...more },
      ],
    },
  },
})
const near = (labels: object): object => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } },
      ],
    },
  },
})
const onNode = (...matchExpressions: readonly object[]): object => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
  },
})

const BRIDGE = 'ovs-cni.network.kubevirt.io/br1'
const asking = (key: 'requests' | 'limits'): object => ({
  containers: [{ resources: { [key]: { [BRIDGE]: '1' } } }],
})

describe('a pod goes to', () => {
  const a = node('a', { labels: { disk: 'ssd' } })
  const b = node('b')
  const cordoned = node('a', { spec: { unschedulable: true } })
  const broken = node('b', { ready: false })
  const tainted = node('a', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } })
  const placed = (on: string, name: string, labels: object = {}, owner?: string, spec: object = {}): KubeObject =>
    pod(name, { nodeName: on, ...spec }, labels, owner)
  const cases: readonly (readonly [string, KubeObject, readonly KubeObject[], readonly KubeObject[], string])[] = [
    ['the first by name', pod('p'), [b, a], [], 'a'],
    ['the one with fewer pods', pod('p'), [a, b], [placed('a', 'x')], 'b'],
    [
      'the one with fewer of its owner, though it has more',
      pod('p', {}, {}, 'web'),
      [a, b],
      [placed('a', 'x'), placed('a', 'y'), placed('b', 'z', {}, 'web')],
      'a',
    ],
    ['the one that its selector names', pod('p', { nodeSelector: { disk: 'ssd' } }), [a, b], [placed('a', 'x')], 'a'],
    ['In', pod('p', onNode({ key: 'disk', operator: 'In', values: ['ssd'] })), [a, b], [placed('a', 'x')], 'a'],
    ['NotIn', pod('p', onNode({ key: 'disk', operator: 'NotIn', values: ['ssd'] })), [a, b], [], 'b'],
    ['Exists', pod('p', onNode({ key: 'disk', operator: 'Exists' })), [a, b], [placed('a', 'x')], 'a'],
    ['DoesNotExist', pod('p', onNode({ key: 'disk', operator: 'DoesNotExist' })), [a, b], [], 'b'],
    ['a node apart from others', pod('p', apart({ app: 'x' })), [a, b], [placed('a', 'x', { app: 'x' })], 'b'],
    [
      'a node whose pods want it apart',
      pod('p', {}, { app: 'p' }),
      [a, b],
      [placed('a', 'x', {}, 'o', apart({ app: 'p' }))],
      'b',
    ],
    ['a node near another', pod('p', near({ app: 'x' })), [a, b], [placed('b', 'x', { app: 'x' })], 'b'],
    ['any, as the first of those who want to be together', pod('p', near({ app: 'p' }), { app: 'p' }), [a, b], [], 'a'],
    [
      'a tainted one that it tolerates',
      pod('p', { tolerations: [{ key: 'k', operator: 'Exists' }] }),
      [tainted],
      [],
      'a',
    ],
    ['none without nodes', pod('p'), [], [], 'no nodes available to schedule pods'],
    [
      'none of a cordoned and a broken one',
      pod('p'),
      [cordoned, broken],
      [],
      '0/2 nodes are available: 1 node(s) were not ready, 1 node(s) were unschedulable.',
    ],
    [
      'none that its selector does not name',
      pod('p', { nodeSelector: { disk: 'tape' } }),
      [a, b],
      [],
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'the one with the bridge that it asks for',
      pod('p', asking('limits')),
      [a, node('b', { capacity: { [BRIDGE]: '1k', pods: '250' } })],
      [placed('b', 'x')],
      'b',
    ],
    ['none without it', pod('p', asking('requests')), [a], [], `0/1 nodes are available: 1 Insufficient ${BRIDGE}.`],
    [
      'none that counts none of it',
      pod('p', asking('limits')),
      [node('a', { capacity: { [BRIDGE]: '0' } })],
      [],
      `0/1 nodes are available: 1 Insufficient ${BRIDGE}.`,
    ],
    ['any, for cpu', pod('p', { containers: [{ resources: { requests: { cpu: '1' } } }] }), [a], [], 'a'],
    ['none tainted', pod('p'), [tainted], [], '0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.'],
    [
      'none that is taken',
      pod('p', apart({ app: 'x' })),
      [a],
      [placed('a', 'x', { app: 'x' })],
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
    ],
    [
      'none for a wish that is not understood',
      pod('p', onNode({ key: 'cpus', operator: 'Gt', values: ['3'] })),
      [a],
      [],
      'this scheduler does not support operator "Gt" in nodeAffinity',
    ],
    [
      'none for another topology',
      pod('p', apart({ app: 'x' }, { topologyKey: 'zone' })),
      [a],
      [],
      'this scheduler does not support topologyKey "zone" in podAntiAffinity',
    ],
  ]
  test.each(cases)('%s', (_, waiting, nodes, pods, expected) => {
    const decision = decide(podOf(waiting), nodes.map(schedulerNode), pods.map(podOf))
    expect('node' in decision ? decision.node : decision.message).toBe(expected)
  })

  test('somewhere or nowhere, whatever is written in it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, status) => {
        const odd = { ...pod('p'), spec: { affinity: spec, nodeSelector: spec, tolerations: spec, ...Object(spec) } }
        decide(podOf(odd), [schedulerNode({ ...a, spec, status }), schedulerNode(b)], [podOf({ ...odd, status })])
      }),
    )
  })
})

test('pods that want to be apart are, however late everything is seen', async () => {
  const inputs = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    nodes: fc.integer({ min: 1, max: 4 }),
    pods: fc.nat(6),
  })
  await fc.assert(
    fc.asyncProperty(inputs, async ({ seed, nodes, pods }) => {
      const random = randomOf(seed)
      const api = new SlowApi(random)
      const stop = new AbortController()
      for (let i = 0; i < nodes; i++) await api.create(NODES, node(`node-${i}`))
      const running = runScheduler({ api, signal: stop.signal, log })
      for (let i = 0; i < pods; i++) {
        // A later one may come first in order.
        await api.create(PODS, pod(`pod-${9 - i}`, apart({ app: 'web' }), { app: 'web' }))
        await api.late()
      }
      const bound = (): readonly string[] => api.all(PODS).flatMap((one) => podOf(one).node ?? [])
      const told = (): readonly KubeObject[] => api.all(PODS).filter((one) => one['status'] !== undefined)
      const fitting = Math.min(nodes, pods)
      for (let i = 0; i < 2000 && (bound().length < fitting || told().length < pods - fitting); i++) await api.late()
      expect(bound()).toHaveLength(fitting)
      expect(new Set(bound()).size).toBe(fitting)
      // A node more is a place more.
      await api.create(NODES, node('late'))
      for (let i = 0; i < 2000 && bound().length < Math.min(nodes + 1, pods); i++) await api.late()
      expect(new Set(bound()).size).toBe(Math.min(nodes + 1, pods))
      expect(bound()).toHaveLength(Math.min(nodes + 1, pods))
      stop.abort()
      await running
    }),
    { numRuns: 30 },
  )
  expect(defects).toEqual([])
}, 30_000)

test('what is not this scheduler’s business is left alone; what cannot be done is told', async () => {
  const api = new MemoryApi()
  const stop = new AbortController()
  await api.create(NODES, node('a', { spec: { unschedulable: true } }))
  await api.create(PODS, pod('by-hand', { nodeName: 'nowhere' }))
  await api.create(PODS, pod('of-another', { schedulerName: 'other' }))
  await api.create(PODS, pod('held', { schedulingGates: [{ name: 'x' }] }))
  await api.create(PODS, pod('waiting'))
  const running = runScheduler({ api, signal: stop.signal, log })
  while (api.all(EVENTS).length === 0) await Bun.sleep(1)
  const message = '0/1 nodes are available: 1 node(s) were unschedulable.'
  expect(api.all(EVENTS)).toMatchObject([{ reason: 'FailedScheduling', message, involvedObject: { name: 'waiting' } }])
  const waiting = await api.get(PODS, { namespace: 'test', name: 'waiting' })
  expect(at(waiting, 'status', 'conditions')).toMatchObject([{ type: 'PodScheduled', status: 'False', message }])
  await api.patch(NODES, { name: 'a' }, 'merge', { spec: { unschedulable: null } })
  const nodes = (): readonly (string | undefined)[] => api.all(PODS).map((one) => podOf(one).node)
  while (!nodes().includes('a')) await Bun.sleep(1)
  expect(nodes()).toEqual(['nowhere', undefined, undefined, 'a'])
  stop.abort()
  await running
})
