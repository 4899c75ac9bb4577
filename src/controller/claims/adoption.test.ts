import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import { EventRecorder } from '../../kube/events.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { PODS, STATEFUL_SETS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { type AddressClaim, adoptedSandbox } from '../../network/model/pool.ts'
import { decodeAddressClaim } from '../../network/model/validate-pool.ts'
import { eventually } from '../testing/eventually.ts'
import { ClaimIndex } from './claim-index.ts'
import { PoolKeeper, poolEntry } from './pool-keeper.ts'
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

setDefaultTimeout(40_000)
const say = (): void => undefined
const NAMESPACE = 'shop'
const FINALIZER = 'spiderpool.spidernet.io'

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

/** A pool as Spiderpool leaves it. */
const pool = (name: string, subnet: string, allocated: Record<string, unknown>, more: object = {}): KubeObject => ({
  apiVersion: 'spiderpool.spidernet.io/v2beta1',
  kind: 'SpiderIPPool',
  metadata: { name, uid: `uid-${name}`, finalizers: [FINALIZER] },
  spec: {
    subnet,
    ips: [subnet.includes(':') ? 'fd00:18::5-fd00:18::9' : '172.18.30.131-172.18.30.139'],
    gateway: subnet.includes(':') ? 'fd00:18::1' : '172.18.0.1',
    ...more,
  },
  status: {
    allocatedIPs: JSON.stringify(allocated),
    allocatedIPCount: Object.keys(allocated).length,
    totalIPCount: 9,
  },
})

const given = (name: string, uid: string, ifname?: string) => ({
  ...(ifname === undefined ? {} : { interface: ifname }),
  pod: `${NAMESPACE}/${name}`,
  podUid: uid,
})

const STATEFUL = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 's1', controller: true }

const pod = (name: string, uid: string, status: object = { phase: 'Running' }, owner?: OwnerReference): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, uid, ...(owner === undefined ? {} : { ownerReferences: [owner] }) },
  spec: { nodeName: 'n1', containers: [] },
  status,
})

const endpoint = (name: string, uid: string, ips: readonly object[], set?: string): KubeObject => ({
  apiVersion: 'spiderpool.spidernet.io/v2beta1',
  kind: 'SpiderEndpoint',
  metadata: { name, namespace: NAMESPACE, finalizers: [FINALIZER] },
  status: {
    current: { uid, node: 'n1', ips },
    ownerControllerType: set === undefined ? 'Pod' : 'StatefulSet',
    ownerControllerName: set ?? name,
  },
})

/** Uids that the server gave, by those that a test gives. */
const uids = new Map<string, string>()
const real = (text: string): string =>
  [...uids].reduce((all, [from, to]) => all.replaceAll(`"${from}"`, `"${to}"`), text)
const uidOf = (uid: string): string => uids.get(uid) ?? uid

/** Pods are made first, and pools with what Spiderpool told last. */
async function cluster(...objects: readonly KubeObject[]): Promise<MemoryApi> {
  const api = new MemoryApi()
  uids.clear()
  for (const object of objects.filter(({ kind }) => kind === 'Pod')) {
    uids.set(object.metadata.uid ?? '', (await api.create(PODS, object)).metadata.uid ?? '')
  }
  const kinds = { SpiderIPPool: SPIDER_IP_POOLS, SpiderEndpoint: SPIDER_ENDPOINTS, StatefulSet: STATEFUL_SETS }
  for (const object of objects.filter(({ kind }) => kind !== 'Pod')) {
    const resource = kinds[object.kind as keyof typeof kinds]
    await api.create(resource, JSON.parse(real(JSON.stringify(object))) as KubeObject)
    if (object.kind === 'SpiderIPPool') await tell(api, object.metadata.name, object['status'])
  }
  return api
}

/** Spiderpool writes a pool's status. */
async function tell(api: MemoryApi, name: string, status: unknown): Promise<void> {
  const { allocatedIPs, ...counts } = status as { readonly allocatedIPs: string }
  const told = { ...counts, allocatedIPs: real(allocatedIPs) }
  await api.patch(SPIDER_IP_POOLS, { name }, 'merge', { status: told }, 'status')
}

async function claimsIn(api: MemoryApi): Promise<readonly AddressClaim[]> {
  const { items } = await api.list(ADDRESS_CLAIMS)
  return items.map((object) => {
    const decoded = decodeAddressClaim(addressClaimBinding.decode(object))
    if (!decoded.ok) throw new Error(`${object.metadata.name} cannot be read`)
    return decoded.value
  })
}

const brief = async (api: MemoryApi): Promise<readonly string[]> =>
  (await claimsIn(api)).map(({ address, pod, ifname }) => `${address} ${pod} ${ifname}`).toSorted()

const listing = async (api: MemoryApi, name = 'p'): Promise<unknown> => {
  const status = Object((await api.get(SPIDER_IP_POOLS, { name }))?.['status'])
  return status.allocatedIPs === null ? null : JSON.parse(status.allocatedIPs ?? '{}')
}

/** Spiderpool's record is replaced: all of it is settled. */
const settled = (api: MemoryApi, name = 'p') =>
  eventually(async () => {
    const entries = Object.values(Object(await listing(api, name))) as { claimed?: boolean }[]
    expect(entries.filter(({ claimed }) => claimed !== true)).toEqual([])
  })

describe('what Spiderpool gave out', () => {
  test('of pods that live is claimed, of others it is free', async () => {
    const allocated = {
      '172.18.30.131': given('web-1', 'u1'),
      '172.18.30.132': given('web-1', 'u1'),
      '172.18.30.133': given('gone', 'u2'),
      '172.18.30.134': given('other', 'before'),
      '172.18.30.135': given('ended', 'u5'),
      '10.9.9.9': given('web-1', 'u1'),
    }
    const ips = [
      { interface: 'eth0', ipv4: '172.18.30.131/16', ipv4Pool: 'p', cleanGateway: false, vlan: 0 },
      { interface: 'net1', ipv4: '172.18.30.132/16', ipv4Pool: 'p', cleanGateway: true, vlan: 0 },
    ]
    const api = await cluster(
      pool('p', '172.18.0.0/16', allocated, { routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }] }),
      pod('web-1', 'u1', { phase: 'Running', podIPs: [{ ip: '172.18.30.131' }] }),
      pod('other', 'now'),
      pod('ended', 'u5', { phase: 'Succeeded' }),
      endpoint('web-1', 'u1', ips),
    )
    start(api)
    await settled(api)
    expect(await brief(api)).toEqual(['172.18.30.131 web-1 eth0', '172.18.30.132 web-1 net1'])
    const [first, second] = await claimsIn(api)
    expect(first).toMatchObject({
      prefix: 16,
      pool: 'p',
      namespace: NAMESPACE,
      podUid: uidOf('u1'),
      node: 'n1',
      containerId: adoptedSandbox(uidOf('u1')),
      isSticky: false,
      gateway: '172.18.0.1',
      routes: [{ destination: '10.0.0.0/8', gateway: '172.18.0.2' }],
      hasCleanGateway: false,
    } as object)
    expect(second?.hasCleanGateway).toBe(true)
    expect(Object.keys(Object(await listing(api)))).toEqual(['172.18.30.131', '172.18.30.132'])
    // What only Spiderpool told is told of claims from now on.
    await eventually(async () => {
      const told = await api.get(SPIDER_ENDPOINTS, { namespace: NAMESPACE, name: 'web-1' })
      expect(told?.metadata.labels).toEqual({ 'weft.dev/derived-from': 'addressclaims' })
    })
  })

  test('stays claimed for as long as the pod lives, and no longer', async () => {
    const allocated = { '172.18.30.131': given('web-1', 'u1'), '172.18.30.132': given('web-1', 'u1') }
    const api = await cluster(
      pool('p', '172.18.0.0/16', allocated),
      pod('web-1', 'u1', { phase: 'Running', podIPs: [{ ip: '172.18.30.131' }] }),
    )
    start(api)
    await settled(api)
    const both = await brief(api)
    expect(both.map((one) => one.split(' ')[2])).toEqual(['eth0', '?ac121e84'])
    ahead = 3_600_000
    await Bun.sleep(100)
    expect(await brief(api)).toEqual(both)
    await api.delete(PODS, { namespace: NAMESPACE, name: 'web-1' })
    await eventually(async () => expect(await brief(api)).toEqual([]))
  })

  test('of a pod with pools of both families is claimed with the interfaces that only its endpoint tells', async () => {
    const ips = [
      { interface: 'eth0', ipv4: '172.18.30.131/16', ipv4Pool: 'p', ipv6: 'fd00:18::5/64', ipv6Pool: 'q' },
      { interface: 'net1', ipv6: 'fd00:18::6/64', ipv6Pool: 'q' },
    ]
    const api = await cluster(
      pool('p', '172.18.0.0/16', { '172.18.30.131': given('web-1', 'u1') }),
      // Cannot be understood for now: what was given out of it waits, and what is told of it as well.
      pool(
        'q',
        'fd00:18::/64',
        { 'fd00:18::5': given('web-1', 'u1'), 'fd00:18::6': given('web-1', 'u1') },
        { gateway: 'x' },
      ),
      pod('web-1', 'u1'),
      endpoint('web-1', 'u1', ips),
    )
    start(api)
    await settled(api)
    expect(await brief(api)).toEqual(['172.18.30.131 web-1 eth0'])
    await api.patch(SPIDER_IP_POOLS, { name: 'q' }, 'merge', { spec: { gateway: 'fd00:18::1' } })
    await settled(api, 'q')
    expect(await brief(api)).toEqual(['172.18.30.131 web-1 eth0', 'fd00:18::5 web-1 eth0', 'fd00:18::6 web-1 net1'])
  })

  test('is kept for the next pod of a StatefulSet, also while there is none', async () => {
    const set = { metadata: { name: 'db', namespace: NAMESPACE, uid: 's1' }, spec: { replicas: 2 } }
    const of = (name: string, address: string, uid: string) =>
      endpoint(name, uid, [{ interface: 'eth0', ipv4: `${address}/16`, ipv4Pool: 'p' }], 'db')
    const api = await cluster(
      { apiVersion: 'apps/v1', kind: 'StatefulSet', ...set },
      pool('p', '172.18.0.0/16', {
        '172.18.30.131': given('db-0', 'u0'),
        '172.18.30.132': given('db-1', 'u1'),
        '172.18.30.133': given('db-2', 'u2'),
      }),
      pod('db-0', 'u0', { phase: 'Running' }, STATEFUL),
      of('db-0', '172.18.30.131', 'u0'),
      of('db-1', '172.18.30.132', 'u1'),
      of('db-2', '172.18.30.133', 'u2'),
    )
    start(api)
    await settled(api)
    expect(await brief(api)).toEqual(['172.18.30.131 db-0 eth0', '172.18.30.132 db-1 eth0'])
    for (const { owner, isSticky } of await claimsIn(api)) {
      expect([owner?.kind, owner?.name, isSticky]).toEqual(['StatefulSet', 'db', true])
    }
  })

  test('is nobody’s once the pod was attached anew, here', async () => {
    const api = await cluster(
      pool('p', '172.18.0.0/16', { '172.18.30.131': given('web-1', 'u1') }),
      pod('web-1', 'u1', { phase: 'Running', podIPs: [{ ip: '172.18.30.131' }] }),
    )
    const ours = {
      metadata: { name: 'underlay.172.18.30.139' },
      spec: {
        ...{
          address: '172.18.30.139',
          prefixLength: 16,
          pool: 'p',
          namespace: NAMESPACE,
          pod: 'web-1',
          podUID: uidOf('u1'),
        },
        ...{ interface: 'eth0', sandbox: 'c9', node: 'n1' },
      },
    }
    await api.create(ADDRESS_CLAIMS, { apiVersion: 'weft.dev/v1', kind: 'AddressClaim', ...ours })
    start(api)
    await settled(api)
    expect(await brief(api)).toEqual(['172.18.30.139 web-1 eth0'])
  })

  test('holds its pool until it is settled', async () => {
    const api = await cluster(
      pool('p', '172.18.0.0/16', { '172.18.30.131': given('web-1', 'u1') }, { gateway: 'x' }),
      pod('web-1', 'u1'),
    )
    await api.delete(SPIDER_IP_POOLS, { name: 'p' })
    start(api)
    await Bun.sleep(100)
    expect((await api.get(SPIDER_IP_POOLS, { name: 'p' }))?.metadata.finalizers).toEqual([FINALIZER])
    expect(await listing(api)).toEqual({ '172.18.30.131': given('web-1', uidOf('u1')) })
  })

  test('a Spiderpool that still runs writes it anew: what it adds is claimed, what is claimed stays', async () => {
    const api = await cluster(
      pool('p', '172.18.0.0/16', { '172.18.30.131': given('web-1', 'u1', 'net7') }),
      pod('web-1', 'u1'),
      pod('web-2', 'u2'),
    )
    start(api)
    await settled(api)
    const [before] = (await api.list(ADDRESS_CLAIMS)).items
    const text = { '172.18.30.131': given('web-1', 'u1'), '172.18.30.132': given('web-2', 'u2', 'net7') }
    await tell(api, 'p', { allocatedIPs: JSON.stringify(text) })
    await settled(api)
    expect(await brief(api)).toEqual(['172.18.30.131 web-1 net7', '172.18.30.132 web-2 net7'])
    expect((await api.list(ADDRESS_CLAIMS)).items[0]).toEqual(before as KubeObject)
  })

  test('written while a status is made of what was known before is not lost', async () => {
    const api = await cluster(pool('p', '172.18.0.0/16', {}))
    await tell(api, 'p', { allocatedIPs: '{}', totalIPCount: 1 })
    const entry = poolEntry((await api.get(SPIDER_IP_POOLS, { name: 'p' })) as KubeObject)
    const adopter = { adopt: () => Promise.reject(new Error('nothing of it is known')) }
    const keeper = new PoolKeeper({ api, claims: new ClaimIndex(), adopter, pool: () => entry })
    const text = { '172.18.30.131': given('web-1', 'u1') }
    await tell(api, 'p', { allocatedIPs: JSON.stringify(text), totalIPCount: 5, allocatedIPCount: 1 })
    await keeper.lookAfter('p')
    expect(await listing(api)).toEqual(text)
  })
})
