import { expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { podLifeIn, podSetIn } from './pod-life.ts'

const metadata = { name: 'web-0', namespace: 'shop', uid: 'u1' }
const pod = (more: object): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata, ...more })

test('a pod that was just made', () => {
  expect(podLifeIn(pod({}))).toEqual({
    namespace: 'shop',
    name: 'web-0',
    uid: 'u1',
    runtimeUid: 'u1',
    node: '',
    phase: 'Pending',
    addresses: [],
  })
})

test('a pod that runs, is being deleted, and is a copy of a static one', () => {
  const life = podLifeIn({
    ...pod({
      spec: { nodeName: 'n1' },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }, { ip: 'FD00::1' }, { ip: 'none' }, {}],
      },
    }),
    metadata: {
      ...metadata,
      deletionTimestamp: '2026-01-01T00:00:30Z',
      annotations: { 'kubernetes.io/config.mirror': 'static' },
      labels: { 'pod-template-hash': 'abc' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: 'r1', controller: true }],
    },
  })
  expect(life).toEqual({
    namespace: 'shop',
    name: 'web-0',
    uid: 'u1',
    runtimeUid: 'static',
    node: 'n1',
    phase: 'Running',
    addresses: ['10.0.0.1', 'fd00::1'] as never,
    deadline: Date.parse('2026-01-01T00:00:30Z'),
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: 'r1' },
    templateHash: 'abc',
  })
})

// A phase that ends a pod is its last one: a kubelet sets it by the restart policy, and never takes it back.
test.each(
  ['Always', 'OnFailure', 'Never', undefined].flatMap((restartPolicy) =>
    (
      [
        ['Succeeded', 'Ended'],
        ['Failed', 'Ended'],
        ['Running', 'Running'],
        ['Pending', 'Pending'],
        ['Unknown', 'Pending'],
      ] as const
    ).map(([phase, expected]) => [phase, restartPolicy, expected] as const),
  ),
)('%s with restart policy %s is %s', (phase, restartPolicy, expected) => {
  expect(podLifeIn(pod({ spec: { restartPolicy }, status: { phase, reason: 'Evicted' } })).phase).toBe(expected)
})

test('a pod ends when its last container does', () => {
  const ended = (finishedAt: string) => ({ state: { terminated: { finishedAt } } })
  const status = {
    phase: 'Failed',
    initContainerStatuses: [ended('2026-01-01T00:00:00Z')],
    containerStatuses: [ended('2026-01-01T00:00:02Z'), ended('2026-01-01T00:00:01Z'), { state: {} }, 'x'],
  }
  const life = podLifeIn(pod({ status }))
  expect([life.phase, life.endedAt]).toEqual(['Ended', Date.parse('2026-01-01T00:00:02Z')])
  expect(podLifeIn(pod({ status: { phase: 'Succeeded' } })).endedAt).toBeUndefined()
})

test.each([
  [{}, 0, 1],
  [{ replicas: 0 }, 0, 0],
  [{ replicas: 3, ordinals: { start: 5 } }, 5, 3],
  [{ replicas: -1, ordinals: { start: 'x' } }, 0, 1],
])('a StatefulSet of %p', (spec, start, replicas) => {
  expect(podSetIn({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec })).toEqual({
    namespace: 'shop',
    name: 'web-0',
    uid: 'u1',
    start,
    replicas,
  })
})
