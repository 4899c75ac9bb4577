/** A NIC into a pod and back, and which NICs stay where they are. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../cni/index.ts'
import { addrAdd, addrList, linkAdd, linkGet, linkSet, routeAdd, routeList } from '../../../linux/index.ts'
import { indexOf, veth } from '../../../linux/testing/scratch.ts'
import type { Origin } from '../../../network/model/grants.ts'
import { ANSWER, FAR, namesIn, never } from '../links/testing/bench.ts'
import { NicBench } from './testing/nic-bench.ts'

let bench: NicBench
beforeEach(() => {
  bench = new NicBench()
})
afterEach(() => bench[Symbol.dispose]())

const NIC: JsonObject = { type: 'host-device', device: 'up0' }
const ADDRESSED: JsonObject = { ...NIC, ipam: { type: 'test' } }
const add = (config: JsonObject, origin: Origin = { kind: 'node' }) =>
  bench.plugin.add(bench.links.call(config, { origin }), never)

describe('into the pod', () => {
  test('by its name, with addresses and routes of an IPAM plugin', async () => {
    const result = await add(ADDRESSED)
    expect(result.interfaces).toEqual([
      { name: 'net1', mtu: 1500, mac: bench.inside?.mac ?? '', sandbox: '/run/netns/wefttest-pod' },
    ])
    expect(result.ips).toEqual(ANSWER.ips.map((ip) => ({ ...ip, interface: 0 })))
    expect(namesIn(bench.links.node)).not.toContain('up0')
    const { pod } = bench.links
    const link = linkGet(pod.rtnl, 'net1')
    expect(link.up).toBe(true)
    const addresses = addrList(pod.rtnl, { link: link.index }).filter(({ scope }) => scope === 'global')
    expect(addresses.map(({ address }) => address)).toEqual(['10.79.0.5/24', 'fd00:79::5/64'])
    expect(routeList(pod.rtnl, { link: link.index }).map(({ destination }) => destination)).toContain('0.0.0.0/0')
    expect(bench.links.told).toHaveLength(1)
    const { exitCode } = Bun.spawnSync([
      'nsenter',
      `--net=/proc/${process.pid}/fd/${pod.nsFd}`,
      ...['ping', '-c1', '-W5', FAR],
    ])
    expect(exitCode).toBe(0)
  })

  test('by its MAC address, without addresses', async () => {
    const { mac = '' } = bench.nic
    const result = await add({ type: 'host-device', hwaddr: mac.toUpperCase() })
    expect(bench.inside?.mac).toBe(mac)
    expect(result.ips).toEqual([])
    expect(bench.links.told).toEqual([])
  })

  const facts = (mac: string) => ({
    mac,
    mtu: 1442,
    answer: { ips: [{ address: '10.79.0.9/24', gateway: FAR }], routes: [{ dst: '10.90.0.0/16', gw: FAR }], dns: DNS },
  })
  const DNS = { nameservers: ['10.79.0.3'], search: [], options: [] }
  const CLOUD = { authUrl: 'http://127.0.0.1:1/v3' }

  test("by its Neutron port, with the port's addresses, MTU and routes", async () => {
    bench.facts = facts(bench.nic.mac ?? '')
    const port = '2233c32a-4092-4d8b-b44d-1c54f666c507'
    const result = await add({ type: 'host-device', port: port.toUpperCase(), openstackConf: CLOUD })
    expect(bench.asked).toEqual([{ cloud: CLOUD, port: { id: port } }])
    expect(result.interfaces[0]?.mtu).toBe(1442)
    expect(result.dns).toEqual(DNS)
    const { rtnl } = bench.links.pod
    const { index, mtu } = linkGet(rtnl, 'net1')
    expect(mtu).toBe(1442)
    expect(addrList(rtnl, { link: index, family: 4 }).map(({ address }) => address)).toEqual(['10.79.0.9/24'])
    expect(routeList(rtnl, { link: index })).toContainEqual(
      expect.objectContaining({ destination: '10.90.0.0/16', gateway: FAR }),
    )
    await bench.plugin.del(bench.links.call(NIC))
    expect(bench.nic.mtu).toBe(1500)
  })

  test('Neutron is asked by the MAC address where no port is named; an MTU of the configuration wins', async () => {
    const { mac = '' } = bench.nic
    bench.facts = facts(mac)
    await add({ ...NIC, mtu: 1300, openstackConf: CLOUD })
    expect(bench.asked).toEqual([{ cloud: CLOUD, port: { mac } }])
    expect(bench.inside?.mtu).toBe(1300)
  })

  test('where Neutron says nothing the NIC stays', async () => {
    await expect(add({ ...NIC, openstackConf: CLOUD })).rejects.toThrow('Neutron knows nothing')
    expect(bench.nic.alias).toBeUndefined()
    expect(bench.notes.values()).toEqual([])
  })

  test('CHECK passes what ADD made and finds what is not', async () => {
    const call = bench.links.call(ADDRESSED)
    const prevResult = await bench.plugin.add(call, never)
    await bench.plugin.check({ ...call, prevResult })
    linkSet(bench.links.pod.rtnl, 'net1', { up: false })
    const difference = (words: string) =>
      expect.objectContaining({ id: 'check-failed', message: expect.stringContaining(words) })
    await expect(bench.plugin.check({ ...call, prevResult })).rejects.toEqual(difference('is down'))
    await bench.plugin.del(call)
    await expect(bench.plugin.check({ ...call, prevResult })).rejects.toEqual(difference('is gone'))
  })
})

describe('stays on the node', () => {
  const refused: readonly (readonly [string, () => unknown, JsonObject, string])[] = [
    ['a NIC that is not there', () => undefined, { device: 'none0' }, 'there is no such link on the node'],
    [
      'a MAC address that nobody has',
      () => undefined,
      { device: '', hwaddr: '02:00:00:00:00:99' },
      'there is no such link',
    ],
    ['the loopback', () => undefined, { device: 'lo' }, 'it is no Ethernet link'],
    ['an address', () => address('10.79.0.2/24'), {}, 'the node has address 10.79.0.2/24 on it'],
    ['an IPv6 address', () => address('fd00:79::2/64'), {}, 'the node has address fd00:79::2/64 on it'],
    ['the default route', () => route('0.0.0.0/0'), {}, "the node's default route leads by it"],
    ['a route', () => route('10.80.0.0/16'), {}, "the node's route to 10.80.0.0/16 leads by it"],
    ['a port of a bridge', () => enslave(), {}, 'it is a port of the bridge br0'],
    ['a bridge', () => enslave(), { device: 'br0' }, 'it is no NIC but a link of kind bridge'],
    ['a port of Open vSwitch', () => ovs(), {}, 'it is a port of br1'],
    ['what a macvlan stands on', () => stacked(), {}, 'link mac0 stands on it'],
    ['one of ours', () => rename('weft0'), { device: 'weft0' }, "it is one of Weft's own links"],
  ]
  test.each(refused)('%s', async (_, arrange, config, words) => {
    arrange()
    const before = namesIn(bench.links.node)
    await expect(add({ ...NIC, ...config })).rejects.toEqual(
      expect.objectContaining({ id: 'nic-unfit', message: expect.stringContaining(words) }),
    )
    expect(namesIn(bench.links.node)).toEqual(before)
    expect(namesIn(bench.links.pod)).toEqual(['lo'])
    expect(bench.notes.values()).toEqual([])
  })

  const node = () => bench.links.node
  const up0 = () => indexOf(node(), 'up0')
  const address = (text: string) => addrAdd(node().rtnl, { link: up0(), address: text })
  const route = (destination: string) => routeAdd(node().rtnl, { destination, link: up0() })
  const rename = (name: string) => {
    linkSet(node().rtnl, up0(), { up: false })
    linkSet(node().rtnl, up0(), { name })
  }
  const enslave = () => {
    const { index } = linkAdd(node().rtnl, { kind: 'bridge', name: 'br0' })
    linkSet(node().rtnl, 'up0', { master: index })
  }
  const stacked = () => linkAdd(node().rtnl, { kind: 'macvlan', name: 'mac0', parent: up0(), mode: 'bridge' })
  const ovs = () => {
    bench.change = { bridgeOf: async () => 'br1' }
  }

  test('what several links are', async () => {
    const { mac = '' } = bench.nic
    veth(node(), bench.links.wire, 'up1', 'w1')
    linkSet(node().rtnl, 'up1', { mac })
    await expect(add({ type: 'host-device', hwaddr: mac })).rejects.toEqual(
      expect.objectContaining({ message: expect.stringContaining('several links are that: ') }),
    )
  })

  test('what is in another pod, which is named', async () => {
    const { mac = '' } = bench.nic
    await add(NIC)
    for (const config of [NIC, { type: 'host-device', hwaddr: mac }]) {
      const call = bench.links.call(config, { containerId: 'c2', ifname: 'net2' })
      await expect(bench.plugin.add(call, never)).rejects.toEqual(
        expect.objectContaining({ id: 'nic-unfit', message: expect.stringContaining('container c1 has it') }),
      )
    }
  })

  test('the NIC of a pod that already has an interface of the name', async () => {
    linkAdd(bench.links.pod.rtnl, { kind: 'bridge', name: 'net1' })
    await expect(add(NIC)).rejects.toMatchObject({ id: 'interface-exists' })
    expect([bench.nic.alias, bench.notes.values()]).toEqual([undefined, []])
  })

  test.each<[string, Origin, boolean]>([
    ['an administrator', { kind: 'definition', namespace: 'kube-system', name: 'd' }, true],
    ['a tenant', { kind: 'definition', namespace: 'pods', name: 'd' }, false],
    ['nobody known', { kind: 'caller' }, false],
  ])('unless it is the word of %s', async (_, origin, allowed) => {
    if (allowed) await add(NIC, origin)
    else await expect(add(NIC, origin)).rejects.toMatchObject({ id: 'choice-refused' })
    expect(bench.inside !== undefined).toBe(allowed)
  })

  test('one of two pods that ask for it at the same time has it', async () => {
    const other = bench.links.call(NIC, { containerId: 'c2', ifname: 'net2' })
    const { plugin } = bench
    const done = await Promise.allSettled([plugin.add(bench.links.call(NIC), never), plugin.add(other, never)])
    expect(done.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(namesIn(bench.links.pod)).toHaveLength(2)
  })
})
