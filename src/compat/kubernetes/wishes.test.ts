import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { MAX_WISHES, WISH_TOO_LONG } from '../../network/model/pod.ts'
import { decodeValue } from '../../registry/codec.ts'
import { parseDefaultNetwork, parseNetworks } from '../multus/networks.ts'
import {
  parseByInterface,
  parseForAll,
  parseNamespaceDefaults,
  parseRoutes,
} from '../spiderpool/selection/annotations.ts'
import { namespaceBinding, nodeBinding } from './node.ts'
import { podBinding } from './pod.ts'

const POOL = 'ipam.spidernet.io/ippool'
const POOLS = 'ipam.spidernet.io/ippools'
const NETWORKS = 'k8s.v1.cni.cncf.io/networks'

/** The most that a Kubernetes object's annotations have together. */
const OBJECT_LIMIT = 256 * 1024

function pod(metadata: object, rest: object = {}) {
  const object = { metadata: { name: 'web-0', namespace: 'shop', uid: 'u', ...metadata }, ...rest }
  return decodeValue('Pod', 'shop/web-0', podBinding.decode(object as unknown as KubeObject))
}

describe('a pod’s wishes', () => {
  test.each<[string, object | undefined, object | undefined]>([
    ['none', undefined, undefined],
    ['others’ annotations', { 'example.org/note': 'x' }, undefined],
    ['as they are written', { [POOL]: ' {"ipv4": ["a"]}', note: 'x' }, { [POOL]: ' {"ipv4": ["a"]}' }],
    ['an empty one', { [NETWORKS]: '' }, { [NETWORKS]: '' }],
    ['what is no text', { [POOL]: 7, [NETWORKS]: 'a' }, { [NETWORKS]: 'a' }],
    [
      'one that fills the object',
      { [POOL]: 'x'.repeat(OBJECT_LIMIT), [NETWORKS]: 'a' },
      { [POOL]: WISH_TOO_LONG, [NETWORKS]: 'a' },
    ],
    [
      'several that are too long together',
      { [POOL]: 'x'.repeat(MAX_WISHES / 2), [POOLS]: 'y'.repeat(MAX_WISHES / 2) },
      { [POOL]: WISH_TOO_LONG, [POOLS]: WISH_TOO_LONG },
    ],
    ['a long one alone', { [POOL]: 'x'.repeat(60_000) }, { [POOL]: 'x'.repeat(60_000) }],
  ])('%s', (_, annotations, expected) => expect(pod({ annotations }).wishes).toEqual(expected as never))

  test('whatever it asks for, it is there', () => {
    const annotations = Object.fromEntries(
      ['a', 'b'].flatMap((word) => [POOL, POOLS, NETWORKS].map((key) => [key, word.repeat(OBJECT_LIMIT / 3)])),
    )
    expect(Object.values(pod({ annotations }).wishes ?? {})).toEqual([WISH_TOO_LONG, WISH_TOO_LONG, WISH_TOO_LONG])
  })

  test('pods of one template share them', () => {
    const annotations = { [POOL]: `{"ipv4":["${'p'.repeat(2000)}"]}` }
    expect(pod({ annotations: { ...annotations } }).wishes).toBe(pod({ annotations: { ...annotations } }).wishes)
  })
})

describe('who manages a pod', () => {
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d', uid: 'r' }
  test.each<[string, unknown, object | undefined]>([
    ['nobody', undefined, undefined],
    ['an owner that does not manage it', [reference], undefined],
    [
      'its controller, among owners',
      [
        { ...reference, name: 'x' },
        { ...reference, controller: true },
      ],
      reference,
    ],
    ['a reference that cannot be read', [{ ...reference, kind: 7, controller: true }], undefined],
    ['a list that is none', { controller: true }, undefined],
  ])('%s', (_, ownerReferences, expected) => expect(pod({ ownerReferences }).controller).toEqual(expected as never))
})

test.each([
  [{}, {}, undefined],
  [{ deletionTimestamp: '2026-01-01T00:00:00Z' }, {}, true],
  [{}, { phase: 'Running' }, undefined],
  [{}, { phase: 'Failed' }, true],
  [{}, { phase: 'Succeeded' }, true],
])('a pod with %p and %p ends: %p', (metadata, status, expected) =>
  expect(pod(metadata, { status }).isEnding).toBe(expected as never),
)

const DEFAULT4 = 'ipam.spidernet.io/default-ipv4-ippool'
test.each<[object | undefined, object | undefined]>([
  [undefined, undefined],
  [{ [DEFAULT4]: '["a"]' }, { ipv4: '["a"]' }],
  [
    { [DEFAULT4]: '', 'ipam.spidernet.io/default-ipv6-ippool': '["b"]' },
    { ipv4: '', ipv6: '["b"]' },
  ],
  [{ [DEFAULT4]: 'x'.repeat(OBJECT_LIMIT) }, { ipv4: WISH_TOO_LONG }],
])('a namespace with annotations names default pools', (annotations, expected) => {
  const object = { metadata: { name: 'shop', uid: 'u', annotations } } as unknown as KubeObject
  expect(decodeValue('Namespace', 'shop', namespaceBinding.decode(object)).defaultPools).toEqual(expected as never)
})

test('a node has its labels', () => {
  const metadata = { name: 'a', uid: 'u', labels: { rack: 'b' } }
  const { labels } = decodeValue('Node', 'a', nodeBinding.decode({ metadata } as unknown as KubeObject))
  expect({ ...labels }).toEqual({ rack: 'b' })
})

describe('a wish that is too long is refused by whoever reads it', () => {
  test.each<[string, (text: string) => unknown]>([
    [NETWORKS, (text) => parseNetworks(text, 'shop')],
    ['v1.multus-cni.io/default-network', (text) => parseDefaultNetwork(text, 'kube-system')],
    [POOL, (text) => parseForAll(POOL, text)],
    ['ipam.spidernet.io/subnet', (text) => parseForAll('ipam.spidernet.io/subnet', text)],
    [POOLS, (text) => parseByInterface(POOLS, text)],
    ['ipam.spidernet.io/subnets', (text) => parseByInterface('ipam.spidernet.io/subnets', text)],
    ['ipam.spidernet.io/routes', parseRoutes],
    [DEFAULT4, (text) => parseNamespaceDefaults(4, 'shop', text)],
  ])('%s', (_, parse) => expect(() => parse(WISH_TOO_LONG)).toThrow())
})
