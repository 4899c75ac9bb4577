import { describe, expect, test } from 'bun:test'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS, SPIDER_RESERVED_IPS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import type { KubeObject } from '../../kube/object.ts'
import { PODS, STATEFUL_SETS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { ip } from '../../network/model/address.ts'
import { type AddressClaim, adoptedSandbox, claimName } from '../../network/model/pool.ts'
import { PLAIN } from '../../text/look.ts'
import { auditIpam, lastingFindings } from './audit.ts'
import { gatherIpam } from './gather.ts'
import { lookAtPools } from './pools.ts'
import { printIpamAudit, printPools, printWho } from './print.ts'
import { giveBack } from './repair.ts'
import { whoHas } from './who.ts'

const SPIDER = 'spiderpool.spidernet.io/v2beta1'

function pool(name: string, spec: object, status?: object): KubeObject {
  return {
    apiVersion: SPIDER,
    kind: 'SpiderIPPool',
    metadata: { name },
    spec,
    ...(status === undefined ? {} : { status }),
  }
}

async function cluster(): Promise<MemoryApi> {
  // Everything is an hour old: nothing is too young to be judged.
  const api = new MemoryApi(() => Date.now() - 3_600_000)
  const spec = { subnet: '172.18.0.0/16', ips: ['172.18.30.131-172.18.30.140'], excludeIPs: ['172.18.30.140'] }
  await api.create(SPIDER_IP_POOLS, pool('ippool-test', spec, { totalIPCount: 9, allocatedIPCount: 1 }))
  await api.create(SPIDER_RESERVED_IPS, {
    apiVersion: SPIDER,
    kind: 'SpiderReservedIP',
    metadata: { name: 'printers' },
    spec: { ips: ['172.18.30.139'] },
  })
  return api
}

async function podWith(api: MemoryApi, name: string, address: string, more: Partial<AddressClaim> | 'no claim' = {}) {
  const pod = await api.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'n1' },
    status: { phase: 'Running', podIPs: [{ ip: address }] },
  })
  if (more === 'no claim') return
  await claim(api, { address: ip(address), pod: name, podUid: pod.metadata.uid ?? '', ...more })
  await endpoint(api, name, address)
}

async function endpoint(api: MemoryApi, name: string, address: string): Promise<void> {
  const ips = [{ interface: 'eth0', ipv4: `${address}/16` }]
  const metadata = { name, namespace: 'shop' }
  await api.create(SPIDER_ENDPOINTS, {
    apiVersion: SPIDER,
    kind: 'SpiderEndpoint',
    metadata,
    status: { current: { ips } },
  })
}

async function claim(api: MemoryApi, more: Partial<AddressClaim>): Promise<void> {
  const value: AddressClaim = {
    address: ip('172.18.30.131'),
    prefix: 16,
    pool: 'ippool-test',
    namespace: 'shop',
    pod: 'web-1',
    podUid: 'u1',
    ifname: 'eth0',
    containerId: 'c1',
    node: 'n1',
    isSticky: false,
    routes: [],
    hasCleanGateway: false,
    ...more,
  }
  await api.create(ADDRESS_CLAIMS, addressClaimBinding.encode(value))
}

const codesOf = async (api: MemoryApi): Promise<readonly string[]> =>
  auditIpam(await gatherIpam(api)).map(({ code, object }) => `${code} ${object}`)

describe('audit', () => {
  test('what agrees is no finding', async () => {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131')
    const view = await gatherIpam(api)
    expect(auditIpam(view)).toEqual([])
    expect(printIpamAudit(view, [], PLAIN)).toEqual(['✔ 1 claim, 1 pod, 1 pool compared: no difference'])
  })

  test.each<[string, (api: MemoryApi) => Promise<unknown>, readonly string[]]>([
    ['a pod that is gone', (api) => claim(api, {}), ['claim-garbage underlay.172.18.30.131']],
    [
      'a StatefulSet that waits for its pod',
      async (api) => {
        const metadata = { name: 'db', namespace: 'shop' }
        await api.create(STATEFUL_SETS, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas: 1 } })
        await claim(api, {
          pod: 'db-0',
          isSticky: true,
          owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' },
        })
      },
      [],
    ],
    [
      'a pool that is gone',
      (api) => podWith(api, 'web-1', '172.18.30.131', { pool: 'gone' }),
      ['claim-without-pool underlay.172.18.30.131', 'status-differs ippool-test'],
    ],
    [
      'an excluded address',
      (api) => podWith(api, 'web-1', '172.18.30.140'),
      ['claim-outside-pool underlay.172.18.30.140'],
    ],
    [
      'a reserved address',
      (api) => podWith(api, 'web-1', '172.18.30.139'),
      ['claim-outside-pool underlay.172.18.30.139'],
    ],
    [
      'a pod with an address that nobody claimed',
      (api) => podWith(api, 'web-1', '172.18.30.131', 'no claim'),
      ['address-without-claim shop/web-1', 'status-differs ippool-test'],
    ],
    [
      'a pod with another pod’s address',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        await podWith(api, 'web-2', '172.18.30.131', 'no claim')
      },
      ['address-of-another shop/web-2'],
    ],
    [
      'a pod with another address than is claimed',
      (api) => podWith(api, 'web-1', '172.18.99.1', { address: ip('172.18.30.131') }),
      ['claim-not-at-pod underlay.172.18.30.131', 'endpoint-differs shop/web-1'],
    ],
    [
      'an address of the overlay is none of ours',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        await podWith(api, 'web-2', '10.128.0.4', 'no claim')
      },
      [],
    ],
    [
      'an address of a node',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        for (const name of ['proxy-1', 'proxy-2']) {
          await api.create(PODS, {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, namespace: 'shop' },
            spec: { nodeName: 'n1', hostNetwork: true },
            status: { phase: 'Running', podIPs: [{ ip: '172.18.30.135' }] },
          })
        }
      },
      ['node-address ippool-test'],
    ],
    [
      'a claim with another name',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        const object = addressClaimBinding.encode((await gatherIpam(api)).claims[0]?.value as AddressClaim)
        await api.create(ADDRESS_CLAIMS, {
          ...object,
          metadata: { ...object.metadata, name: 'underlay.172.18.30.132' },
        })
      },
      ['claim-unreadable underlay.172.18.30.132'],
    ],
    [
      'an endpoint without a claim',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        await endpoint(api, 'left', '172.18.30.138')
      },
      ['endpoint-differs shop/left'],
    ],
    [
      'a pool that an older one contradicts',
      async (api) => {
        await podWith(api, 'web-1', '172.18.30.131')
        await api.create(
          SPIDER_IP_POOLS,
          pool('second', { subnet: '172.18.0.0/17', ips: [] }, { totalIPCount: 0, allocatedIPCount: 0 }),
        )
      },
      ['pool-refused second'],
    ],
  ])('%s', async (_, happen, expected) => {
    const api = await cluster()
    await happen(api)
    const found = await codesOf(api)
    // The pool of the cluster tells of one address in use.
    const isEmpty = !expected.some((one) => one.startsWith('status-differs')) && api.all(ADDRESS_CLAIMS).length !== 1
    expect(found.filter((one) => !(isEmpty && one.startsWith('status-differs ippool-test')))).toEqual([...expected])
  })

  test('what was on its way is no difference', () => {
    const finding = (object: string, sentence: string) => ({ code: 'status-differs', object, sentence }) as const
    const [a, b, later] = [finding('a', 'one'), finding('b', 'one'), finding('a', 'two')]
    expect(lastingFindings([a, b], [later])).toEqual([later])
    expect(lastingFindings([b], [a])).toEqual([])
  })

  test('repair gives back what is nobody’s, and only that', async () => {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131')
    await claim(api, { address: ip('172.18.30.132'), pod: 'gone' })
    const view = await gatherIpam(api)
    const findings = auditIpam(view)
    const printed = printIpamAudit(view, findings, PLAIN).join('\n')
    expect(printed).toContain('172.18.30.132 of pod shop/gone, eth0: the pod is gone')
    expect(printed).toContain('weft ipam audit --repair gives it back')
    expect(await giveBack(api, view, findings)).toEqual([
      { name: 'underlay.172.18.30.132', done: true, message: '172.18.30.132 is given back' },
    ])
    expect(api.all(ADDRESS_CLAIMS).map(({ metadata }) => metadata.name)).toEqual(['underlay.172.18.30.131'])
  })

  test('a pod that came meanwhile keeps its address', async () => {
    const api = await cluster()
    await claim(api, { podUid: 'u1' })
    const view = await gatherIpam(api)
    const findings = auditIpam(view)
    const pod = await api.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-1', namespace: 'shop' },
    })
    const name = claimName(ip('172.18.30.131'))
    await api.patch(ADDRESS_CLAIMS, { name }, 'merge', { spec: { podUID: pod.metadata.uid } })
    const [result] = await giveBack(api, view, findings)
    expect(result).toEqual({ name, done: false, message: 'it changed meanwhile' })
  })
})

describe('who', () => {
  test.each([
    ['172.18.30.131', 'claimed'],
    ['172.18.30.132', 'free'],
    ['172.18.30.139', 'kept back'],
    ['172.18.30.140', 'kept back'],
    ['172.18.99.9', 'kept back'],
    ['10.0.0.1', 'unknown'],
    ['172.18.30.133', 'unclaimed'],
  ])('%s is %s', async (address, state) => {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131')
    await podWith(api, 'web-3', '172.18.30.133', 'no claim')
    expect(whoHas(await gatherIpam(api), ip(address)).state).toBe(state as never)
  })

  test('everything about an address that is held', async () => {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131', { owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } })
    const view = await gatherIpam(api)
    const text = printWho(whoHas(view, ip('172.18.30.131')), view.now, PLAIN).join('\n')
    expect(text).toStartWith('172.18.30.131 is held for a pod')
    for (const part of ['ippool-test', 'shop/web-1', 'eth0', 'n1', 'c1', '60 min ago', 'Deployment web']) {
      expect(text).toContain(part)
    }
    expect(text).toMatch(/endpoint +shop\/web-1/)
  })

  test('of a held address only pools are told that would give it out, too', async () => {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131', { ifname: 'net1' })
    await api.patch(PODS, { namespace: 'shop', name: 'web-1' }, 'merge', { status: { podIPs: [] } }, 'status')
    await api.create(SPIDER_IP_POOLS, pool('other', { subnet: '172.18.0.0/16', ips: ['172.18.40.1'] }))
    const view = await gatherIpam(api)
    const text = printWho(whoHas(view, ip('172.18.30.131')), view.now, PLAIN).join('\n')
    expect(text).not.toContain('other')
    expect(text).toMatch(/at pod +no pod’s status has it; it tells of first interfaces only/)
    const free = printWho(whoHas(view, ip('172.18.40.1')), view.now, PLAIN).join('\n')
    expect(free).toContain('other gives it out')
  })

  test('why nobody gets it', async () => {
    const view = await gatherIpam(await cluster())
    const text = printWho(whoHas(view, ip('172.18.30.139')), view.now, PLAIN).join('\n')
    expect(text).toContain('SpiderReservedIP printers reserves it')
  })
})

test('pools: what they have, gave and have left', async () => {
  const api = await cluster()
  await podWith(api, 'web-1', '172.18.30.131')
  await api.create(SPIDER_IP_POOLS, pool('off', { subnet: '10.9.0.0/24', ips: ['10.9.0.2'], disable: true }))
  await api.create(
    SPIDER_IP_POOLS,
    pool('vast', { subnet: 'fd00::/64', ips: ['fd00::2-fd00::ffff:ffff:ffff:fffe'], default: true }),
  )
  const looks = lookAtPools(await gatherIpam(api))
  expect(looks.map(({ name, total, used, reserved, free, next }) => [name, total, used, reserved, free, next])).toEqual(
    [
      ['ippool-test', 9n, 1, 1n, 7n, ip('172.18.30.132')],
      ['off', 1n, 0, 0n, 1n, ip('10.9.0.2')],
      ['vast', 2n ** 64n - 3n, 0, 0n, 2n ** 64n - 3n, ip('fd00::2')],
    ],
  )
  const text = printPools(looks, PLAIN).join('\n')
  expect(text).toContain('it is disabled')
  expect(text).toContain('default')
})

test('of a pool that cannot be read is shown what is known: its name, and why', async () => {
  const api = await cluster()
  await api.create(SPIDER_IP_POOLS, pool('odd', { subnet: '172.18/16', ips: ['172.18.30.131'] }))
  const view = await gatherIpam(api)
  expect(lookAtPools(view).find(({ name }) => name === 'odd')?.subnet).toBeUndefined()
  const text = printPools(lookAtPools(view), PLAIN).join('\n')
  expect(text).toMatch(/^odd +— .*refused$/m)
  expect(text).toContain('! odd: spec.subnet')
  expect(text).not.toContain('0.0.0.0')
  expect(whoHas(view, ip('0.0.0.0')).state).toBe('unknown')
})

describe('what Spiderpool gave out', () => {
  async function theirs(): Promise<MemoryApi> {
    const api = await cluster()
    await podWith(api, 'web-1', '172.18.30.131', 'no claim')
    const [pod] = (await api.list(PODS)).items
    const given = { pod: 'shop/web-1', podUid: pod?.metadata.uid }
    const allocatedIPs = JSON.stringify({ '172.18.30.131': given, '172.18.30.132': given })
    const status = { totalIPCount: 9, allocatedIPCount: 2, allocatedIPs }
    await api.patch(SPIDER_IP_POOLS, { name: 'ippool-test' }, 'merge', { status }, 'status')
    return api
  }

  test('is not free, and no pod loses it, before there are claims', async () => {
    const view = await gatherIpam(await theirs())
    const findings = auditIpam(view)
    expect(findings.map(({ code, sentence }) => [code, sentence])).toEqual([
      ['not-adopted', '2 that Spiderpool gave out and no claim is on, 172.18.30.131 the first'],
    ])
    const found = whoHas(view, ip('172.18.30.132'))
    expect([found.state, found.pools[0]?.why]).toEqual(['kept back', expect.stringContaining('Spiderpool gave it')])
    expect(lookAtPools(view)).toMatchObject([{ used: 2, free: 6n, next: '172.18.30.133' }])
  })

  test('is told with its claim once it has one', async () => {
    const api = await theirs()
    const [pod] = (await api.list(PODS)).items
    const podUid = pod?.metadata.uid ?? ''
    const containerId = adoptedSandbox(podUid)
    for (const address of ['172.18.30.131', '172.18.30.132'])
      await claim(api, { address: ip(address), pod: 'web-1', podUid, containerId })
    const view = await gatherIpam(api)
    expect(auditIpam(view).map(({ code }) => code)).not.toContain('not-adopted')
    const found = whoHas(view, ip('172.18.30.132'))
    expect([found.state, found.claim?.sandbox]).toEqual(['claimed', undefined])
    expect(printWho(found, view.now, PLAIN).join('\n')).toContain('unknown: Spiderpool attached it')
    expect(lookAtPools(view)).toMatchObject([{ used: 2, free: 6n, next: '172.18.30.133' }])
  })
})
