import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../../kube/object.ts'
import { cidr, ip } from '../../../network/model/address.ts'
import { type IpRange, parseIpRange } from '../../../network/model/ip-range.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import { adoption, type PoolOfNetwork } from './adoption.ts'
import { APPLICATION_KINDS, type Application, applicationIn, applicationKey, isKnownKind } from './application.ts'
import { applicationPoolIn, nameProblem, newPool, poolNameOf, poolPatch, type Subnet } from './pool-object.ts'
import { subnetRequestIn, wantedAddresses } from './wish.ts'

const SUBNET = 'ipam.spidernet.io/subnet'
const SUBNETS = 'ipam.spidernet.io/subnets'
const NUMBER = 'ipam.spidernet.io/ippool-ip-number'
const RECLAIM = 'ipam.spidernet.io/ippool-reclaim'
const ONE = { [SUBNET]: '{"ipv4":["s4","ignored"],"ipv6":["s6"]}' }
const ranges = (...texts: readonly string[]): readonly IpRange[] => texts.flatMap((text) => parseIpRange(text) ?? [])

describe('what is asked of subnets', () => {
  test('nothing', () => {
    expect(subnetRequestIn({ 'some/other': '1' })).toBeUndefined()
  })

  test('for the first interface; of several subnets the first', () => {
    expect(subnetRequestIn(ONE)).toEqual({
      wish: {
        pools: [
          { ifname: 'eth0', family: 4, subnet: 's4' },
          { ifname: 'eth0', family: 6, subnet: 's6' },
        ],
        size: { is: 'beyond', count: 1 },
        isReclaimed: true,
      },
    })
  })

  test.each([
    ['[{"interface":"eth0","ipv4":["a"]},{"interface":"net7","ipv6":["b"]}]', ['eth0 4 a', 'net7 6 b']],
    ['[{"ipv4":["a"]},{"ipv4":["b"]},{"ipv4":["c"]}]', ['eth0 4 a', 'net1 4 b', 'net2 4 c']],
  ])('by interface: %s', (text, expected) => {
    const request = subnetRequestIn({ ...ONE, [SUBNETS]: text })
    const pools = request !== undefined && 'wish' in request ? request.wish.pools : []
    expect(pools.map(({ ifname, family, subnet }) => `${ifname} ${family} ${subnet}`)).toEqual(expected)
  })

  test.each<[string | undefined, number, number | undefined]>([
    [undefined, 3, 4],
    ['5', 3, 5],
    ['+2', 3, 5],
    ['+0', 3, 3],
    ['0', 3, 0],
    ['-1', 3, undefined],
    ['1.5', 3, undefined],
    ['9999999', 3, undefined],
    ['', 3, undefined],
  ])('%p addresses of an application with %d pods: %p', (text, pods, expected) => {
    const request = subnetRequestIn(text === undefined ? ONE : { ...ONE, [NUMBER]: text })
    if (request === undefined) throw new Error('it asks for something')
    expect('wish' in request ? wantedAddresses(request.wish, pods) : undefined).toBe(expected as never)
  })

  test.each([
    [{ [SUBNET]: 'x' }, 'must be JSON'],
    [{ [SUBNET]: '{}' }, 'names no pool'],
    [{ [SUBNETS]: '[]' }, 'has none'],
    [{ ...ONE, [RECLAIM]: 'yes' }, 'must be true or false'],
  ])('%p cannot be understood', (annotations, words) => {
    const request = subnetRequestIn(annotations)
    expect(request !== undefined && 'problem' in request ? request.problem : '').toContain(words)
  })
})

describe('applications', () => {
  const template = { metadata: { annotations: ONE } }
  const object = (kind: string, spec: object, more: object = {}): KubeObject => ({
    apiVersion: kind.endsWith('Job') ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name: 'demo', namespace: 'shop', uid: 'u', ...Object(more).metadata },
    spec,
    ...Object(more).rest,
  })
  const owned = (kind: string) => ({
    metadata: { ownerReferences: [{ apiVersion: 'x/v1', kind, name: 'top', uid: 't', controller: true }] },
  })

  test.each<[string, KubeObject, number | undefined]>([
    ['a Deployment', object('Deployment', { replicas: 3, template }), 3],
    ['without replicas it is one', object('Deployment', { template }), 1],
    ['scaled to none', object('StatefulSet', { replicas: 0, template }), 0],
    ['a ReplicaSet of its own', object('ReplicaSet', { replicas: 2, template }), 2],
    ['a Deployment’s ReplicaSet', object('ReplicaSet', { replicas: 2, template }, owned('Deployment')), undefined],
    ['somebody else’s ReplicaSet', object('ReplicaSet', { replicas: 2, template }, owned('Rollout')), 2],
    ['a DaemonSet', object('DaemonSet', { template }, { rest: { status: { desiredNumberScheduled: 4 } } }), 4],
    ['a Job', object('Job', { parallelism: 3, completions: 10, template }), 3],
    ['a Job with little to do', object('Job', { parallelism: 3, completions: 2, template }), 2],
    ['a CronJob’s Job', object('Job', { template }, owned('CronJob')), undefined],
    ['a CronJob', object('CronJob', { jobTemplate: { spec: { parallelism: 2, template } } }), 2],
    ['one that asks for nothing', object('Deployment', { template: { metadata: {} } }), undefined],
    ['one that is nothing', object('Deployment', []), undefined],
  ])('%s', (_, one, pods) => {
    const kind = APPLICATION_KINDS.find(({ resource }) => resource.kind === one.kind)
    if (kind === undefined) throw new Error(`no ${one.kind}`)
    expect(applicationIn(kind, one)?.pods).toBe(pods as never)
  })

  test.each([
    ['apps/v1', true],
    ['batch/v1', true],
    ['v1', true],
    ['games.example/v1', false],
  ])('%s speaks for itself: %p', (apiVersion, known) => {
    expect(isKnownKind(apiVersion)).toBe(known)
  })
})

const app: Application = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'Demo',
  uid: '0b1e8a2c-1111-2222-3333-abcdef012345',
  request: { problem: '' },
}
const wished = { ifname: 'eth0', family: 4, subnet: 's4' } as const
const value: AddressPool = {
  name: 's4',
  uid: 'su',
  createdAt: '',
  family: 4,
  subnet: cidr('172.18.0.0/16'),
  ranges: ranges('172.18.40.1-172.18.40.9'),
  excluded: [],
  gateway: ip('172.18.0.1'),
  routes: [{ destination: cidr('10.0.0.0/8'), gateway: ip('172.18.0.2') }],
  isDefault: false,
  isDisabled: false,
  isTerminating: false,
  nodes: [],
  namespaces: [],
  definitions: [],
}
const subnet: Subnet = { metadata: { name: 's4', uid: 'su' }, value }

describe('a pool for an application', () => {
  test.each([
    [app, 'auto4-demo-eth0-abcde'],
    [{ ...app, name: 'x'.repeat(300) }, `auto4-${'x'.repeat(236)}-eth0-abcde`],
    [{ ...app, uid: '' }, 'auto4-demo-eth0'],
  ])('its name', (one, name) => {
    expect(poolNameOf(one, wished)).toBe(name)
    expect(name.length).toBeLessThanOrEqual(253)
  })

  test('it is known again', () => {
    const made = newPool('p', app, wished, true, subnet, ranges('172.18.40.1'))
    const known = { application: applicationKey(app), wished, uid: app.uid, isReclaimed: true }
    expect(applicationPoolIn(made.metadata.labels)).toEqual(known)
    const kept = newPool('p', app, wished, false, subnet, [])
    expect(applicationPoolIn(kept.metadata.labels)).toEqual({
      application: applicationKey(app),
      wished,
      isReclaimed: false,
    })
    expect(applicationPoolIn({ a: 'b' })).toBeUndefined()
    expect(applicationPoolIn(undefined)).toBeUndefined()
  })

  test('it is changed only where it differs', () => {
    const labels = { a: '1' }
    const current = { labels, ranges: ranges('10.0.0.1') }
    expect(poolPatch(current, labels, ranges('10.0.0.1'))).toBeUndefined()
    expect(poolPatch(current, { ...labels, gone: null }, ranges('10.0.0.1'))).toBeUndefined()
    expect(poolPatch(current, labels, ranges('10.0.0.1-10.0.0.2'))).toEqual({ spec: { ips: ['10.0.0.1-10.0.0.2'] } })
    expect(poolPatch(current, { a: '2' }, ranges('10.0.0.1'))).toEqual({ metadata: { labels: { a: '2' } } })
  })

  test('a name that labels cannot hold', () => {
    expect(nameProblem({ namespace: 'shop', name: 'x'.repeat(63) })).toBeUndefined()
    expect(nameProblem({ namespace: 'shop', name: 'x'.repeat(64) })).toContain('63 characters')
  })
})

describe('adoption', () => {
  const pool = (spec: object, more: Partial<PoolOfNetwork> = {}): PoolOfNetwork => ({
    metadata: { name: 'p' },
    spec,
    ranges: ranges('172.18.40.1'),
    excluded: [],
    ...more,
  })
  const routes = [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }]

  test.each<[string, PoolOfNetwork, unknown]>([
    ['gateway and routes are inherited', pool({}), { gateway: '172.18.0.1', routes }],
    ['its own gateway stays', pool({ gateway: '172.18.0.9' }), { routes }],
    ['no routes means none', pool({ routes: [] }), { gateway: '172.18.0.1' }],
    [
      'a gateway that the pool gives out is not inherited',
      pool({ routes: [] }, { ranges: ranges('172.18.0.1') }),
      undefined,
    ],
    [
      'but one that it excludes is',
      pool({ routes: [] }, { ranges: ranges('172.18.0.1'), excluded: ranges('172.18.0.1') }),
      { gateway: '172.18.0.1' },
    ],
  ])('%s', (_, one, spec) => {
    const patch = adoption(one, subnet)
    expect(patch?.['spec']).toEqual(spec as never)
    expect(patch?.['metadata']).toMatchObject({
      labels: { 'ipam.spidernet.io/owner-spider-subnet': 's4' },
      ownerReferences: [{ kind: 'SpiderSubnet', name: 's4', uid: 'su', controller: true }],
    })
  })

  test('once it is the subnet’s nothing changes; another controller’s pool stays its own', () => {
    const labels = { 'ipam.spidernet.io/owner-spider-subnet': 's4' }
    const other = { apiVersion: 'x/v1', kind: 'X', name: 'x', uid: 'x', controller: true }
    const spec = { gateway: '172.18.0.1', routes }
    expect(adoption(pool(spec, { metadata: { name: 'p', labels, ownerReferences: [other] } }), subnet)).toBeUndefined()
  })
})
