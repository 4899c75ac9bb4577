import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../kube/object.ts'
import { NO_SUBNET } from '../../network/model/pool.ts'
import { decodeValue } from '../../registry/codec.ts'
import { ipPoolBinding } from './ip-pool.ts'

const SEED = {
  ips: ['172.18.30.131-172.18.30.140'],
  subnet: '172.18.0.0/16',
  gateway: '172.18.0.1',
  multusName: ['kube-system/ovs-conf'],
}
const METADATA = { name: 'p', uid: 'u', creationTimestamp: '2026-01-02T03:04:05Z' }

function read(spec: unknown, metadata: object = {}) {
  const object = { metadata: { ...METADATA, ...metadata }, spec } as unknown as KubeObject
  return decodeValue('AddressPool', 'p', ipPoolBinding.decode(object))
}

test('the pool of the ovs-cni quick start', () => {
  expect<unknown>(read(SEED)).toEqual({
    name: 'p',
    uid: 'u',
    createdAt: '2026-01-02T03:04:05Z',
    family: 4,
    subnet: '172.18.0.0/16',
    ranges: [{ first: '172.18.30.131', last: '172.18.30.140' }],
    excluded: [],
    gateway: '172.18.0.1',
    routes: [],
    isDefault: false,
    isDisabled: false,
    isTerminating: false,
    nodes: [],
    namespaces: [],
    definitions: ['kube-system/ovs-conf'],
  })
})

describe('a pool', () => {
  test.each<[string, object, object]>([
    ['without addresses', { ips: [] }, { ranges: [] }],
    [
      'ranges are in order, and overlapping ones are one',
      { ips: ['172.18.30.9', '172.18.30.1-172.18.30.4', '172.18.30.3-172.18.30.6', '172.18.30.7'] },
      {
        ranges: [
          { first: '172.18.30.1', last: '172.18.30.7' },
          { first: '172.18.30.9', last: '172.18.30.9' },
        ],
      },
    ],
    ['that says its family', { ipVersion: 4 }, { family: 4 }],
    [
      'of IPv6',
      { subnet: 'fd00:1::/64', ips: ['fd00:1:0::a-fd00:1::14'], gateway: 'FD00:1::1' },
      { family: 6, ranges: [{ first: 'fd00:1::a', last: 'fd00:1::14' }], gateway: 'fd00:1::1' },
    ],
    ['without a gateway', { gateway: '' }, {}],
    [
      'whose gateway is among its addresses, but excluded',
      { gateway: '172.18.30.135', excludeIPs: ['172.18.30.135'] },
      { gateway: '172.18.30.135' },
    ],
    [
      'with routes',
      { routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }] },
      { routes: [{ destination: '10.0.0.0/8', gateway: '172.18.0.2' }] },
    ],
    [
      'with affinities',
      {
        podAffinity: { matchLabels: { app: 'web' } },
        nodeAffinity: { matchExpressions: [{ key: 'rack', operator: 'In', values: ['a'] }] },
        namespaceAffinity: {},
      },
      {
        podSelector: [{ key: 'app', operator: 'In', values: ['web'] }],
        nodeSelector: [{ key: 'rack', operator: 'In', values: ['a'] }],
        namespaceSelector: [],
      },
    ],
    [
      'for some only',
      { nodeName: ['a'], namespaceName: ['b'], default: true, disable: true },
      { nodes: ['a'], namespaces: ['b'], isDefault: true, isDisabled: true },
    ],
    ['with fields of other versions', { vlan: 7, somethingNew: {} }, {}],
  ])('%s', (_, more, expected) => {
    const pool = read({ ...SEED, ...more })
    expect(pool.problem).toBeUndefined()
    expect(pool).toMatchObject(expected as never)
  })

  test('that goes is known to', () => {
    expect(read(SEED, { deletionTimestamp: '2026-01-02T03:04:06Z' }).isTerminating).toBe(true)
  })

  test('made for an application has its labels', () => {
    const labels = { 'ipam.spidernet.io/owner-application-name': 'web' }
    expect({ ...read(SEED, { labels }).labels }).toEqual(labels)
  })
})

describe('a pool that cannot be gives nothing out, and names the field', () => {
  const far = '10.0.0.1'
  test.each<[string, unknown, string]>([
    ['no spec', undefined, 'spec.subnet'],
    ['no subnet', { ...SEED, subnet: undefined }, 'spec.subnet'],
    ['host bits', { ...SEED, subnet: '172.18.0.1/16' }, 'spec.subnet'],
    ['a subnet that is none', { ...SEED, subnet: 'x' }, 'spec.subnet'],
    ['a subnet without end', { ...SEED, subnet: 'x'.repeat(100_000) }, 'spec.subnet'],
    ['the other family', { ...SEED, ipVersion: 6 }, 'spec.ipVersion: 6 is not the family of 172.18.0.0/16'],
    ['no family', { ...SEED, ipVersion: '4' }, 'spec.ipVersion: it is neither 4 nor 6'],
    ['a range backwards', { ...SEED, ips: ['172.18.0.9-172.18.0.3'] }, 'spec.ips[0]'],
    ['a network among addresses', { ...SEED, ips: ['172.18.0.0/24'] }, 'spec.ips[0]'],
    ['both families', { ...SEED, ips: ['172.18.0.3', 'fd00::1'] }, 'spec.ips: it has addresses of both families'],
    ['addresses outside', { ...SEED, ips: [`${far}-10.0.0.9`] }, 'spec.ips: 10.0.0.1-10.0.0.9 is not inside'],
    ['half a range outside', { ...SEED, ips: ['172.18.255.250-172.19.0.1'] }, 'spec.ips: 172.18.255.250-172.19.0.1'],
    ['exceptions outside', { ...SEED, excludeIPs: [far] }, 'spec.excludeIPs: 10.0.0.1 is not inside'],
    ['a gateway outside', { ...SEED, gateway: far }, 'spec.gateway: 10.0.0.1 is not inside 172.18.0.0/16'],
    ['a gateway that is none', { ...SEED, gateway: 'router' }, 'spec.gateway: "router" is no IP address'],
    [
      'a gateway that is given out',
      { ...SEED, gateway: '172.18.30.131' },
      'spec.gateway: 172.18.30.131 is among the addresses that are given out',
    ],
    ['a route without gateway', { ...SEED, routes: [{ dst: '10.0.0.0/8' }] }, 'spec.routes[0].gw'],
    ['a default route', { ...SEED, routes: [{ dst: '0.0.0.0/0', gw: '172.18.0.2' }] }, 'spec.routes[0]: 0.0.0.0/0 is'],
    [
      'a route twice',
      { ...SEED, routes: ['172.18.0.2', '172.18.0.3'].map((gw) => ({ dst: '10.0.0.0/8', gw })) },
      'spec.routes[1]: 10.0.0.0/8 is there twice',
    ],
    [
      'a route elsewhere',
      { ...SEED, routes: [{ dst: '10.0.0.0/8', gw: far }] },
      'spec.routes[0]: the gateway 10.0.0.1',
    ],
    ['a route of IPv6', { ...SEED, routes: [{ dst: 'fd00::/8', gw: '172.18.0.2' }] }, 'spec.routes[0]: fd00::/8'],
    ['pods of no kind', { ...SEED, podAffinity: {} }, 'spec.podAffinity: it selects nothing in particular'],
    ['a selector that is none', { ...SEED, nodeAffinity: { labels: {} } }, 'spec.nodeAffinity.labels'],
    ['nodes that are no texts', { ...SEED, nodeName: [7] }, 'spec.nodeName[0]'],
    ['a definition without a name', { ...SEED, multusName: [''] }, 'spec.multusName[0]'],
    ['a flag that is none', { ...SEED, disable: 'yes' }, 'spec.disable'],
  ])('%s', (_, spec, words) => {
    expect(read(spec).problem).toStartWith(words)
  })

  test('however much is wrong, in one sentence', () => {
    const ips = Array.from({ length: 50 }, () => 'x'.repeat(500))
    const { problem = '' } = read({ ...SEED, ips })
    expect(problem).toContain('spec.ips[0]')
    expect(problem).toEndWith('and 47 more')
    expect(problem.length).toBeLessThan(600)
  })

  test('it is in nobody’s way', () => {
    expect(read({ ...SEED, subnet: 'x' })).toEqual(
      expect.objectContaining({ subnet: NO_SUBNET, ranges: expect.any(Array) }),
    )
  })
})

test('whatever it says, it is a pool', () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('172.18.0.0/16', '172.18.0.1', ['172.18.0.1'], [], {}))
  const spec = fc.oneof(fc.jsonValue(), fc.record(Object.fromEntries(Object.keys(SEED).map((key) => [key, value]))))
  fc.assert(
    fc.property(spec, (spec) => {
      const pool = read(spec)
      expect(ipPoolBinding.nameOf({ metadata: METADATA } as unknown as KubeObject)).toBe(pool.name)
    }),
  )
})

test('what Spiderpool gave out is taken, also of a pool that cannot be understood', () => {
  const given = (...addresses: readonly string[]) =>
    Object.fromEntries(addresses.map((address) => [address, { pod: 'default/demo-1', podUid: 'u' }]))
  const occupied = (spec: object, allocatedIPs: unknown) => {
    const object = { apiVersion: 'x/v1', kind: 'SpiderIPPool', metadata: METADATA, spec, status: { allocatedIPs } }
    return decodeValue('AddressPool', 'p', ipPoolBinding.decode(object as unknown as KubeObject)).occupied
  }
  const text = JSON.stringify(given('172.18.30.132', '172.18.30.131', '172.18.30.135'))
  const runs = [
    { first: '172.18.30.131', last: '172.18.30.132' },
    { first: '172.18.30.135', last: '172.18.30.135' },
  ]
  expect(occupied(SEED, text)).toEqual(runs as never)
  expect(occupied({}, text)).toEqual(runs as never)
  expect(occupied(SEED, '{}')).toBeUndefined()
  expect(occupied(SEED, '{')).toBeUndefined()
})
