/** What pods are told that get no address. */
import { describe, expect, test } from 'bun:test'
import { parseIpRange } from '../../../network/model/ip-range.ts'
import { ClusterPools } from './cluster-pools.ts'
import { SpiderpoolPlugin } from './plugin.ts'
import { cluster, failure, SEED, told, WISH } from './testing/cluster.ts'
import { from, pod, pool } from './testing/objects.ts'
import { Agent, callFor, claimsIn } from './testing/rig.ts'

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

  test('who calls can give up', async () => {
    const agent = await Agent.start(await cluster(pool('p', '172.18.30.131')))
    await agent.add(pod('a', WISH))
    agent.know(pod('b', WISH))
    const controller = new AbortController()
    const waiting = agent.plugin.add(callFor(pod('b', WISH), 'c2'), controller.signal)
    setTimeout(() => controller.abort(new Error('the pod is gone')), 5)
    await expect(waiting).rejects.toThrow('the pod is gone')
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

test('before everything was read nobody gets or gives back anything', async () => {
  const registry = await cluster(SEED)
  const agent = await Agent.start(registry)
  const early = agent.plugin
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
