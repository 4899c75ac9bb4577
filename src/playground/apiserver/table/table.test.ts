import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { builtinResources } from '../builtin/index.ts'
import { duration } from './age.ts'
import { columnsOf, toTable } from './index.ts'
import { followJsonPath, parseJsonPath } from './json-path.ts'

const NOW = new Date('2024-05-06T07:08:09Z')
const resources = new Map(builtinResources().map((resource) => [resource.plural, resource]))

/** What a kube-apiserver 1.32 answered for the same objects. */
const ROWS: readonly (readonly [plural: string, object: object, cells: readonly unknown[]])[] = [
  [
    'pods',
    pod(
      {},
      { phase: 'Running', containerStatuses: [running('a', 3, 400), running('b')], podIPs: [{ ip: '10.0.0.1' }] },
    ),
    ['x', '2/2', 'Running', '3 (6m40s ago)', '60s', '10.0.0.1', '<none>', '<none>', '<none>'],
  ],
  [
    'pods',
    pod({}, { phase: 'Running', containerStatuses: [waiting('a', 'CrashLoopBackOff'), ended('b', 1, 'Error')] }),
    ['x', '0/2', 'CrashLoopBackOff', '0', '60s', '<none>', '<none>', '<none>', '<none>'],
  ],
  [
    'pods',
    pod({}, { phase: 'Running', containerStatuses: [ended('a', 0, 'Completed'), running('b')] }),
    ['x', '1/2', 'NotReady', '0', '60s', '<none>', '<none>', '<none>', '<none>'],
  ],
  [
    'pods',
    pod({}, { phase: 'Failed', containerStatuses: [{ ...ended('a', 137), state: { terminated: { signal: 9 } } }] }),
    ['x', '0/2', 'Signal:9', '0', '60s', '<none>', '<none>', '<none>', '<none>'],
  ],
  [
    'pods',
    pod(
      { initContainers: [{ name: 'i' }, { name: 'j' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [
          { ...ended('i', 0), restartCount: 2 },
          { name: 'j', state: {} },
        ],
      },
    ),
    ['x', '0/2', 'Init:1/2', '2', '60s', '<none>', '<none>', '<none>', '<none>'],
  ],
  [
    'pods',
    { ...pod({}, { phase: 'Running' }), metadata: { ...meta(), deletionTimestamp: NOW.toISOString() } },
    ['x', '0/2', 'Terminating', '0', '60s', '<none>', '<none>', '<none>', '<none>'],
  ],
  [
    'services',
    {
      spec: {
        clusterIP: '10.96.0.1',
        selector: { z: '1', a: '2' },
        ports: [
          { port: 80, nodePort: 30080 },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    ['x', 'ClusterIP', '10.96.0.1', '<none>', '80:30080/TCP,53/UDP', '60s', 'a=2,z=1'],
  ],
  ['networkpolicies', { spec: { podSelector: {} } }, ['x', '<none>', '60s']],
  [
    'networkpolicies',
    {
      spec: {
        podSelector: {
          matchLabels: { b: 'c' },
          matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['z', 'y'] }],
        },
      },
    },
    ['x', 'a notin (y,z),b=c', '60s'],
  ],
  [
    'services',
    { spec: { type: 'LoadBalancer' } },
    ['x', 'LoadBalancer', '<none>', '<pending>', '<none>', '60s', '<none>'],
  ],
  [
    'nodes',
    {
      metadata: meta({ 'node-role.kubernetes.io/worker': '' }),
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '1.1.1.1' }],
      },
    },
    ['x', 'Ready,SchedulingDisabled', 'worker', '60s', '', '1.1.1.1', '<none>', '<unknown>', '<unknown>', '<unknown>'],
  ],
  [
    'endpoints',
    { subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 1 }, { port: 2 }] }] },
    ['x', '10.0.0.1:1,[fd00::1]:1,10.0.0.1:2 + 1 more...', '60s'],
  ],
  [
    'endpointslices',
    { addressType: 'IPv4', endpoints: [], ports: [{ port: 1 }, { name: 'b' }] },
    ['x', 'IPv4', '1,b', '<unset>', '60s'],
  ],
  [
    'deployments',
    {
      spec: {
        replicas: 3,
        selector: { matchLabels: { a: 'b' } },
        template: { spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
      status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    },
    ['x', '1/3', 2, 1, '60s', 'c', 'i', 'a=b'],
  ],
  [
    'replicasets',
    { spec: { replicas: 2, selector: { matchExpressions: [{ key: 'z', operator: 'In', values: ['q', 'p'] }] } } },
    ['x', 2, 0, 0, '60s', '', '', 'z in (p,q)'],
  ],
  ['statefulsets', { spec: {} }, ['x', '0/1', '60s', '', '']],
  [
    'events',
    {
      involvedObject: { kind: 'Pod', name: 'p' },
      reason: 'R',
      message: ' m ',
      type: 'Normal',
      source: { component: 'k', host: 'h' },
      firstTimestamp: '2024-05-06T06:00:00Z',
      lastTimestamp: '2024-05-06T07:07:09Z',
      count: 4,
    },
    ['60s', 'Normal', 'R', 'pod/p', '', 'k, h', 'm', '68m', 4, 'x'],
  ],
  ['configmaps', { data: { a: '1' }, binaryData: { b: '' } }, ['x', 2, '60s']],
  ['secrets', { type: 'Opaque', data: { a: '' } }, ['x', 'Opaque', 1, '60s']],
  ['serviceaccounts', {}, ['x', 0, '60s']],
  ['leases', { spec: { holderIdentity: 'me' } }, ['x', 'me', '60s']],
  [
    'controllerrevisions',
    {
      metadata: {
        ...meta(),
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', controller: true }],
      },
      revision: 2,
    },
    ['x', 'statefulset.apps/s', 2, '60s'],
  ],
  ['namespaces', { status: { phase: 'Active' } }, ['x', 'Active', '60s']],
]

describe('tables', () => {
  test.each(ROWS)('%s (%#)', (plural, object, cells) => {
    const table = show(plural, { apiVersion: 'v1', kind: 'X', metadata: meta(), ...object })
    expect(table['rows']).toEqual([{ cells, object: null }])
    expect(table['columnDefinitions']).toHaveLength(cells.length)
  })

  test('any object has a row as wide as the table', () => {
    const field = fc.constantFrom(
      'spec',
      'status',
      'containers',
      'conditions',
      'initContainers',
      'ports',
      'state',
      'subsets',
    )
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(field, tie('tree'), { maxKeys: 3 }),
      ),
    }))
    fc.assert(
      fc.property(fc.constantFrom(...resources.keys()), fc.dictionary(field, tree), (plural, object) => {
        const table = show(plural, { ...object, apiVersion: 'v1', kind: 'X', metadata: meta() })
        expect(table['rows']).toHaveLength(1)
      }),
    )
  })

  test('rows carry as much of the object as was asked for', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(), data: { a: '1' } }
    const carried = (includeObject: 'None' | 'Metadata' | 'Object') => show('configmaps', object, includeObject)['rows']
    expect(carried('None')).toMatchObject([{ object: null }])
    expect(carried('Object')).toMatchObject([{ object }])
    expect(carried('Metadata')).toEqual([
      {
        cells: ['x', 1, '60s'],
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: meta() },
      },
    ])
  })
})

describe('ages', () => {
  test.each<[number, string]>([
    [-2, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [192, '3m12s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [3 * 3600 + 660, '3h11m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [5 * 86_400 + 3 * 3600, '5d3h'],
    [8 * 86_400, '8d'],
    [729 * 86_400, '729d'],
    [730 * 86_400, '2y'],
    [800 * 86_400, '2y70d'],
    [9 * 365 * 86_400, '9y'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(duration(seconds * 1000)).toBe(words)
  })
})

describe('printer columns', () => {
  const object = {
    apiVersion: 'a/v1',
    kind: 'A',
    metadata: { ...meta(), labels: { 'a.b/c': 'l' } },
    spec: { count: 3, on: true, list: [1, 2], map: { a: 1 } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Other', status: 'False' },
      ],
    },
  }

  test.each<[string, 'string' | 'integer' | 'number' | 'boolean' | 'date', unknown]>([
    ['.spec.count', 'integer', 3],
    ['.spec.count', 'string', '3'],
    ['.spec.count', 'boolean', null],
    ['.spec.on', 'boolean', true],
    ['.spec.list', 'string', '[1,2]'],
    ['.spec.list[0]', 'integer', 1],
    ['.spec.list[*]', 'string', '1 2'],
    ['.spec.list[-1]', 'integer', 2],
    ['.spec.map', 'string', '{"a":1}'],
    ['.spec.none.deeper', 'string', null],
    ['.spec.__proto__.a', 'string', null],
    ['.metadata.labels.a\\.b/c', 'string', 'l'],
    [".metadata.labels['a.b/c']", 'string', 'l'],
    ['.status.conditions[?(@.type=="Ready")].status', 'string', 'True'],
    ["{.status.conditions[?(@.type != 'Ready')].status}", 'string', 'False'],
    ['.metadata.creationTimestamp', 'date', '60s'],
  ])('%s as %s', (jsonPath, type, cell) => {
    expect(columnsOf([{ name: 'C', type, jsonPath }])?.cells(object, NOW)).toEqual(['x', cell])
  })

  test.each(['spec', '.a..b', '.a[', '.a[?(@.b)]', '.a[?(@.b=="c]', 'x'.repeat(2000), '.a b'])(
    '%s is no path',
    (text) => {
      expect(parseJsonPath(text)).toBeUndefined()
    },
  )

  test('any text is a path or none', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('.', '[', ']', 'a', '0', '*', '?', '(', '@', '"', '\\', '=') }),
        (text) => {
          followJsonPath(object, parseJsonPath(text) ?? [])
        },
      ),
    )
  })
})

function show(plural: string, object: KubeObject, includeObject: 'None' | 'Metadata' | 'Object' = 'None') {
  const resource = resources.get(plural)
  if (resource === undefined) throw new Error(`${plural} are not served`)
  return toTable(resource, [object], { now: NOW, includeObject, listMeta: {} })
}

function meta(labels: Readonly<Record<string, string>> = {}) {
  return { name: 'x', labels, creationTimestamp: '2024-05-06T07:07:09Z' }
}

function pod(spec: object, status: object) {
  return { spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec }, status }
}

function running(name: string, restartCount = 0, ago = 0) {
  const finishedAt = new Date(NOW.getTime() - ago * 1000).toISOString()
  return {
    name,
    ready: true,
    restartCount,
    state: { running: {} },
    ...(ago > 0 ? { lastState: { terminated: { finishedAt } } } : {}),
  }
}

function waiting(name: string, reason: string) {
  return { name, ready: false, restartCount: 0, state: { waiting: { reason } } }
}

function ended(name: string, exitCode: number, reason?: string) {
  return {
    name,
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } },
  }
}
