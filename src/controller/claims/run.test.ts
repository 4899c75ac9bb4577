import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import { EventRecorder } from '../../kube/events.ts'
import type { KubeObject } from '../../kube/object.ts'
import { PODS, REPLICA_SETS, STATEFUL_SETS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { ip } from '../../network/model/address.ts'
import { type AddressClaim, claimName } from '../../network/model/pool.ts'
import { eventually } from '../testing/eventually.ts'
import { runClaims } from './run.ts'

let ending = new AbortController()
let running: Promise<void> = Promise.resolve()
let ahead = 0

afterEach(async () => {
  ending.abort()
  await running
  ending = new AbortController()
  ahead = 0
})

const NAMESPACE = 'shop'
setDefaultTimeout(40_000)
const say = (): void => undefined

function start(api: MemoryApi): void {
  running = runClaims({
    api,
    events: new EventRecorder(api, { component: 'test' }),
    signal: ending.signal,
    log: { info: say, warn: say, error: say },
    now: () => Date.now() + ahead,
    auditEveryMs: 10,
  })
}

const pool: KubeObject = {
  apiVersion: 'spiderpool.spidernet.io/v2beta1',
  kind: 'SpiderIPPool',
  metadata: { name: 'ippool-test', uid: 'p1' },
  spec: {
    subnet: '172.18.0.0/16',
    ips: ['172.18.30.131-172.18.30.140'],
    excludeIPs: ['172.18.30.140'],
    gateway: '172.18.0.1',
  },
}

async function addPod(api: MemoryApi, name: string, more: Record<string, unknown> = {}): Promise<KubeObject> {
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: 'r1', controller: true }
  return await api.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, ownerReferences: [controller], ...(more['metadata'] as object) },
    spec: { nodeName: 'n1', containers: [] },
    status: { phase: 'Running' },
  })
}

function claimOf(pod: KubeObject, address: string, more: Partial<AddressClaim> = {}): AddressClaim {
  return {
    address: ip(address),
    prefix: 16,
    pool: 'ippool-test',
    namespace: NAMESPACE,
    pod: pod.metadata.name,
    podUid: pod.metadata.uid ?? '',
    ifname: 'eth0',
    containerId: 'c1',
    node: 'n1',
    gateway: ip('172.18.0.1'),
    isSticky: false,
    routes: [],
    hasCleanGateway: false,
    ...more,
  }
}

async function claim(api: MemoryApi, value: AddressClaim): Promise<void> {
  await api.create(ADDRESS_CLAIMS, addressClaimBinding.encode(value))
}

const has = async (api: MemoryApi, address: string): Promise<boolean> =>
  (await api.get(ADDRESS_CLAIMS, { name: claimName(ip(address)) })) !== undefined
const statusOf = async (api: MemoryApi): Promise<Record<string, unknown>> =>
  Object((await api.get(SPIDER_IP_POOLS, { name: 'ippool-test' }))?.['status'])
const endpointOf = (api: MemoryApi, name: string) => api.get(SPIDER_ENDPOINTS, { namespace: NAMESPACE, name })

test('a pool tells its counts, a pod has an endpoint, and both go with the pod', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, pool)
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd1', controller: true }
  const set = await api.create(REPLICA_SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web-abc', namespace: NAMESPACE, ownerReferences: [deployment] },
  })
  start(api)
  await eventually(async () =>
    expect(await statusOf(api)).toMatchObject({ totalIPCount: 9, allocatedIPCount: 0, allocatedIPs: '{}' }),
  )
  const dressed = await api.get(SPIDER_IP_POOLS, { name: 'ippool-test' })
  expect(dressed?.metadata.labels).toEqual({ 'ipam.spidernet.io/ippool-cidr': '172-18-0-0-16' })
  expect(dressed?.metadata.finalizers).toEqual(['spiderpool.spidernet.io'])
  expect(dressed?.['spec']).toMatchObject({ ipVersion: 4 })

  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', controller: true }
  const ownerReferences = [{ ...controller, uid: set.metadata.uid }]
  const pod = await addPod(api, 'web-abc-1', { metadata: { ownerReferences } })
  await claim(api, claimOf(pod, '172.18.30.131'))
  await eventually(async () => {
    expect(await statusOf(api)).toMatchObject({
      allocatedIPCount: 1,
      allocatedIPs: JSON.stringify({
        '172.18.30.131': { pod: 'shop/web-abc-1', podUid: pod.metadata.uid, claimed: true },
      }),
    })
    expect((await endpointOf(api, 'web-abc-1'))?.['status']).toEqual({
      ownerControllerType: 'Deployment',
      ownerControllerName: 'web',
      current: {
        uid: pod.metadata.uid,
        node: 'n1',
        ips: [
          {
            interface: 'eth0',
            ipv4: '172.18.30.131/16',
            ipv4Pool: 'ippool-test',
            ipv4Gateway: '172.18.0.1',
            vlan: 0,
            cleanGateway: false,
          },
        ],
      },
    })
  })
  expect((await endpointOf(api, 'web-abc-1'))?.metadata.ownerReferences).toEqual([
    { apiVersion: 'v1', kind: 'Pod', name: 'web-abc-1', uid: pod.metadata.uid ?? '' },
  ])

  await api.delete(PODS, { namespace: NAMESPACE, name: 'web-abc-1' }, { gracePeriodSeconds: 0 })
  // Young claims are left alone: the API server may not know of their pods yet.
  await Bun.sleep(50)
  expect(await has(api, '172.18.30.131')).toBe(true)
  ahead = 60_000
  await eventually(async () => {
    expect(await has(api, '172.18.30.131')).toBe(false)
    expect(await endpointOf(api, 'web-abc-1')).toBeUndefined()
    expect(await statusOf(api)).toMatchObject({ allocatedIPCount: 0 })
  })
})

test('many pods at once are few writes of their pool', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, { ...pool, spec: { subnet: '10.0.0.0/16', ips: ['10.0.0.1-10.0.1.255'] } })
  start(api)
  await eventually(async () => expect(await statusOf(api)).toMatchObject({ totalIPCount: 511 }))
  for (let i = 1; i <= 300; i += 1) {
    const pod = await addPod(api, `web-abc-${i}`)
    await claim(api, claimOf(pod, `10.0.${Math.floor(i / 256)}.${i % 256}`, { gateway: ip('10.0.255.254') }))
  }
  await eventually(async () => {
    expect(await statusOf(api)).toMatchObject({ allocatedIPCount: 300 })
    expect(api.all(SPIDER_ENDPOINTS)).toHaveLength(300)
  })
  // A handful; the slower the machine, the more often it is time to write.
  expect(api.writes.filter((write) => write.includes('spiderippools')).length).toBeLessThan(60)
})

test('a StatefulSet’s claim waits for the next pod, until the set gets smaller', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, pool)
  await api.create(STATEFUL_SETS, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: NAMESPACE, uid: 's1' },
    spec: { replicas: 2 },
  })
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 's1' }
  const pod = await addPod(api, 'db-1', { metadata: { ownerReferences: [{ ...owner, controller: true }] } })
  await claim(api, claimOf(pod, '172.18.30.132', { isSticky: true, owner }))
  start(api)
  await eventually(async () => expect(await endpointOf(api, 'db-1')).toBeDefined())
  expect((await endpointOf(api, 'db-1'))?.metadata.ownerReferences ?? []).toEqual([])
  await api.delete(PODS, { namespace: NAMESPACE, name: 'db-1' }, { gracePeriodSeconds: 0 })
  ahead = 60_000
  await Bun.sleep(100)
  expect(await has(api, '172.18.30.132')).toBe(true)
  expect(await endpointOf(api, 'db-1')).toBeDefined()
  await api.patch(STATEFUL_SETS, { namespace: NAMESPACE, name: 'db' }, 'merge', { spec: { replicas: 1 } })
  await eventually(async () => {
    expect(await has(api, '172.18.30.132')).toBe(false)
    expect(await endpointOf(api, 'db-1')).toBeUndefined()
  })
})

test('a pool that is deleted stays until nobody has an address of it', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, pool)
  const pod = await addPod(api, 'web-abc-1')
  await claim(api, claimOf(pod, '172.18.30.131'))
  start(api)
  await eventually(async () => {
    const object = await api.get(SPIDER_IP_POOLS, { name: 'ippool-test' })
    expect(object?.metadata.finalizers).toEqual(['spiderpool.spidernet.io'])
  })
  await api.delete(SPIDER_IP_POOLS, { name: 'ippool-test' })
  await Bun.sleep(50)
  expect((await api.get(SPIDER_IP_POOLS, { name: 'ippool-test' }))?.metadata.deletionTimestamp).toBeDefined()
  await api.delete(ADDRESS_CLAIMS, { name: claimName(ip('172.18.30.131')) })
  await eventually(async () => expect(await api.get(SPIDER_IP_POOLS, { name: 'ippool-test' })).toBeUndefined())
})

test('a pool that is being deleted may be changed: its numbers follow, and it goes all the same', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, pool)
  const pod = await addPod(api, 'web-abc-1')
  await claim(api, claimOf(pod, '172.18.30.131'))
  start(api)
  await eventually(async () => expect(await statusOf(api)).toMatchObject({ totalIPCount: 9, allocatedIPCount: 1 }))
  const at = { name: 'ippool-test' }
  await api.delete(SPIDER_IP_POOLS, at)
  const labels = { 'ipam.spidernet.io/ippool-cidr': null }
  await api.patch(SPIDER_IP_POOLS, at, 'merge', {
    metadata: { labels },
    spec: { ips: ['172.18.30.131-172.18.30.133'] },
  })
  await eventually(async () => expect(await statusOf(api)).toMatchObject({ totalIPCount: 3, allocatedIPCount: 1 }))
  const { metadata } = (await api.get(SPIDER_IP_POOLS, at)) ?? {}
  expect([metadata?.finalizers, metadata?.labels ?? {}]).toEqual([['spiderpool.spidernet.io'], {}])
  expect(await has(api, '172.18.30.131')).toBe(true)
  await api.delete(ADDRESS_CLAIMS, { name: claimName(ip('172.18.30.131')) })
  await eventually(async () => expect(await api.get(SPIDER_IP_POOLS, at)).toBeUndefined())
})

test('what was heard is not enough to give an address back', async () => {
  const api = new MemoryApi()
  await api.create(SPIDER_IP_POOLS, pool)
  const pod = await addPod(api, 'web-abc-1')
  await claim(api, claimOf(pod, '172.18.30.131', { podUid: 'another' }))
  // Of the pod that is there, only a read tells.
  let read = 0
  api.before = (verb, resource) => {
    if (verb === 'get' && resource === PODS) {
      read += 1
      throw new Error('no answer')
    }
  }
  start(api)
  await eventually(async () => expect(await statusOf(api)).toMatchObject({ allocatedIPCount: 1 }))
  ahead = 60_000
  await eventually(() => expect(read).toBeGreaterThan(0))
  expect(await has(api, '172.18.30.131')).toBe(true)
  api.before = () => undefined
  await eventually(async () => expect(await has(api, '172.18.30.131')).toBe(false))
})

test('endpoints that others made are left alone, those that are going are let go', async () => {
  const api = new MemoryApi()
  const object = (name: string): KubeObject => ({
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderEndpoint',
    metadata: { name, namespace: NAMESPACE, finalizers: ['spiderpool.spidernet.io'] },
    status: {},
  })
  await api.create(SPIDER_ENDPOINTS, object('stays'))
  await api.create(SPIDER_ENDPOINTS, object('goes'))
  await api.delete(SPIDER_ENDPOINTS, { namespace: NAMESPACE, name: 'goes' })
  start(api)
  await eventually(async () => expect(await endpointOf(api, 'goes')).toBeUndefined())
  expect(await endpointOf(api, 'stays')).toBeDefined()
})
