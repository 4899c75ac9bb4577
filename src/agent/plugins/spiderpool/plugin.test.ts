import { describe, expect, test } from 'bun:test'
import { CniError, cniError } from '../../../cni/index.ts'
import { cidr, ip } from '../../../network/model/address.ts'
import { parseIpRange } from '../../../network/model/ip-range.ts'
import { claimName } from '../../../network/model/pool.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import { FaultyStore } from './testing/faults.ts'
import { claim, from, pod, pool, STATEFUL } from './testing/objects.ts'
import { Agent, callFor, claimsIn } from './testing/rig.ts'

const SEED = pool('p', '172.18.30.131-172.18.30.140')
const WISH = from(['p'])

async function cluster(...pools: readonly ReturnType<typeof pool>[]): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry()
  for (const one of pools) await registry.create('AddressPool', one.name, one)
  await registry.create('Namespace', 'default', { name: 'default', uid: 'uid-default' })
  return registry
}

async function failure(promise: Promise<unknown>): Promise<CniError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof CniError) return error
  throw error
}

/** When what was written has been told to everybody. */
const told = () => Bun.sleep(5)

describe('ADD', () => {
  test('the seed: the first address, then the next, with gateway and default route', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    expect(await agent.add(pod('demo-1', WISH))).toEqual({
      interfaces: [],
      ips: [{ address: '172.18.30.131/16', gateway: '172.18.0.1' }],
      routes: [{ dst: '0.0.0.0/0', gw: '172.18.0.1' }],
      dns: { nameservers: [], search: [], options: [] },
    })
    const other = await Agent.start(registry, { node: 'node2' })
    expect(await other.addresses(pod('demo-2', WISH, { node: 'node2' }))).toBe('172.18.30.132')
    expect(await claimsIn(registry)).toEqual([
      '172.18.30.131 demo-1 sandbox-demo-1',
      '172.18.30.132 demo-2 sandbox-demo-2',
    ])
  })

  test('what is claimed says all about who has it', async () => {
    const registry = await cluster(
      pool('p', '172.18.30.131', { routes: [{ destination: cidr('10.0.0.0/8'), gateway: ip('172.18.0.9') }] }),
    )
    const agent = await Agent.start(registry)
    const labels = { 'pod-template-hash': '6f8' }
    const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6f8', uid: 'r' }
    await agent.add(pod('web-6f8-x', WISH, { labels, controller }), 'c1')
    expect((await registry.get('AddressClaim', 'underlay.172.18.30.131'))?.value).toEqual({
      address: ip('172.18.30.131'),
      prefix: 16,
      pool: 'p',
      namespace: 'default',
      pod: 'web-6f8-x',
      podUid: 'uid-web-6f8-x',
      ifname: 'eth0',
      containerId: 'c1',
      node: 'node1',
      owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      isSticky: false,
      gateway: ip('172.18.0.1'),
      routes: [{ destination: cidr('10.0.0.0/8'), gateway: ip('172.18.0.9') }],
      hasCleanGateway: false,
    })
  })

  test('takes one creation and nothing else', async () => {
    const registry = await cluster(SEED, pool('q', 'fd00::10-fd00::1f'))
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    expect(await agent.addresses(pod('a', from(['p'], ['q'])))).toBe('172.18.30.131 fd00::10')
    expect(store.calls).toEqual([
      'create underlay.172.18.30.131',
      'create underlay.fd00-0000-0000-0000-0000-0000-0000-0010',
    ])
  })

  test('a namespace that no watch has told of is asked for its pools', async () => {
    const registry = await cluster(SEED)
    const [one, two] = await Promise.all([Agent.start(registry), Agent.start(registry, { node: 'node2' })])
    const both = await Promise.all([one.addresses(pod('a', WISH)), two.addresses(pod('b', WISH, { node: 'node2' }))])
    expect(both.sort()).toEqual(['172.18.30.131', '172.18.30.132'])
  })

  test('routes: the pool’s, those asked for by way of this subnet, no default one by a clean gateway', async () => {
    const routes = [{ destination: cidr('10.9.0.0/16'), gateway: ip('172.18.0.9') }]
    const agent = await Agent.start(await cluster(pool('p', '172.18.30.131', { routes }), pool('q', 'fd00::10')))
    const wishes = {
      'ipam.spidernet.io/ippools': '[{"ipv4": ["p"], "ipv6": ["q"], "cleangateway": true}]',
      'ipam.spidernet.io/routes': JSON.stringify([
        { dst: '10.8.0.0/16', gw: '172.18.0.8' },
        { dst: '10.7.0.0/16', gw: '192.168.0.1' },
        { dst: 'fd08::/64', gw: 'fd00::8' },
        { dst: '10.9.0.0/16', gw: '172.18.0.9' },
      ]),
    }
    const { routes: given } = await agent.add(pod('a', wishes))
    expect(given.map(({ dst, gw }) => `${dst} ${gw}`)).toEqual([
      '10.9.0.0/16 172.18.0.9',
      '10.8.0.0/16 172.18.0.8',
      'fd08::/64 fd00::8',
    ])
  })

  test('two interfaces of a pod on one pool get an address each', async () => {
    const agent = await Agent.start(await cluster(SEED))
    const one = pod('a', WISH)
    expect(await agent.addresses(one)).toBe('172.18.30.131')
    expect(await agent.addresses(one, 'sandbox-a', { ifname: 'net1', ordinal: 1 })).toBe('172.18.30.132')
  })

  test('pools are tried in their order, the next when one is used up', async () => {
    const agent = await Agent.start(await cluster(pool('p', '172.18.1.1'), pool('q', '172.18.2.1-172.18.2.2')))
    const wish = from(['p', 'q'])
    expect(await agent.addresses(pod('a', wish))).toBe('172.18.1.1')
    expect(await agent.addresses(pod('b', wish))).toBe('172.18.2.1')
  })
})

describe('an address that somebody else took', () => {
  test('is passed by, though the watch has not told', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { isDeaf: true })
    for (const address of ['172.18.30.131', '172.18.30.132']) {
      await registry.create('AddressClaim', claimName(ip(address)), claim(address))
    }
    expect(['172.18.30.131', '172.18.30.132']).not.toContain(await agent.addresses(pod('a', WISH)))
  })

  test('by a claim that nobody can read, is not tried again at once', async () => {
    const registry = await cluster(pool('p', '172.18.30.131'))
    const agent = await Agent.start(registry, {
      isDeaf: true,
      store: {
        get: async () => undefined,
        create: (kind, name, value) => registry.create(kind, name, value),
        update: (kind, name, value, revision) => registry.update(kind, name, value, revision),
        delete: (kind, name, revision) => registry.delete(kind, name, revision),
      },
    })
    await registry.create('AddressClaim', claimName(ip('172.18.30.131')), claim('172.18.30.131'))
    expect((await failure(agent.add(pod('a', WISH)))).id).toBe('pool-used-out')
  })

  test('keeps being passed by', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { isDeaf: true, store })
    await registry.create('AddressClaim', claimName(ip('172.18.30.131')), claim('172.18.30.131'))
    await agent.add(pod('a', WISH))
    store.calls.length = 0
    await agent.add(pod('b', WISH))
    expect(store.calls).toEqual(['create underlay.172.18.30.133'])
  })
})

describe('the same pod again', () => {
  test('the same sandbox: the same address, and nothing is written', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    store.calls.length = 0
    expect([await agent.addresses(pod('a', WISH), 'c1'), store.calls]).toEqual(['172.18.30.131', []])
    await told()
    expect([await agent.addresses(pod('a', WISH), 'c1'), store.calls]).toEqual(['172.18.30.131', []])
  })

  test.each([
    ['at once', 0],
    ['when it was told', 5],
  ])('a new sandbox takes it over, %s, and the old one’s end comes too late', async (_, ms) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    await Bun.sleep(ms)
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(store.calls).toEqual(['create underlay.172.18.30.131', 'update underlay.172.18.30.131'])
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
    await agent.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('an agent that was started again finds it', async () => {
    const registry = await cluster(SEED)
    const first = await Agent.start(registry)
    await first.add(pod('a', WISH), 'c1')
    first.kill()
    const second = await Agent.start(registry)
    expect(await second.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    await second.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('one that no watch has told of is found where it is', async () => {
    const registry = await cluster(SEED)
    const deaf = await Agent.start(registry, { isDeaf: true })
    const other = await Agent.start(registry)
    await other.add(pod('a', WISH), 'c1')
    expect(await deaf.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
  })

  test('keeps what it has, whatever its pool says by now; the pool’s gateway is followed', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(pod('a', WISH), 'c1')
    const { revision } = (await registry.get('AddressPool', 'p')) ?? { revision: 0 }
    await registry.update('AddressPool', 'p', { ...SEED, isDisabled: true, gateway: ip('172.18.0.2') }, revision)
    await told()
    const { ips } = await agent.add(pod('a', WISH), 'c2')
    expect(ips).toEqual([{ address: '172.18.30.131/16', gateway: '172.18.0.2' }])
    await registry.delete('AddressPool', 'p')
    await told()
    expect((await agent.add(pod('a', WISH), 'c3')).ips).toEqual(ips)
    expect(await agent.addresses(pod('a', { 'ipam.spidernet.io/ippool': '{' }), 'c4')).toBe('172.18.30.131')
    expect((await failure(agent.add(pod('b', WISH)))).id).toBe('pool-filtered')
  })

  test('a sandbox made anew gets the address that it gave back, rather than the first', async () => {
    const agent = await Agent.start(await cluster(SEED))
    await agent.add(pod('a', WISH), 'c0')
    await agent.add(pod('b', WISH), 'c1')
    await agent.del(pod('b'), 'c1')
    await told()
    expect(await agent.addresses(pod('c', WISH))).toBe('172.18.30.133')
    expect(await agent.addresses(pod('b', WISH), 'c2')).toBe('172.18.30.132')
  })

  test('a pod of the same name is another one', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(pod('a', WISH), 'c1')
    expect(await agent.addresses(pod('a', WISH, { uid: 'uid-new' }), 'c2')).toBe('172.18.30.132')
  })
})

describe('StatefulSets', () => {
  const db = (uid: string, node = 'node1', wish = WISH) => pod('db-0', wish, { uid, node, controller: STATEFUL })

  test('the next pod of a name has the address, on whichever node; the end of a sandbox does not free it', async () => {
    const registry = await cluster(SEED)
    const one = await Agent.start(registry)
    await one.add(pod('x', WISH))
    expect(await one.addresses(db('u1'), 'c1')).toBe('172.18.30.132')
    await one.del(db('u1'), 'c1')
    const two = await Agent.start(registry, { node: 'node2' })
    expect(await two.addresses(db('u2', 'node2'), 'c2')).toBe('172.18.30.132')
    const { value } = (await registry.get('AddressClaim', 'underlay.172.18.30.132')) ?? {}
    expect([value?.podUid, value?.node, value?.containerId, value?.isSticky]).toEqual(['u2', 'node2', 'c2', true])
    await told()
    expect(await one.addresses(db('u3'), 'c3')).toBe('172.18.30.132')
  })

  test('a pool that it may take from no more: another address, and the old one is given back by its own node', async () => {
    const registry = await cluster(SEED, pool('q', '172.18.40.1-172.18.40.9'))
    const one = await Agent.start(registry)
    await one.add(db('u1'), 'c1')
    expect(await one.addresses(db('u2', 'node1', from(['q'])), 'c2')).toBe('172.18.40.1')
    expect(await claimsIn(registry)).toEqual(['172.18.40.1 db-0 c2'])
    const two = await Agent.start(registry, { node: 'node2' })
    expect(await two.addresses(db('u3', 'node2', WISH), 'c3')).toBe('172.18.30.131')
    // That is another node's claim: the controller's to remove.
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c3', '172.18.40.1 db-0 c2'])
  })

  test('an address that its pool no longer has is not given again', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(db('u1'), 'c1')
    await registry.create('ReservedAddresses', 'r', {
      name: 'r',
      ranges: [parseIpRange('172.18.30.131')].flatMap((one) => one ?? []),
    })
    await told()
    expect(await agent.addresses(db('u2'), 'c2')).toBe('172.18.30.132')
  })

  test('whoever has the name without being of the set gets another', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(db('u1'), 'c1')
    expect(await agent.addresses(pod('db-0', WISH, { uid: 'u2' }), 'c2')).toBe('172.18.30.132')
    const other = { ...STATEFUL, name: 'other' }
    expect(await agent.addresses(pod('db-0', WISH, { uid: 'u3', controller: other }), 'c3')).toBe('172.18.30.133')
  })

  test('somebody changed the claim in between: it is taken over all the same', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { isDeaf: true })
    await agent.add(db('u1'), 'c1')
    const name = 'underlay.172.18.30.131'
    const { value, revision } = (await registry.get('AddressClaim', name)) ?? { value: claim('0.0.0.0'), revision: 0 }
    await registry.update('AddressClaim', name, { ...value, node: 'node7' }, revision)
    expect(await agent.addresses(db('u2'), 'c2')).toBe('172.18.30.131')
    await registry.delete('AddressClaim', name)
    expect(await agent.addresses(db('u3'), 'c3')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c3'])
  })
})

describe('nothing to give: the error says which pool, which field and what would mend it', () => {
  const wish = from(['p'])
  test.each<[string, ReturnType<typeof pool>[], ReturnType<typeof pod>, string, string]>([
    [
      'nothing names a pool',
      [SEED],
      pod('a'),
      'pool-none',
      'no IPPool available: nothing names a pool for eth0 of pod default/a, and no pool is there by default',
    ],
    [
      'vanished',
      [],
      pod('a', wish),
      'pool-filtered',
      'no IPPool available, all IPv4 IPPools [p] of eth0 filtered out: p does not exist',
    ],
    [
      'disabled',
      [pool('p', '172.18.30.131', { isDisabled: true })],
      pod('a', wish),
      'pool-filtered',
      'no IPPool available, all IPv4 IPPools [p] of eth0 filtered out: p is disabled (spec.disable)',
    ],
    [
      'unreadable',
      [pool('p', '172.18.30.131', { problem: 'spec.ips[0]: "x" is no range' })],
      pod('a', wish),
      'pool-filtered',
      'no IPPool available, all IPv4 IPPools [p] of eth0 filtered out: p gives nothing out: spec.ips[0]: "x" is no range',
    ],
    [
      'in contradiction to an older one',
      [pool('p', '172.18.30.131'), pool('o', '172.18.30.0-172.18.30.200', { createdAt: '2025-01-01T00:00:00Z' })],
      pod('a', wish),
      'pool-filtered',
      'no IPPool available, all IPv4 IPPools [p] of eth0 filtered out: p gives nothing out: 172.18.30.131 is given out by the pool o, which is older; leave these addresses out in one of the two, or exclude them',
    ],
    [
      'for others',
      [pool('p', '172.18.30.131', { nodes: ['n7'] }), pool('q', '172.18.30.132', { namespaces: ['x'] })],
      pod('a', from(['p', 'q'])),
      'pool-filtered',
      'no IPPool available, all IPv4 IPPools [p q] of eth0 filtered out: p is not for node node1 (spec.nodeName); q is not for namespace default (spec.namespaceName)',
    ],
  ])('%s', async (_, pools, who, id, message) => {
    const agent = await Agent.start(await cluster(...pools))
    const error = await failure(agent.add(who))
    expect([error.id, error.message]).toEqual([id, message])
    expect(error.remedy.length).toBeGreaterThan(20)
  })

  test('used up: how many are in use and reserved', async () => {
    const registry = await cluster(
      pool('p', '172.18.30.131-172.18.30.133'),
      pool('q', '172.18.30.140', { isDisabled: true }),
    )
    await registry.create('ReservedAddresses', 'r', {
      name: 'r',
      ranges: [parseIpRange('172.18.30.132')].flatMap((one) => one ?? []),
    })
    const agent = await Agent.start(registry)
    for (const name of ['a', 'b']) await agent.add(pod(name, WISH))
    const error = await failure(agent.add(pod('c', from(['p', 'q']))))
    expect([error.id, error.message, error.remedy]).toEqual([
      'pool-used-out',
      'all IP addresses used out in the IPv4 IPPools of eth0: p (2 addresses, 2 in use, 1 reserved); q is disabled (spec.disable)',
      'add addresses (spec.ips of p), remove pods or reservations, or name another pool',
    ])
    await agent.del(pod('a'))
    expect(await agent.addresses(pod('c', WISH))).toBe('172.18.30.131')
  })

  test('one family of two fails: the other’s address is given back', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    const error = await failure(agent.add(pod('a', from(['p'], ['gone']))))
    expect(error.message).toStartWith(
      'no IPPool available, all IPv6 IPPools [gone] of eth0 filtered out: gone does not exist',
    )
    expect(await claimsIn(registry)).toEqual([])
  })

  test('an address that is being given back is waited for', async () => {
    const registry = await cluster(pool('p', '172.18.30.131'), pool('q', '172.18.40.1'))
    const [one, two] = [await Agent.start(registry), await Agent.start(registry, { node: 'node2' })]
    await one.add(pod('a', WISH))
    await one.add(pod('c', from(['q'])))
    await told()
    const waiting = two.addresses(pod('b', WISH, { node: 'node2' }))
    // That one is no use to it.
    await one.del(pod('c'))
    await told()
    await one.del(pod('a'))
    expect(await waiting).toBe('172.18.30.131')
  })

  test('a pod that is none, is not there, or ends', async () => {
    const agent = await Agent.start(await cluster(SEED))
    const call = callFor(pod('a'), 'c')
    const signal = AbortSignal.timeout(5000)
    const none = agent.plugin.add({ ...call, args: { pairs: new Map(), pod: undefined } }, signal)
    const messages = [none, agent.plugin.add(call, signal), agent.add(pod('a', WISH, { isEnding: true }))]
    expect(await Promise.all(messages.map(async (one) => (await failure(one)).message))).toEqual([
      'network ovs-conf gives addresses to pods alone, and the call names none',
      'network ovs-conf gives addresses to pods alone, and default/a is not in the cluster',
      'network ovs-conf gives addresses to pods alone, and default/a is ending',
    ])
  })
})

describe('while the registry is away', () => {
  test('ADD is to be tried again, and nothing is left', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    store.fault = () => 'away'
    const error = await failure(agent.add(pod('a', WISH)))
    expect([error.id, error.code]).toEqual(['claims-unreachable', 11])
    expect(await claimsIn(registry)).toEqual([])
    store.fault = () => undefined
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
  })

  test.each([
    ['told of it', false],
    ['not told of it', true],
  ])('a creation whose answer was lost is found again, %s', async (_, isDeaf) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf })
    store.fault = (call) => (call.startsWith('create') ? 'answer lost' : undefined)
    expect((await failure(agent.add(pod('a', WISH), 'c1'))).code).toBe(11)
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c1'])
    store.fault = () => undefined
    await told()
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.132')
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2', '172.18.30.132 b sandbox-b'])
  })

  test.each([
    ['was written', 'answer lost'],
    ['was not', 'away'],
  ] as const)('DEL after a creation that %s', async (_, fault) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf: true })
    store.fault = (call) => (call.startsWith('create') ? fault : undefined)
    await failure(agent.add(pod('a', WISH), 'c1'))
    store.fault = () => undefined
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual([])
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.132')
  })

  test.each(['away', 'answer lost'] as const)('DEL is to be tried again (%s), and then is done', async (fault) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    store.fault = () => fault
    const error = await failure(agent.del(pod('a'), 'c1'))
    expect([error.id, error.code]).toEqual(['claims-unreachable', 11])
    store.fault = () => undefined
    await agent.del(pod('a'), 'c1')
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('an update whose answer was lost leaves a claim that either sandbox’s end frees', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf: true })
    await agent.add(pod('a', WISH), 'c1')
    store.fault = (call) => (call.startsWith('update') ? 'answer lost' : undefined)
    expect((await failure(agent.add(pod('a', WISH), 'c2'))).code).toBe(11)
    store.fault = () => undefined
    await agent.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })
})

test('before everything was read nobody gets or gives back anything', async () => {
  const registry = await cluster(SEED)
  const agent = await Agent.start(registry)
  const early = agent.plugin
  const { ClusterPools } = await import('./cluster-pools.ts')
  const { SpiderpoolPlugin } = await import('./plugin.ts')
  const unread = new SpiderpoolPlugin({
    pools: new ClusterPools({ node: 'node1' }),
    registry,
    pods: { find: async () => pod('a', WISH) },
    settings: { installNamespace: 'x', families: new Set([4]), hasSubnets: false },
    notices: { warn: () => undefined },
    checkWire: async () => undefined,
    findsConflicts: false,
    findsGateway: false,
  })
  const call = callFor(pod('a'), 'c')
  const signal = AbortSignal.timeout(5000)
  const errors = await Promise.all(
    [unread.add(call, signal), unread.del(call), unread.check(call), unread.status()].map(failure),
  )
  expect(errors.map(({ id, code }) => `${id} ${code}`)).toEqual([
    'agent-starting 11',
    'claims-unreachable 11',
    'agent-starting 11',
    'status-not-ready 50',
  ])
  await early.status()
})

describe('DEL', () => {
  test('of what was never made, and of what somebody removed, succeeds', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { isDeaf: true })
    await agent.del(pod('a'))
    await agent.add(pod('b', WISH))
    await registry.delete('AddressClaim', 'underlay.172.18.30.131')
    await agent.del(pod('b'))
  })

  test('leaves what is somebody else’s by now', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { isDeaf: true })
    await agent.add(pod('b', WISH))
    await registry.delete('AddressClaim', 'underlay.172.18.30.131')
    await registry.create('AddressClaim', 'underlay.172.18.30.131', claim('172.18.30.131'))
    await agent.del(pod('b'))
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 other-1 sandbox-other'])
  })

  test('is of one interface', async () => {
    const registry = await cluster(SEED, pool('q', 'fd00::10'))
    const agent = await Agent.start(registry)
    const one = pod('a', from(['p'], ['q']))
    await agent.add(one)
    await agent.add(pod('a', WISH), 'sandbox-a', { ifname: 'net1', ordinal: 1 })
    await agent.del(one)
    expect(await claimsIn(registry)).toEqual(['172.18.30.132 a sandbox-a'])
  })
})

test('CHECK: the claims are there, and what was answered is what is claimed', async () => {
  const registry = await cluster(SEED)
  const agent = await Agent.start(registry)
  const prevResult = await agent.add(pod('a', WISH))
  const call = callFor(pod('a'), 'sandbox-a', { prevResult })
  await agent.plugin.check(call)
  const other = { ...prevResult, ips: [{ address: '172.18.30.139/16' }] }
  expect((await failure(agent.plugin.check({ ...call, prevResult: other }))).message).toContain(
    'prevResult does not have address 172.18.30.131/16',
  )
  await registry.delete('AddressClaim', 'underlay.172.18.30.131')
  await told()
  expect((await failure(agent.plugin.check(call))).message).toContain('no address is claimed for eth0 of sandbox-a')
})

test('GC: what is not in the list goes, of this network alone', async () => {
  const registry = await cluster(SEED)
  const agent = await Agent.start(registry)
  await agent.add(pod('a', WISH))
  await agent.add(pod('b', WISH))
  await agent.add(pod('c', WISH), 'sandbox-c', { network: 'other' })
  await agent.plugin.gc('ovs-conf', new Set(['sandbox-b/eth0']))
  expect(await claimsIn(registry)).toEqual(['172.18.30.132 b sandbox-b', '172.18.30.133 c sandbox-c'])
})

describe('the wire', () => {
  const conflictOn =
    (...taken: readonly string[]) =>
    async ({ address, ifname }: { address: string; ifname: string }) => {
      if (taken.includes(address)) throw cniError('address-conflict', { address, ifname, mac: '02:00:00:00:00:99' })
    }

  test('an address that somebody has goes to nobody for a time; the pod gets another, and its owner is told', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { checkWire: conflictOn('172.18.30.131', '172.18.30.132') })
    expect(await agent.addresses(pod('a', WISH))).toBe('172.18.30.133')
    expect(await claimsIn(registry)).toEqual(['172.18.30.133 a sandbox-a'])
    expect(agent.warnings.length).toBe(2)
    expect(agent.warnings[0]).toStartWith(
      'AddressConflict: address 172.18.30.131 is in use on the wire of eth0: 02:00:00:00:00:99 has it; find',
    )
    await told()
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.134')
  })

  test('it gives up after a few, and leaves nothing', async () => {
    const registry = await cluster(SEED)
    const checkWire = async ({ address, ifname }: { address: string; ifname: string }) => {
      throw cniError('address-conflict', { address, ifname, mac: '02:00:00:00:00:99' })
    }
    const agent = await Agent.start(registry, { checkWire })
    expect((await failure(agent.add(pod('a', WISH)))).id).toBe('address-conflict')
    expect([agent.warnings.length, await claimsIn(registry)]).toEqual([4, []])
  })

  test('pods of StatefulSets keep theirs, and fail with the MAC address that has it', async () => {
    const registry = await cluster(SEED)
    const calm = await Agent.start(registry)
    const db = (uid: string) => pod('db-0', WISH, { uid, controller: STATEFUL })
    await calm.add(db('u1'), 'c1')
    const agent = await Agent.start(registry, { checkWire: conflictOn('172.18.30.131') })
    const error = await failure(agent.add(db('u2'), 'c2'))
    expect([error.id, error.message.includes('02:00:00:00:00:99')]).toEqual(['address-conflict', true])
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c2'])
    expect(await agent.addresses(pod('db-1', WISH, { controller: STATEFUL }))).toBe('172.18.30.132')
  })

  test('a gateway that does not answer: nothing is left', async () => {
    const registry = await cluster(SEED, pool('q', 'fd00::10'))
    const seen: string[] = []
    const checkWire = async ({
      address,
      gateway = '',
      ifname,
    }: {
      address: string
      gateway?: string
      ifname: string
    }) => {
      seen.push(`${address} ${gateway}`)
      if (address.includes(':')) throw cniError('gateway-unreachable', { address, gateway, ifname })
    }
    const agent = await Agent.start(registry, { checkWire })
    expect((await failure(agent.add(pod('a', from(['p'], ['q']))))).id).toBe('gateway-unreachable')
    expect([seen, await claimsIn(registry)]).toEqual([['172.18.30.131 172.18.0.1', 'fd00::10 fd00::1'], []])
  })
})
