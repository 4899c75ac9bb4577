import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { CRON_JOBS } from '../../compat/kubernetes/top-owner.ts'
import { SPIDER_IP_POOLS, SPIDER_RESERVED_IPS, SPIDER_SUBNETS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import { EventRecorder } from '../../kube/events.ts'
import type { KubeObject } from '../../kube/object.ts'
import { DAEMON_SETS, DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { ip } from '../../network/model/address.ts'
import { eventually } from '../testing/eventually.ts'
import { runClaims } from './run.ts'

setDefaultTimeout(40_000)
const SPIDER = 'spiderpool.spidernet.io/v2beta1'
const NAMESPACE = 'shop'
const at = (name: string) => ({ namespace: NAMESPACE, name })
const say = (): void => undefined

let ending = new AbortController()
let running: Promise<void> = Promise.resolve()

afterEach(async () => {
  ending.abort()
  await running
  ending = new AbortController()
})

async function start(api: MemoryApi): Promise<void> {
  const events = new EventRecorder(api, { component: 'test' })
  running = runClaims({ api, events, signal: ending.signal, log: { info: say, warn: say, error: say } })
}

async function restart(api: MemoryApi): Promise<void> {
  ending.abort()
  await running
  ending = new AbortController()
  await start(api)
}

async function withSubnet(spec: object = {}): Promise<MemoryApi> {
  const api = new MemoryApi()
  await api.create(SPIDER_SUBNETS, {
    apiVersion: SPIDER,
    kind: 'SpiderSubnet',
    metadata: { name: 's4' },
    spec: {
      subnet: '172.18.0.0/16',
      ips: ['172.18.40.1-172.18.40.10'],
      gateway: '172.18.0.1',
      routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }],
      ...spec,
    },
  })
  return api
}

const ASKS = { 'ipam.spidernet.io/subnet': '{"ipv4":["s4"]}' }

function deployment(name: string, replicas: number, annotations: object = ASKS): KubeObject {
  const spec = { replicas, template: { metadata: { annotations } } }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: at(name), spec }
}

const ipsOf = (pool: KubeObject | undefined): unknown => Object(pool?.['spec'])['ips']
const pools = (api: MemoryApi): readonly KubeObject[] => api.all(SPIDER_IP_POOLS)
const only = (api: MemoryApi): KubeObject => {
  const [pool, ...rest] = pools(api)
  if (pool === undefined || rest.length > 0) throw new Error(`${pools(api).length} pools`)
  return pool
}
const messages = (api: MemoryApi): readonly unknown[] => api.all(EVENTS).map((event) => event['message'])

async function claim(api: MemoryApi, pool: string, address: string): Promise<void> {
  const pod = await api.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: at(`pod-${address}`),
    status: { phase: 'Running', podIPs: [{ ip: address }] },
  })
  await api.create(
    ADDRESS_CLAIMS,
    addressClaimBinding.encode({
      address: ip(address),
      prefix: 16,
      pool,
      namespace: NAMESPACE,
      pod: pod.metadata.name,
      podUid: pod.metadata.uid ?? '',
      ifname: 'eth0',
      containerId: 'c1',
      node: 'n1',
      isSticky: false,
      routes: [],
      hasCleanGateway: false,
    }),
  )
}

test('a Deployment has a pool of its own, which grows and shrinks with it and goes with it', async () => {
  const api = await withSubnet()
  const app = await api.create(DEPLOYMENTS, deployment('demo', 2))
  await start(api)
  await eventually(() => expect(ipsOf(only(api))).toEqual(['172.18.40.1-172.18.40.3']))
  const { metadata, spec } = only(api) as KubeObject & { spec: object }
  const uid = app.metadata.uid ?? ''
  expect(metadata.name).toBe(`auto4-demo-eth0-${uid.split('-').at(-1)?.slice(0, 5)}`)
  expect(metadata.labels).toEqual({
    'ipam.spidernet.io/owner-spider-subnet': 's4',
    'ipam.spidernet.io/owner-application-gv': 'apps_v1',
    'ipam.spidernet.io/owner-application-kind': 'Deployment',
    'ipam.spidernet.io/owner-application-namespace': NAMESPACE,
    'ipam.spidernet.io/owner-application-name': 'demo',
    'ipam.spidernet.io/owner-application-uid': uid,
    'ipam.spidernet.io/interface': 'eth0',
    'ipam.spidernet.io/ip-version': 'IPv4',
    'ipam.spidernet.io/ippool-reclaim': 'true',
    'ipam.spidernet.io/ippool-cidr': '172-18-0-0-16',
  })
  expect(spec).toMatchObject({
    ipVersion: 4,
    subnet: '172.18.0.0/16',
    gateway: '172.18.0.1',
    routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }],
    podAffinity: {
      matchLabels: {
        'ipam.spidernet.io/app-api-group': 'apps',
        'ipam.spidernet.io/app-api-version': 'v1',
        'ipam.spidernet.io/app-kind': 'Deployment',
        'ipam.spidernet.io/app-namespace': NAMESPACE,
        'ipam.spidernet.io/app-name': 'demo',
      },
    },
  })
  expect(metadata.ownerReferences?.[0]).toMatchObject({ kind: 'SpiderSubnet', name: 's4', controller: true })
  await eventually(async () => {
    expect((await api.get(SPIDER_SUBNETS, { name: 's4' }))?.['status']).toEqual({
      totalIPCount: 10,
      allocatedIPCount: 3,
      controlledIPPools: JSON.stringify({
        [metadata.name]: { ips: ['172.18.40.1-172.18.40.3'], application: 'apps_v1:Deployment:shop:demo' },
      }),
    })
  })

  await api.patch(DEPLOYMENTS, at('demo'), 'merge', { spec: { replicas: 4 } })
  await eventually(() => expect(ipsOf(only(api))).toEqual(['172.18.40.1-172.18.40.5']))
  // What a pod has stays, whatever the size.
  await claim(api, metadata.name, '172.18.40.5')
  await api.patch(DEPLOYMENTS, at('demo'), 'merge', { spec: { replicas: 1 } })
  await eventually(() => expect(ipsOf(only(api))).toEqual(['172.18.40.1', '172.18.40.5']))

  await api.delete(DEPLOYMENTS, at('demo'))
  await eventually(() => expect(only(api).metadata.deletionTimestamp).toBeDefined())
  await api.delete(ADDRESS_CLAIMS, { name: 'underlay.172.18.40.5' })
  await eventually(() => expect(pools(api)).toEqual([]))
})

test('applications share a subnet without sharing an address, and nobody gets what is reserved', async () => {
  const api = await withSubnet()
  const reserved = {
    apiVersion: SPIDER,
    kind: 'SpiderReservedIP',
    metadata: { name: 'r' },
    spec: { ips: ['172.18.40.2'] },
  }
  await api.create(SPIDER_RESERVED_IPS, reserved)
  for (const name of ['a', 'b', 'c']) await api.create(DEPLOYMENTS, deployment(name, 2))
  await start(api)
  await eventually(() => expect(pools(api)).toHaveLength(3))
  await eventually(() =>
    expect(pools(api).map(ipsOf)).toEqual([
      ['172.18.40.1', '172.18.40.3-172.18.40.4'],
      ['172.18.40.5-172.18.40.7'],
      ['172.18.40.8-172.18.40.10'],
    ]),
  )
  const writes = api.writes.filter((write) => write.includes('spiderippools')).length
  await restart(api)
  await Bun.sleep(100)
  expect(api.writes.filter((write) => write.includes('spiderippools')).length).toBe(writes)
})

test.each<[string, object, readonly unknown[]]>([
  ['so many', { ...ASKS, 'ipam.spidernet.io/ippool-ip-number': '5' }, ['172.18.40.1-172.18.40.5']],
  ['so many more', { ...ASKS, 'ipam.spidernet.io/ippool-ip-number': '+3' }, ['172.18.40.1-172.18.40.5']],
  ['one more', ASKS, ['172.18.40.1-172.18.40.3']],
])('%s addresses', async (_, annotations, expected) => {
  const api = await withSubnet()
  await api.create(DEPLOYMENTS, deployment('demo', 2, annotations))
  await start(api)
  await eventually(() => expect(ipsOf(only(api))).toEqual(expected))
})

test('a pool for each interface and family', async () => {
  const api = await withSubnet()
  await api.create(SPIDER_SUBNETS, {
    apiVersion: SPIDER,
    kind: 'SpiderSubnet',
    metadata: { name: 's6' },
    spec: { subnet: 'fd00:18::/64', ips: ['fd00:18::10-fd00:18::ffff'] },
  })
  const subnets = [
    { interface: 'eth0', ipv4: ['s4'], ipv6: ['s6'] },
    { interface: 'net1', ipv6: ['s6'] },
  ]
  await api.create(DEPLOYMENTS, deployment('demo', 1, { 'ipam.spidernet.io/subnets': JSON.stringify(subnets) }))
  await start(api)
  await eventually(() =>
    expect(pools(api).map((pool) => [pool.metadata.name.replace(/-[^-]*$/, ''), ipsOf(pool)])).toEqual([
      ['auto4-demo-eth0', ['172.18.40.1-172.18.40.2']],
      ['auto6-demo-eth0', ['fd00:18::10-fd00:18::11']],
      ['auto6-demo-net1', ['fd00:18::12-fd00:18::13']],
    ]),
  )
})

test('other kinds: how many pods they have at a time', async () => {
  const api = await withSubnet()
  const template = { metadata: { annotations: ASKS } }
  const controlled = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid: 'u', controller: true }
  await api.create(DAEMON_SETS, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: at('daemon'),
    spec: { template },
    status: { desiredNumberScheduled: 3 },
  })
  await api.create(CRON_JOBS, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: at('cron'),
    spec: { jobTemplate: { spec: { parallelism: 2, completions: 1, template } } },
  })
  await api.create(REPLICA_SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...at('of-a-deployment'), ownerReferences: [controlled] },
    spec: { replicas: 3, template },
  })
  await start(api)
  await eventually(() =>
    expect(pools(api).map(ipsOf)).toEqual([['172.18.40.1-172.18.40.4'], ['172.18.40.5-172.18.40.6']]),
  )
})

test('a pool that is kept is the next application’s of that name', async () => {
  const api = await withSubnet()
  const keeps = { ...ASKS, 'ipam.spidernet.io/ippool-reclaim': 'false' }
  await api.create(DEPLOYMENTS, deployment('demo', 1, keeps))
  await start(api)
  await eventually(() =>
    expect(only(api).metadata.labels).toMatchObject({ 'ipam.spidernet.io/ippool-reclaim': 'false' }),
  )
  expect(only(api).metadata.labels?.['ipam.spidernet.io/owner-application-uid']).toBeUndefined()
  const { name } = only(api).metadata
  await api.delete(DEPLOYMENTS, at('demo'))
  await Bun.sleep(100)
  expect(only(api).metadata.deletionTimestamp).toBeUndefined()
  await api.create(DEPLOYMENTS, deployment('demo', 3, keeps))
  await eventually(() => expect(ipsOf(only(api))).toEqual(['172.18.40.1-172.18.40.4']))
  expect(only(api).metadata.name).toBe(name)
})

test.each<[string, object, object, string]>([
  [
    'a subnet that is not there',
    {},
    { 'ipam.spidernet.io/subnet': '{"ipv4":["nope"]}' },
    'there is no SpiderSubnet nope',
  ],
  ['a subnet of the other family', {}, { 'ipam.spidernet.io/subnet': '{"ipv6":["s4"]}' }, 'SpiderSubnet s4 is of IPv4'],
  ['no number', {}, { ...ASKS, 'ipam.spidernet.io/ippool-ip-number': 'many' }, 'must be a number'],
  ['no list', {}, { 'ipam.spidernet.io/subnets': '{}' }, 'must be a list'],
  [
    'too few addresses',
    { ips: ['172.18.40.1-172.18.40.2'] },
    { ...ASKS, 'ipam.spidernet.io/ippool-ip-number': '4' },
    'has 2 of the 4 addresses',
  ],
])('%s is told at the application', async (_, spec, annotations, words) => {
  const api = await withSubnet(spec)
  await api.create(DEPLOYMENTS, deployment('demo', 2, annotations))
  await start(api)
  await eventually(() => expect(messages(api).join('\n')).toContain(words))
})

test('what nobody here knows asks by its pods, and for a number', async () => {
  const api = await withSubnet()
  const pod = (name: string, number: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...at(name),
      annotations: { ...ASKS, 'ipam.spidernet.io/ippool-ip-number': number },
      ownerReferences: [
        {
          apiVersion: 'games.example/v1',
          kind: 'Fleet',
          name: `fleet-${number.replace('+', 'p')}`,
          uid: 'a-b-c12345',
          controller: true,
        },
      ],
    },
  })
  await api.create(PODS, pod('one', '2'))
  await api.create(PODS, pod('two', '2'))
  await api.create(PODS, pod('three', '+2'))
  await start(api)
  await eventually(() => expect(ipsOf(only(api))).toEqual(['172.18.40.1-172.18.40.2']))
  expect(only(api).metadata.name).toBe('auto4-fleet-2-eth0-c1234')
  await eventually(() => expect(messages(api).join('\n')).toContain('nobody can tell how many pods a Fleet'))
  await api.delete(PODS, at('one'))
  await Bun.sleep(50)
  expect(only(api).metadata.deletionTimestamp).toBeUndefined()
  await api.delete(PODS, at('two'))
  await eventually(() => expect(pools(api)).toEqual([]))
})

test('pools of the network become the subnet’s, with its gateway and routes, if all their addresses are', async () => {
  const api = await withSubnet()
  const pool = (name: string, spec: object): KubeObject => ({
    apiVersion: SPIDER,
    kind: 'SpiderIPPool',
    metadata: { name },
    spec: { subnet: '172.18.0.0/16', ...spec },
  })
  await api.create(SPIDER_IP_POOLS, pool('inside', { ips: ['172.18.40.1-172.18.40.2'] }))
  await api.create(SPIDER_IP_POOLS, pool('own', { ips: ['172.18.40.3'], gateway: '172.18.0.9', routes: [] }))
  await api.create(SPIDER_IP_POOLS, pool('outside', { ips: ['172.18.50.1'] }))
  await start(api)
  const specOf = async (name: string) => Object((await api.get(SPIDER_IP_POOLS, { name }))?.['spec'])
  const labelsOf = async (name: string) => (await api.get(SPIDER_IP_POOLS, { name }))?.metadata.labels ?? {}
  await eventually(async () => {
    expect(await specOf('inside')).toMatchObject({
      gateway: '172.18.0.1',
      routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }],
    })
    expect(await labelsOf('inside')).toMatchObject({ 'ipam.spidernet.io/owner-spider-subnet': 's4' })
    expect(await labelsOf('own')).toMatchObject({ 'ipam.spidernet.io/owner-spider-subnet': 's4' })
    expect(messages(api).join('\n')).toContain('not all of its addresses are among those of SpiderSubnet s4')
    expect((await api.get(SPIDER_SUBNETS, { name: 's4' }))?.['status']).toMatchObject({ allocatedIPCount: 3 })
  })
  expect(await specOf('own')).toMatchObject({ gateway: '172.18.0.9', routes: [] })
  expect(await labelsOf('outside')).not.toHaveProperty(['ipam.spidernet.io/owner-spider-subnet'])

  // A subnet stays while it has pools.
  await api.delete(SPIDER_SUBNETS, { name: 's4' })
  await Bun.sleep(50)
  expect(await api.get(SPIDER_SUBNETS, { name: 's4' })).toBeDefined()
  for (const name of ['inside', 'own']) await api.delete(SPIDER_IP_POOLS, { name })
  await eventually(async () => expect(await api.get(SPIDER_SUBNETS, { name: 's4' })).toBeUndefined())
})

test('a pool without a word about what becomes of it is left alone, whoever it was made for', async () => {
  const api = await withSubnet()
  await api.create(DEPLOYMENTS, deployment('demo', 1))
  await start(api)
  await eventually(() => expect(pools(api)).toHaveLength(1))
  const { name } = only(api).metadata
  ending.abort()
  await running
  ending = new AbortController()
  await api.patch(SPIDER_IP_POOLS, { name }, 'merge', {
    metadata: { labels: { 'ipam.spidernet.io/ippool-reclaim': null } },
  })
  await api.delete(DEPLOYMENTS, at('demo'))
  await start(api)
  await Bun.sleep(200)
  expect(only(api).metadata.deletionTimestamp).toBeUndefined()
})

const SOUND = { subnet: '172.18.0.0/16', ips: ['172.18.40.1-172.18.40.10'], gateway: '172.18.0.1' }

test.each<[string, object, string]>([
  ['no network', { subnet: undefined }, 'spec.subnet'],
  ['host bits', { subnet: '172.18.0.1/16' }, 'spec.subnet'],
  ['the other family', { ipVersion: 6 }, 'spec.ipVersion: 6 is not the family of 172.18.0.0/16'],
  ['a range backwards', { ips: ['172.18.40.9-172.18.40.1'] }, 'spec.ips[0]'],
  ['addresses outside', { ips: ['172.19.0.1'] }, 'spec.ips: 172.19.0.1 is not inside 172.18.0.0/16'],
  ['exceptions outside', { excludeIPs: ['10.0.0.1'] }, 'spec.excludeIPs: 10.0.0.1 is not inside 172.18.0.0/16'],
  ['a gateway outside', { gateway: '10.0.0.1' }, 'spec.gateway: 10.0.0.1 is not inside 172.18.0.0/16'],
  ['a route elsewhere', { routes: [{ dst: '10.0.0.0/8', gw: '10.0.0.1' }] }, 'spec.routes[0]: the gateway 10.0.0.1'],
])('a subnet with %s gives nothing out, says why, and gives once it is put right', async (_, wrong, words) => {
  const api = await withSubnet({ ...SOUND, routes: [], ...wrong })
  await api.create(DEPLOYMENTS, deployment('demo', 1))
  await start(api)
  const told = () => api.all(EVENTS).filter(({ reason }) => reason === 'RefusedSubnet')
  await eventually(() => expect(told().map(({ message }) => message)).toEqual([expect.stringContaining(words)]))
  expect(pools(api)).toEqual([])
  const right = { ipVersion: 4, excludeIPs: [], routes: [], ...SOUND }
  await api.patch(SPIDER_SUBNETS, { name: 's4' }, 'merge', { spec: right })
  await eventually(() => expect(ipsOf(only(api))).toBeDefined())
  expect(told()).toHaveLength(1)
})

test('of subnets that overlap the older one holds', async () => {
  const api = await withSubnet()
  await api.create(SPIDER_SUBNETS, {
    apiVersion: SPIDER,
    kind: 'SpiderSubnet',
    metadata: { name: 't4' },
    spec: { subnet: '172.18.0.0/17', ips: ['172.18.60.1-172.18.60.9'] },
  })
  await api.create(DEPLOYMENTS, deployment('demo', 1, { 'ipam.spidernet.io/subnet': '{"ipv4":["t4"]}' }))
  await start(api)
  await eventually(() => {
    const told = messages(api).join('\n')
    expect(told).toContain('172.18.0.0/17 overlaps 172.18.0.0/16 of s4, which is older')
    expect(told).toContain('SpiderSubnet t4 gives nothing out')
  })
  expect(pools(api)).toEqual([])
})
