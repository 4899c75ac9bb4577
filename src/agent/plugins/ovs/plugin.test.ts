/** A real Open vSwitch in user space, real links: what ADD makes, what CHECK sees, what DEL leaves. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  type CniResult,
  type CniVersion,
  encodeResult,
  type JsonObject,
  parseResult,
  toCniError,
} from '../../../cni/index.ts'
import { addrList, linkDel, linkFind, linkGet, linkList, linkSet, routeList } from '../../../linux/index.ts'
import { type Scratch, scratch } from '../../../linux/testing/scratch.ts'
import { linkName } from '../../attach/lease.ts'
import { reservedFor } from './bridges.ts'
import { callFor, ipam, type Memory, NEVER, type Rig, startRig, V4, V6 } from './testing/rig.ts'

const LINK = linkName('c1/eth0')
const POD = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;K8S_POD_UID=u-1;K8S_POD_INFRA_CONTAINER_ID=c1'

let rig: Rig
let agent: Memory
let pod: Scratch

beforeAll(async () => {
  rig = await startRig()
  agent = await rig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())
beforeEach(() => {
  rig.asked.length = 0
  pod = scratch()
})
afterEach(async () => {
  for (const port of agent.ports.all()) await agent.ports.remove([port])
  for (const { name } of linkList(rig.host.rtnl)) agent.links.doom(name)
  await agent.links.sweep()
  pod[Symbol.dispose]()
})

/** The columns of a row as ovs-vsctl prints them. */
async function row(table: 'Port' | 'Interface', ...columns: readonly string[]): Promise<readonly string[]> {
  const text = await rig.ovs.vsctl('--bare', `--columns=${columns.join(',')}`, 'list', table, LINK)
  const values = text.split('\n')
  return columns.map((_, i) => values[i] ?? '')
}

const podPorts = async () =>
  (await rig.ovs.vsctl('list-ports', 'br1')).split('\n').filter((name) => name.startsWith('weft'))
const podLinks = () =>
  linkList(rig.host.rtnl).filter(({ name }) => name.startsWith('weft') && agent.links.nodeEnd(name))

/** ADD, CHECK with what a runtime would have kept of the answer, DEL; the answer. */
async function life(config: JsonObject, version: CniVersion, args?: string): Promise<CniResult> {
  const call = callFor(pod, config, { version, ...(args === undefined ? {} : { args }) })
  const result = await agent.plugin.add(call, NEVER)
  // Versions before 1.0.0 keep less, and the oldest nothing without an address.
  const prevResult = parseResult(encodeResult(result, version) as JsonObject, version, 'prevResult')
  if (version !== '0.2.0') await agent.plugin.check({ ...call, prevResult })
  await agent.plugin.del(call)
  expect([await podPorts(), podLinks()]).toEqual([[], []])
  return result
}

describe.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const)('CNI %s: ADD, CHECK and DEL', (version) => {
  test.each<[string, JsonObject]>([
    ['an access VLAN', { vlan: 100 }],
    ['VLAN 0', { vlan: 0 }],
    ['no VLAN', {}],
    ['a trunk', { trunk: [{ minID: 10, maxID: 12 }, { id: 9 }] }],
    ['a trunk of one VLAN', { trunk: [{ id: 42 }] }],
    ['a trunk, with a VLAN that means nothing', { vlan: 7, trunk: [{ id: 42 }] }],
    ['a native VLAN', { vlan: 7, trunk: [{ id: 42 }], vlan_mode: 'native-untagged' }],
    ['customers in a tunnel', { vlan: 7, trunk: [{ id: 1 }], vlan_mode: 'dot1q-tunnel' }],
    ['an MTU', { vlan: 100, mtu: 1400 }],
    ['an IPv4 address', { vlan: 100, ...ipam(V4) }],
  ])('%s', async (_, config) => {
    const result = await life(config, version)
    expect(result.interfaces.map(({ name }) => name)).toEqual([LINK, 'eth0'])
  })
})

test('IPv6 and both families: usable addresses, routes, and IPAM asked once each', async () => {
  for (const ips of [[V6], [V4, V6]]) {
    rig.asked.length = 0
    const result = await life(ipam(...ips), '1.1.0')
    expect(result.ips.map(({ address, interface: at }) => [address, at])).toEqual(
      ips.map(({ address }) => [address, 1]),
    )
    expect(rig.asked).toEqual(['ADD c1/eth0', 'CHECK c1/eth0', 'DEL c1/eth0'])
  }
})

test('the rows are those of ovs-cni, with a record of ours', async () => {
  await agent.plugin.add(callFor(pod, { vlan: 100, ofport_request: 5, interface_type: 'system' }, { args: POD }), NEVER)
  expect(await row('Port', 'vlan_mode', 'tag', 'trunks')).toEqual(['access', '100', ''])
  const [ids] = await row('Port', 'external_ids')
  expect(ids?.split(' ').sort()).toEqual([
    'contIface=eth0',
    'contNetns=/run/netns/c1',
    'contPodUid=u-1',
    'owner=ovs-cni.network.kubevirt.io',
    'weft-owner=weft-underlay',
  ])
  expect(await row('Interface', 'type', 'ofport', 'ofport_request')).toEqual(['system', '5', '5'])
  const [record] = await row('Interface', 'external_ids')
  expect(record?.split(' ').sort()).toEqual([
    'weft-container=c1',
    'weft-ifname=eth0',
    `weft-mac=${linkGet(pod.rtnl, 'eth0').mac}`,
    'weft-namespace=shop',
    'weft-netns=/run/netns/c1',
    'weft-network=wire',
    'weft-owner=weft-underlay',
    'weft-pod-uid=u-1',
    'weft-pod=cart',
  ])
})

test.each<[string, JsonObject, readonly [mode: string, tag: string, trunks: string, cvlans: string]]>([
  ['access', { vlan: 100 }, ['access', '100', '', '']],
  ['VLAN 0 is the access VLAN 0', { vlan: 0 }, ['access', '0', '', '']],
  ['nothing is a trunk of everything', {}, ['trunk', '', '', '']],
  [
    'ids and ranges, sorted',
    { trunk: [{ minID: 10, maxID: 12 }, { id: 9 }, { id: 11 }] },
    ['trunk', '', '9 10 11 12', ''],
  ],
  ['native-tagged', { vlan: 7, vlan_mode: 'native-tagged' }, ['native-tagged', '7', '', '']],
  ['native-untagged', { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'native-untagged' }, ['native-untagged', '7', '8', '']],
  ['dot1q-tunnel', { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'dot1q-tunnel' }, ['dot1q-tunnel', '7', '', '8']],
])('VLANs: %s', async (_, config, columns) => {
  await agent.plugin.add(callFor(pod, config), NEVER)
  expect(await row('Port', 'vlan_mode', 'tag', 'trunks', 'cvlans')).toEqual([...columns])
})

describe('MAC addresses', () => {
  const macOf = () => linkGet(pod.rtnl, 'eth0').mac
  const FIXED = '02:11:22:33:44:55'

  test.each<[string, JsonObject, string | undefined, string]>([
    ['runtimeConfig', { runtimeConfig: { mac: FIXED } }, undefined, FIXED],
    ['CNI_ARGS', {}, `IgnoreUnknown=1;MAC=${FIXED}`, FIXED],
    ['args.cni', { args: { cni: { Mac: FIXED } } }, undefined, FIXED],
    [
      'CNI_ARGS before args.cni',
      { args: { cni: { mac: '02:00:00:00:00:09' } } },
      `IgnoreUnknown=1;MAC=${FIXED}`,
      FIXED,
    ],
    ['the first address', ipam(V4), undefined, '0a:58:ac:12:1e:83'],
    // sha256("fd00:18::131") begins with these four bytes.
    ['the first address, IPv6', ipam(V6, V4), undefined, `0a:58:${sha('fd00:18::131')}`],
    ['a fixed one before the address', { ...ipam(V4), runtimeConfig: { mac: FIXED } }, undefined, FIXED],
  ])('from %s', async (_, config, args, mac) => {
    const result = await agent.plugin.add(callFor(pod, config, args === undefined ? {} : { args }), NEVER)
    expect([macOf(), result.interfaces[1]?.mac]).toEqual([mac, mac])
    expect((await row('Interface', 'external_ids')).join()).toContain(`weft-mac=${mac}`)
  })

  test('the link-local address is made of the final one', async () => {
    await agent.plugin.add(callFor(pod, ipam(V4)), NEVER)
    const linkLocal = addrList(pod.rtnl, { family: 6 }).filter(({ address }) => address.startsWith('fe80'))
    expect(linkLocal.map(({ address }) => address)).toEqual(['fe80::858:acff:fe12:1e83/64'])
  })

  test('two pods without addresses have different ones', async () => {
    using other = scratch()
    await agent.plugin.add(callFor(pod, { vlan: 1 }), NEVER)
    await agent.plugin.add(callFor(other, { vlan: 1 }, { containerId: 'c2' }), NEVER)
    expect(linkGet(other.rtnl, 'eth0').mac).not.toBe(macOf())
  })
})

test('addresses, routes and the record of both families', async () => {
  const result = await agent.plugin.add(callFor(pod, ipam(V4, V6), { args: POD }), NEVER)
  const link = linkGet(pod.rtnl, 'eth0')
  const addresses = addrList(pod.rtnl, { link: link.index }).filter(({ scope }) => scope === 'global')
  expect(addresses.map(({ address, tentative }) => [address, tentative])).toEqual([
    [V4.address, false],
    [V6.address, false],
  ])
  const routes = routeList(pod.rtnl, { link: link.index }).map(
    ({ destination, gateway }) => `${destination} ${gateway}`,
  )
  expect(routes).toContain('0.0.0.0/0 172.18.0.1')
  expect(routes).toContain('::/0 fd00:18::1')
  expect((await row('Interface', 'external_ids')).join()).toContain('weft-addresses=172.18.30.131,fd00:18::131')
  expect(result.interfaces).toMatchObject([
    { name: LINK, mac: linkGet(rig.host.rtnl, LINK).mac },
    { name: 'eth0', mac: link.mac, mtu: 1500, sandbox: '/run/netns/c1' },
  ])
})

test('what a former plugin answered stays in front', async () => {
  const prevResult = {
    interfaces: [{ name: 'lo' }],
    ips: [{ address: '10.0.0.1/8' }],
    routes: [],
    dns: { nameservers: ['9.9.9.9'], search: [], options: [] },
  }
  const result = await agent.plugin.add(callFor(pod, ipam(V4), { prevResult }), NEVER)
  expect(result.interfaces.map(({ name }) => name)).toEqual(['lo', LINK, 'eth0'])
  expect(result.ips).toMatchObject([{ address: '10.0.0.1/8' }, { address: V4.address, interface: 2 }])
  expect(result.dns.nameservers).toEqual(['9.9.9.9'])
})

test("a port of OVN's is named on the interface; on OVN's own bridge nothing is put", async () => {
  await agent.plugin.add(callFor(pod, { args: { cni: { ovnPort: 'lsp-1' } } }), NEVER)
  expect((await row('Interface', 'external_ids')).join()).toContain('iface-id=lsp-1')
  await rig.ovs.vsctl('add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev')
  await rig.ovs.vsctl('add-br', 'br-sdn', '--', 'set', 'bridge', 'br-sdn', 'datapath_type=netdev')
  const named = rig.ovs.vsctl.bind(rig.ovs)
  try {
    for (const [set, config, bridge] of [
      [[], { bridge: 'br-int' }, 'br-int'],
      [[], { bridge: '', args: { cni: { ovnPort: 'lsp-1' } } }, 'br-int'],
      [['set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge=br-sdn'], { bridge: 'br-sdn' }, 'br-sdn'],
    ] as const) {
      if (set.length > 0) await named(...set)
      const known = (): true | undefined => (reservedFor(agent.ports.tables, bridge) === undefined ? undefined : true)
      await agent.ports.tables.waitFor(known, { timeoutMs: 4_000 })
      const call = callFor(pod, config as JsonObject, { ifname: 'net1' })
      await expect(agent.plugin.add(call, NEVER)).rejects.toMatchObject({ id: 'bridge-reserved' })
      expect(await named('list-ports', bridge)).toBe('')
    }
  } finally {
    await named('remove', 'Open_vSwitch', '.', 'external_ids', 'ovn-bridge')
    for (const bridge of ['br-int', 'br-sdn']) await named('del-br', bridge)
  }
})

describe('nothing is left, and IPAM has its addresses back, when', () => {
  test.each<[string, JsonObject, string]>([
    ['the port number is taken', { vlan: 1, ofport_request: 7 }, 'port-failed'],
    ['the interface cannot be opened', { vlan: 1, interface_type: 'no-such-type' }, 'port-failed'],
    ['the MTU is more than the kernel takes', { vlan: 1, mtu: 65_535.5 }, 'config-invalid'],
    ['IPAM has no address', { vlan: 1, ...ipam() }, 'ipam-without-address'],
    ['an address cannot be added', { vlan: 1, ...ipam(V4, V4) }, 'link-failed'],
    ['the VLAN is out of range', { vlan: 4096 }, 'config-invalid'],
  ])('%s', async (_, config, id) => {
    await rig.ovs.vsctl(
      'add-port',
      'br1',
      'taken',
      '--',
      'set',
      'interface',
      'taken',
      'type=internal',
      'ofport_request=7',
    )
    try {
      const error = await agent.plugin.add(callFor(pod, config), NEVER).catch(toCniError)
      expect(error).toMatchObject({ id })
    } finally {
      await rig.ovs.vsctl('del-port', 'br1', 'taken')
    }
    expect([await podPorts(), podLinks()]).toEqual([[], []])
    const asks = rig.asked.length > 0 ? ['ADD c1/eth0', 'DEL c1/eth0'] : []
    expect(rig.asked).toEqual(asks)
    await agent.links.sweep()
    expect(linkFind(pod.rtnl, 'eth0')).toBeUndefined()
  })
})

test('an interface that is not ours is left alone', async () => {
  const { linkAdd } = await import('../../../linux/index.ts')
  linkAdd(pod.rtnl, { kind: 'veth', name: 'eth0', peer: { name: 'theirs' } })
  await expect(agent.plugin.add(callFor(pod, { vlan: 1 }), NEVER)).rejects.toMatchObject({ id: 'interface-exists' })
  expect(linkFind(pod.rtnl, 'eth0')).toBeDefined()
  expect(await podPorts()).toEqual([])
})

test('ADD twice is one port, and the former addresses are asked for again', async () => {
  await agent.plugin.add(callFor(pod, { vlan: 1, ...ipam(V4) }), NEVER)
  await agent.plugin.add(callFor(pod, { vlan: 2, ...ipam(V4) }), NEVER)
  expect(await podPorts()).toEqual([LINK])
  expect(await row('Port', 'tag')).toEqual(['2'])
})

describe('CHECK says what is not as it was made', () => {
  const config = { vlan: 100, ofport_request: 9, ...ipam(V4) }
  const checkAfter = async (spoil: () => Promise<unknown> | unknown, changes: JsonObject = {}): Promise<unknown> => {
    const call = callFor(pod, config)
    const prevResult = await agent.plugin.add(call, NEVER)
    const { promise, resolve } = Promise.withResolvers<void>()
    // ovs-vswitchd follows a moment later.
    const undo = agent.ports.tables.subscribe(() => void setTimeout(resolve, 100))
    await spoil()
    await Promise.race([promise, Bun.sleep(300)])
    undo()
    return agent.plugin.check({ ...callFor(pod, { ...config, ...changes }), prevResult })
  }
  test.each<[string, () => Promise<unknown> | unknown, string]>([
    ['the tag', () => rig.ovs.vsctl('set', 'Port', LINK, 'tag=101'), 'tag is 101 instead of 100'],
    ['the mode', () => rig.ovs.vsctl('set', 'Port', LINK, 'vlan_mode=trunk'), 'vlan_mode is trunk instead of access'],
    ['the port', () => rig.ovs.vsctl('del-port', LINK), 'has no port'],
    ['its kind', () => rig.ovs.vsctl('--no-wait', 'set', 'Interface', LINK, 'type=no-such-type'), 'cannot use port'],
    ['its number', () => rig.ovs.vsctl('set', 'Interface', LINK, 'ofport_request=11'), 'number 11 instead of 9'],
    ['its bridge', moveToAnotherBridge, 'on bridge br8 instead of br1'],
    ['the address', () => linkAddressGone(), 'lost address 172.18.30.131/16'],
    ['the MAC address', () => linkSet(pod.rtnl, 'eth0', { mac: '02:00:00:00:00:01' }), 'MAC address 02:00:00:00:00:01'],
    ["the node's end", () => linkSet(rig.host.rtnl, LINK, { up: false }), 'is down'],
    ['the whole link', () => linkDel(pod.rtnl, 'eth0'), 'on the node is gone'],
  ])('%s', async (_, spoil, difference) => {
    await expect(checkAfter(spoil)).rejects.toEqual(
      expect.objectContaining({
        id: 'check-failed',
        message: expect.stringContaining(difference),
      }),
    )
  })

  test('a configuration that says otherwise now', async () => {
    await expect(checkAfter(() => undefined, { vlan: 5 })).rejects.toMatchObject({ id: 'check-failed' })
  })

  afterAll(() => rig.ovs.vsctl('--if-exists', 'del-br', 'br8'))

  async function moveToAnotherBridge(): Promise<void> {
    const uuid = await rig.ovs.vsctl('get', 'Port', LINK, '_uuid')
    await rig.ovs.vsctl('add-br', 'br8', '--', 'set', 'bridge', 'br8', 'datapath_type=netdev')
    await rig.ovs.vsctl('remove', 'Bridge', 'br1', 'ports', uuid, '--', 'add', 'Bridge', 'br8', 'ports', uuid)
  }

  async function linkAddressGone(): Promise<void> {
    const { addrFlush } = await import('../../../linux/index.ts')
    addrFlush(pod.rtnl, linkGet(pod.rtnl, 'eth0').index, 4)
  }
})

test('whoever guards a bridge knows the port before it has addresses, and its addresses before the pod does', async () => {
  const events: unknown[] = []
  const guarded = await rig.start(({ guard }) => ({
    guard: {
      ...guard,
      put: async ({ bridge, endpoint: { ofport, addresses, mac } }) => {
        const has = addrList(pod.rtnl, { family: 4 }).some(({ address }) => address === V4.address)
        events.push([bridge, ofport > 0, addresses, mac, has])
      },
      remove: (id) => events.push(id),
    },
  }))
  const mac = '02:11:22:33:44:55'
  const call = callFor(pod, { vlan: 1, ...ipam(V4), runtimeConfig: { mac } })
  await guarded.plugin.add(call, NEVER)
  expect(guarded.ports.guarded()).toMatchObject([
    { bridge: 'br1', endpoint: { id: 'c1/eth0', addresses: ['172.18.30.131'] } },
  ])
  await guarded.plugin.macChanged({ containerId: 'c1', ifname: 'net1' }, '02:00:00:00:00:01' as never)
  expect(events).toHaveLength(2)
  await guarded.plugin.macChanged(call, '02:00:00:00:00:02' as never)
  expect(events.pop()).toEqual(['br1', true, ['172.18.30.131'], '02:00:00:00:00:02', true])
  expect((await row('Interface', 'external_ids')).join()).toContain('weft-mac=02:00:00:00:00:02')
  await guarded.plugin.del(call)
  expect(events).toEqual([['br1', true, [], mac, false], ['br1', true, ['172.18.30.131'], mac, false], 'c1/eth0'])
})

test('on a guarded bridge it has its number and its limits with the port, and is held to them before', async () => {
  const events: unknown[] = []
  const guarded = await rig.start(({ guard, ports }) => ({
    guard: {
      ...guard,
      admit: async () => ({
        ofport: 0x1234,
        limits: { fromPod: 5_000_000 },
        externalIds: { 'weft-limits': 'from-pod=5000000' },
      }),
      shape: ({ link, endpoint: { ofport, limits } }) => events.push([link, ofport, limits, ports.named(link)?.link]),
      attached: (link) => events.push(ports.leaseOf(link)?.endpoint.limits),
    },
  }))
  const call = callFor(pod, { vlan: 1, ...ipam(V4) })
  await rig.ovs.vsctl('set', 'Bridge', 'br1', 'external_ids:weft-owner=weft-bridge')
  try {
    await guarded.plugin.add(call, NEVER)
    expect(events).toEqual([[LINK, 0x1234, { fromPod: 5_000_000 }, undefined], { fromPod: 5_000_000 }])
    expect(guarded.ports.leases()).toMatchObject([
      { link: LINK, mtu: 1500, endpoint: { ofport: 0x1234 }, wire: { bridge: 'br1', datapath: 'netdev' } },
    ])
    await guarded.plugin.del(call)
    const fixed = guarded.plugin.add(callFor(pod, { vlan: 1, ofport_request: 17, ...ipam(V4) }), NEVER)
    await expect(fixed).rejects.toThrow('ofport_request')
    expect(await podPorts()).toEqual([])
  } finally {
    await rig.ovs.vsctl('remove', 'Bridge', 'br1', 'external_ids', 'weft-owner')
  }
  expect(guarded.ports.leases()).toEqual([])
})

test('twenty pods at once', async () => {
  const pods = Array.from({ length: 20 }, (_, i) => ({ place: scratch(), id: `d${i}` }))
  const calls = pods.map(({ place, id }, i) =>
    callFor(place, { vlan: i + 1, ...ipam({ address: `172.18.31.${i + 1}/16` }) }, { containerId: id }),
  )
  await Promise.all(calls.map((call) => agent.plugin.add(call, NEVER)))
  expect(await podPorts()).toHaveLength(20)
  await Promise.all(calls.map((call) => agent.plugin.del(call)))
  expect([await podPorts(), podLinks()]).toEqual([[], []])
  for (const { place } of pods) place[Symbol.dispose]()
})

test("a bridge's own MTU is what pods get, and tenants cannot make it smaller", async () => {
  const grants = {
    trustedNamespaces: new Set<string>(),
    types: new Set(['ovs']),
    bridges: [{ bridge: 'br1', namespaces: [], vlans: [] }],
  }
  const tenant = await rig.start(() => ({ grants: () => grants }))
  const mtuOf = async () => Number(await rig.ovs.vsctl('get', 'Interface', 'br1', 'mtu'))
  await tenant.plugin.add(callFor(pod, { vlan: 1, mtu: 1300 }, { origin: { kind: 'caller' } }), NEVER)
  expect([linkGet(pod.rtnl, 'eth0').mtu, linkGet(rig.host.rtnl, LINK).mtu]).toEqual([1300, 1500])
  expect(await mtuOf()).toBe(1500)
  await tenant.plugin.del(callFor(pod, {}))
  await tenant.links.sweep()
  await tenant.plugin.add(callFor(pod, { vlan: 1, mtu: 1300 }), NEVER)
  expect([linkGet(pod.rtnl, 'eth0').mtu, linkGet(rig.host.rtnl, LINK).mtu]).toEqual([1300, 1300])
  // What the others are kept from.
  expect(await mtuOf()).toBe(1300)
})

function sha(text: string): string {
  return new Bun.CryptoHasher('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 8)
    .replace(/(..)(?=.)/g, '$1:')
}
