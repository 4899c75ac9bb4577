/** ADD, DEL, CHECK and GC. */
import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../../network/model/address.ts'
import { claimName } from '../../../network/model/pool.ts'
import { cluster, failure, SEED, told, WISH } from './testing/cluster.ts'
import { FaultyStore } from './testing/faults.ts'
import { claim, from, pod, pool } from './testing/objects.ts'
import { Agent, callFor, claimsIn } from './testing/rig.ts'

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
