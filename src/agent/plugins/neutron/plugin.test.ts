/**
 * The CNI type `neutron` on real links: a VLAN of a trunk in the pod, and what is refused. A kernel without VLANs runs a part of it;
 * `bun test/vm/main.ts kernel-neutron` runs all of it on Debian's.
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type CniError, type JsonObject, parseArgs } from '../../../cni/index.ts'
import {
  addrAdd,
  addrList,
  hasErrno,
  linkAdd,
  linkFind,
  linkGet,
  linkSet,
  netnsAdd,
  netnsDel,
  openRtnl,
  routeList,
} from '../../../linux/index.ts'
import { indexOf, scratch, veth } from '../../../linux/testing/scratch.ts'
import { UNDERLAY_GROUP } from '../../../network/host.ts'
import type { PooledPort } from '../../../network/model/neutron.ts'
import { PARENT_MAC, pool, port, until } from '../../neutron/testing/rig.ts'
import type { PluginCallInside } from '../plugin.ts'
import { NeutronBench } from './testing/bench.ts'

/** Whether this kernel has links of kind vlan (module 8021q). */
function hasVlans(): boolean {
  using place = scratch()
  using far = scratch()
  const { a: parent } = veth(place, far)
  try {
    linkAdd(place.rtnl, { kind: 'vlan', id: 5, parent, name: 'v5' })
    return true
  } catch (error) {
    if (hasErrno(error, 'EOPNOTSUPP')) return false
    throw error
  }
}

const withVlans = describe.skipIf(!hasVlans())

let bench: NeutronBench
beforeEach(() => {
  bench = new NeutronBench({ coldMs: 50 })
})
afterEach(() => bench[Symbol.dispose]())

const inTrunk = (n: number, vlan: number, rest: Partial<PooledPort> = {}): PooledPort => port(n, { vlan, ...rest })
const trunk = (...ports: readonly PooledPort[]) => pool(ports, { mode: 'trunk' })

async function prepared(...pools: Parameters<typeof bench.rig.prepare>[0]): Promise<void> {
  await bench.rig.prepare(pools)
  await bench.rig.start()
}

async function refusal(call: Promise<unknown>): Promise<CniError> {
  return (await call.then(
    () => new Error('it was done'),
    (error: unknown) => error,
  )) as CniError
}

withVlans('a part of a trunk', () => {
  test('is a VLAN link in the pod with the port’s MAC address, addresses, MTU, routes and name servers, and reaches the wire', async () => {
    await prepared(trunk(inTrunk(1, 101)))
    const gateway = linkAdd(bench.wire.rtnl, {
      kind: 'vlan',
      id: 101,
      parent: indexOf(bench.wire, 'w0'),
      name: 'w0.101',
    })
    addrAdd(bench.wire.rtnl, { link: gateway.index, address: '10.244.1.1/24' })
    linkSet(bench.wire.rtnl, gateway.index, { up: true })
    const result = await bench.add()
    const mac = port(1).mac
    const link = linkGet(bench.pod.rtnl, 'net1')
    expect(link).toEqual(expect.objectContaining({ kind: 'vlan', mac, mtu: 1442, up: true, group: UNDERLAY_GROUP }))
    expect(result).toEqual({
      interfaces: [{ name: 'net1', mac, mtu: 1442, sandbox: '/run/netns/wefttest-pod' }],
      ips: [
        { address: '10.244.1.11/24', gateway: '10.244.1.1', interface: 0 },
        { address: 'fd00:244::11/64', gateway: 'fd00:244::1', interface: 0 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.244.1.1' },
        { dst: '::/0', gw: 'fd00:244::1' },
        { dst: '10.96.0.0/12', gw: '10.244.1.2' },
      ],
      dns: { nameservers: ['10.0.0.2'], search: [], options: [] },
    })
    expect(addrList(bench.pod.rtnl, { link: link.index }).map(({ address }) => address)).toEqual(
      expect.arrayContaining(['10.244.1.11/24', 'fd00:244::11/64']),
    )
    expect(routeList(bench.pod.rtnl, { link: link.index }).map(({ destination }) => destination)).toEqual(
      expect.arrayContaining(['0.0.0.0/0', '::/0', '10.96.0.0/12']),
    )
    expect(bench.told).toEqual([expect.objectContaining({ mac, addresses: ['10.244.1.11', 'fd00:244::11'] })])
    const ping = ['nsenter', `--net=/proc/${process.pid}/fd/${bench.pod.nsFd}`, 'ping', '-c1', '-W5', '10.244.1.1']
    expect(Bun.spawnSync(ping).exitCode).toBe(0)
    await bench.neutron.check(bench.on({}, { prevResult: result }))
  })

  test('goes before its port is anybody’s again, and DEL without the namespace frees the port alone', async () => {
    await prepared(trunk(inTrunk(1, 101)))
    await bench.add()
    const { netns: _, ...without } = bench.on()
    await bench.neutron.del(without)
    await bench.rig.told(({ resting }) => resting.length === 1)
    expect(linkFind(bench.pod.rtnl, 'net1')).toBeDefined()
    await bench.neutron.del(bench.on())
    expect(linkFind(bench.pod.rtnl, 'net1')).toBeUndefined()
    await bench.neutron.del(bench.on())
  })

  test('an ADD that fails leaves neither link nor lease', async () => {
    await prepared(trunk(inTrunk(1, 101)))
    linkAdd(bench.pod.rtnl, { kind: 'bridge', name: 'net1' })
    expect((await refusal(bench.add())).id).toBe('interface-exists')
    expect((await bench.rig.told(({ resting }) => resting.length === 1)).leased).toEqual([])
    expect(linkGet(bench.pod.rtnl, 'net1').kind).toBe('bridge')
  })

  test('as the configuration says: MTU, no way out, routes of its own; never more than the NIC', async () => {
    await prepared(pool([inTrunk(1, 101)], { mode: 'trunk', mtu: 9000 }))
    const routes = [{ dst: '192.0.2.0/24', gw: '10.244.1.3' }]
    const result = await bench.add({ defaultRoute: false, routes })
    expect(result.routes).toEqual([{ dst: '10.96.0.0/12', gw: '10.244.1.2' }, ...routes])
    expect(linkGet(bench.pod.rtnl, 'net1').mtu).toBe(1500)
  })

  test('a VLAN that somebody else has is refused with who that is', async () => {
    await prepared(trunk(inTrunk(1, 101)))
    linkAdd(bench.node.rtnl, { kind: 'vlan', id: 101, parent: indexOf(bench.node, 'up0'), name: 'up0.101' })
    const own = await refusal(bench.add())
    expect([own.id, own.message]).toEqual(['vlan-in-use', expect.stringContaining('it is link up0.101 of this node')])
  })

  test('a VLAN that a link of ours was left behind with is taken back, anybody else’s is not', async () => {
    const name = `wefttest-neutron-${process.pid}`
    const nsFd = netnsAdd(name)
    try {
      await prepared(trunk(inTrunk(1, 101)))
      const { mac } = port(1)
      const left = { kind: 'vlan', id: 101, parent: indexOf(bench.node, 'up0'), name: 'net1', nsFd, mac } as const
      using inside = openRtnl({ nsFd })
      linkAdd(bench.node.rtnl, left)
      const refused = await refusal(bench.add())
      expect(refused.message).toContain(`link net1@up0 in network namespace ${name}`)
      expect(linkFind(inside, 'net1')).toBeDefined()
      linkSet(inside, 'net1', { group: UNDERLAY_GROUP })
      await until(async () => (await refusal(bench.add())).id !== 'neutron-ports-none')
      expect([linkFind(inside, 'net1'), linkFind(bench.pod.rtnl, 'net1')?.mac]).toEqual([undefined, mac])
    } finally {
      netnsDel(name)
    }
  })
})

describe('the NIC', () => {
  test.each<[string, () => void, JsonObject, string]>([
    [
      'none has its MAC address',
      () => linkSet(bench.node.rtnl, 'up0', { mac: '02:00:00:00:00:09' }),
      {},
      'neutron-nic-missing',
    ],
    [
      'two have it',
      () => void linkAdd(bench.node.rtnl, { kind: 'veth', name: 'up1', mac: PARENT_MAC, peer: { name: 'up2' } }),
      {},
      'neutron-nic-missing',
    ],
    ['the one that is named is not there', () => undefined, { master: 'eth9' }, 'master-unfit'],
  ])('%s', async (_, change, config, id) => {
    await prepared(trunk(inTrunk(1, 101)))
    change()
    expect((await refusal(bench.add(config))).id).toBe(id)
    await bench.rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 1)
  })
})

withVlans('the NIC', () => {
  test('is the link with the MAC address of the VM’s port, not what stands on it', async () => {
    await prepared(trunk(inTrunk(1, 101)))
    linkAdd(bench.node.rtnl, { kind: 'vlan', id: 7, parent: indexOf(bench.node, 'up0'), name: 'up0.7' })
    await bench.add()
    expect(linkGet(bench.pod.rtnl, 'net1').parent).toBe(indexOf(bench.node, 'up0'))
  })
})

withVlans('CHECK', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['the link is gone', () => bench.neutron.del(bench.on()), /has no port of Neutron network pods/],
    ['somebody deleted the port', () => bench.rig.prepare([trunk(inTrunk(2, 102))]), /somebody deleted it in Neutron/],
    ['the link is down', () => linkSet(bench.pod.rtnl, 'net1', { up: false }), /net1 is down/],
    ['the MAC address is another', () => linkSet(bench.pod.rtnl, 'net1', { mac: '02:00:00:00:00:07' }), /MAC address/],
    ['the port has another VLAN', () => bench.rig.prepare([trunk(inTrunk(1, 102))]), /another mode or VLAN/],
  ])('%s', async (_, change, text) => {
    await prepared(trunk(inTrunk(1, 101)))
    const prevResult = await bench.add()
    await change()
    await until(async () => text.test((await refusal(bench.neutron.check(bench.on({}, { prevResult })))).message))
  })
})

test('pairs and further addresses need ipvlan, and without it the answer says what to do', async () => {
  await prepared(pool([port(1)]))
  const done = await refusal(bench.add())
  if (done.message === 'it was done') {
    expect(linkGet(bench.pod.rtnl, 'net1')).toEqual(expect.objectContaining({ kind: 'ipvlan', mac: PARENT_MAC }))
  } else {
    expect([done.id, done.remedy]).toEqual(['neutron-mode-unfit', expect.stringContaining('mode: trunk')])
    await bench.rig.told(({ resting }) => resting.length === 1)
  }
})

test('DEL releases no port while the interface cannot be removed', async () => {
  await prepared(trunk(inTrunk(1, 101)))
  const { containerId, ifname } = bench.on()
  const order = { containerId, ifname, network: 'pods', cniNetwork: 'n' }
  await bench.rig.neutron.ports.lease(order, new AbortController().signal)
  const unreachable = bench.on({}, { netns: { fd: 1_000_000, path: '/run/netns/x' } })
  await expect(bench.neutron.del(unreachable)).rejects.toThrow()
  expect(bench.rig.neutron.ports.countOf(order)).toBe(1)
  await bench.neutron.del(bench.on())
  expect(bench.rig.neutron.ports.countOf(order)).toBe(0)
})

describe('STATUS', () => {
  test('says what is missing', async () => {
    const problem = { network: 'pods', reason: 'X', problem: 'the VM has no port; attach one' }
    await bench.rig.prepare([], [problem])
    await bench.rig.start()
    const { config } = bench.on()
    expect((await refusal(bench.neutron.status({ config }))).message).toContain(problem.problem)
    await bench.rig.prepare([trunk()])
    await until(async () => (await refusal(bench.neutron.status({ config }))).message === 'it was done')
  })
})

withVlans('GC', () =>
  test('frees what is not valid any more', async () => {
    await prepared(trunk(inTrunk(1, 101), inTrunk(2, 102)))
    await bench.add()
    await bench.neutron.gc('n', new Set(['c1/net1']))
    expect((await bench.rig.told(({ leased }) => leased.length === 1)).resting).toEqual([])
    await bench.neutron.gc('n', new Set())
    await bench.rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 1)
  }),
)

test('a tenant’s definition may not choose a network of OpenStack', async () => {
  await prepared(trunk(inTrunk(1, 101)))
  const origin: PluginCallInside['origin'] = { kind: 'definition', namespace: 'shop', name: 'mine' }
  expect((await refusal(bench.add({}, { origin }))).id).toBe('choice-refused')
})

test.each<[string, JsonObject]>([
  ['no network', { network: '' }],
  ['a network that is no name', { network: 'a/b' }],
  ['a number', { network: 7 }],
  ['an ipam', { ipam: { type: 'ipam-neutron' } }],
  ['a way out that is no answer', { defaultRoute: 'yes' }],
  ['an MTU', { mtu: 20 }],
  ['routes', { routes: [{ dst: 'x' }] }],
])('a configuration with %s is refused', async (_, config) => {
  await prepared(trunk(inTrunk(1, 101)))
  expect((await refusal(bench.add(config))).code).toBe(7)
})

withVlans('security groups', () => {
  const args = parseArgs('IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web')
  const pod = (wish?: string) => ({
    ...{ namespace: 'shop', name: 'web', uid: 'u', node: 'node1', addresses: [] },
    ...(wish === undefined ? {} : { wishes: { 'weft.dev/security-groups': wish } }),
  })

  test.each<[string, string | undefined, string | undefined, string]>([
    ['of the pod', 'web, db', 'other', 'port-2'],
    ['of the namespace', undefined, 'db,web,web', 'port-2'],
    ['of the network, as the pod says', '', 'db,web', 'port-1'],
    ['of the network', undefined, undefined, 'port-1'],
  ])('%s', async (_, ofPod, ofNamespace, expected) => {
    await prepared(trunk(inTrunk(1, 101), inTrunk(2, 102, { groups: ['db', 'web'] })))
    bench.pods.set('shop/web', pod(ofPod))
    const securityGroups = ofNamespace === undefined ? {} : { securityGroups: ofNamespace }
    await bench.rig.registry.create('Namespace', 'shop', { name: 'shop', uid: 'n', ...securityGroups })
    await bench.add({}, { args })
    const use = await bench.rig.told(({ leased }) => leased.length === 1)
    expect(use.leased).toEqual([expect.objectContaining({ id: expected, pod: 'shop/web' })])
  })

  test.each([
    ['web,,db', undefined, 'annotation-invalid'],
    [undefined, ',', 'namespace-annotation-invalid'],
  ])('%s %s', async (ofPod, ofNamespace, id) => {
    await prepared(trunk(inTrunk(1, 101)))
    bench.pods.set('shop/web', pod(ofPod))
    const securityGroups = ofNamespace === undefined ? {} : { securityGroups: ofNamespace }
    await bench.rig.registry.create('Namespace', 'shop', { name: 'shop', uid: 'n', ...securityGroups })
    expect((await refusal(bench.add({}, { args }))).id).toBe(id)
  })
})
