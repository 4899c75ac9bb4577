/** Real macvlan links in namespaces of this test's own: how they are made, and what is refused. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type CniResult, EMPTY_RESULT, type JsonObject, NO_ARGS, parseArgs } from '../../../cni/index.ts'
import { addrAdd, addrList, linkAdd, linkGet, linkSet, routeAdd, routeList } from '../../../linux/index.ts'
import { indexOf, veth } from '../../../linux/testing/scratch.ts'
import type { Origin } from '../../../network/model/grants.ts'
import type { PluginCallInside } from '../plugin.ts'
import { ANSWER, Bench, FAR, namesIn, never } from './testing/bench.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
afterEach(() => bench[Symbol.dispose]())

const MACVLAN: JsonObject = { type: 'macvlan', master: 'up0', ipam: { type: 'test' } }

describe('macvlan', () => {
  test('is born in the pod, has what its IPAM plugin gives, and reaches the wire', async () => {
    const config = { ...MACVLAN, mtu: 1400, runtimeConfig: { mac: '02:00:00:00:07:09' } }
    const result = await bench.plugin('macvlan').add(bench.call(config), never)
    const link = linkGet(bench.pod.rtnl, 'net1')
    expect(link).toMatchObject({ up: true, mtu: 1400, mac: '02:00:00:00:07:09', data: { mode: 'bridge' } })
    expect<unknown>(result).toEqual({
      interfaces: [{ name: 'net1', mac: '02:00:00:00:07:09', mtu: 1400, sandbox: '/run/netns/wefttest-pod' }],
      ips: ANSWER.ips.map((ip) => ({ ...ip, interface: 0 })),
      routes: ANSWER.routes,
      dns: ANSWER.dns,
    })
    const addresses = addrList(bench.pod.rtnl, { link: link.index }).filter(({ scope }) => scope === 'global')
    expect(addresses.map(({ address }) => address)).toEqual(['10.79.0.5/24', 'fd00:79::5/64'])
    expect(routeList(bench.pod.rtnl, { link: link.index }).map(({ destination }) => destination)).toContain('0.0.0.0/0')
    expect<unknown>(bench.told).toEqual([
      { nsFd: bench.pod.nsFd, ifname: 'net1', mac: '02:00:00:00:07:09', addresses: ['10.79.0.5', 'fd00:79::5'] },
    ])
    const { exitCode } = Bun.spawnSync([
      'nsenter',
      `--net=/proc/${process.pid}/fd/${bench.pod.nsFd}`,
      'ping',
      '-c1',
      '-W5',
      FAR,
    ])
    expect(exitCode).toBe(0)
  })

  test.each(['bridge', 'private', 'vepa', 'passthru'])('mode %s', async (mode) => {
    await bench.plugin('macvlan').add(bench.call({ ...MACVLAN, mode }), never)
    expect(linkGet(bench.pod.rtnl, 'net1').data).toEqual({ kind: 'macvlan', mode })
  })

  test.each<[string, JsonObject, PluginCallInside['args'], string]>([
    ['its own configuration', { mac: '02:00:00:00:00:01' }, NO_ARGS, '02:00:00:00:00:01'],
    [
      'args.cni',
      { mac: '02:00:00:00:00:01', args: { cni: { mac: '02:00:00:00:00:02' } } },
      NO_ARGS,
      '02:00:00:00:00:02',
    ],
    ['CNI_ARGS', {}, parseArgs('IgnoreUnknown=1;MAC=02:00:00:00:00:03'), '02:00:00:00:00:03'],
    [
      'runtimeConfig',
      { runtimeConfig: { mac: '02-00-00-00-00-04' } },
      parseArgs('IgnoreUnknown=1;MAC=02:00:00:00:00:03'),
      '02:00:00:00:00:04',
    ],
  ])('a MAC address of %s', async (_, config, args, mac) => {
    await bench.plugin('macvlan').add(bench.call({ ...MACVLAN, ...config }, { args }), never)
    expect(linkGet(bench.pod.rtnl, 'net1').mac).toBe(mac)
  })

  test('without a master it stands on the link of the default route', async () => {
    veth(bench.node, bench.wire, 'up1', 'w1')
    addrAdd(bench.node.rtnl, { link: indexOf(bench.node, 'up0'), address: '10.79.0.2/24' })
    routeAdd(bench.node.rtnl, { destination: '0.0.0.0/0', gateway: FAR })
    await bench.plugin('macvlan').add(bench.call({ ...MACVLAN, master: '' }), never)
    expect(linkGet(bench.pod.rtnl, 'net1').parent).toBe(indexOf(bench.node, 'up0'))
  })

  test('without IPAM it is up without addresses; what was there before stays in the answer', async () => {
    const prevResult: CniResult = {
      ...ANSWER,
      interfaces: [{ name: 'x' }],
      ips: [{ address: '10.1.1.1/24', interface: 0 }],
    }
    const { type, master } = MACVLAN
    const result = await bench
      .plugin('macvlan')
      .add(bench.call({ type: type ?? '', master: master ?? '' }, { prevResult }), never)
    expect(result.interfaces.map(({ name }) => name)).toEqual(['x', 'net1'])
    expect(result.ips).toEqual(prevResult.ips)
    expect(linkGet(bench.pod.rtnl, 'net1').up).toBe(true)
    expect(bench.told).toEqual([])
  })

  test('its address is that of the interface behind those before it', async () => {
    const result = await bench
      .plugin('macvlan')
      .add(bench.call(MACVLAN, { prevResult: { ...EMPTY_RESULT, interfaces: [{ name: 'x' }] } }), never)
    expect(result.ips.map((ip) => ip.interface)).toEqual([1, 1])
  })

  test('name resolution is the configuration’s, where it says something', async () => {
    const result = await bench
      .plugin('macvlan')
      .add(bench.call({ ...MACVLAN, dns: { nameservers: ['10.0.0.10'] } }), never)
    expect(result.dns.nameservers).toEqual(['10.0.0.10'])
  })

  test.each<[string, JsonObject, object]>([
    [
      'an MTU beyond the master’s',
      { mtu: 9000 },
      { id: 'config-invalid', message: expect.stringContaining('1500, that of up0') },
    ],
    [
      'a mode of none',
      { mode: 'source' },
      { id: 'config-invalid', message: expect.stringContaining('mode: must be one of') },
    ],
    ['a link inside the pod', { linkInContainer: true }, { message: expect.stringContaining('linkInContainer') }],
    ['a bad MAC address', { mac: '01:00:00:00:00:00' }, { message: expect.stringContaining('mac: must be a unicast') }],
    ['a missing link', { master: 'none0' }, { id: 'master-unfit', message: expect.stringContaining('there is none') }],
    ['no link at all', { master: '' }, { id: 'master-unfit', message: expect.stringContaining('no default route') }],
    ['the loopback', { master: 'lo' }, { id: 'master-unfit', message: expect.stringContaining('no Ethernet link') }],
    ['a bad IPAM', { ipam: 7 }, { id: 'config-invalid', message: expect.stringContaining('ipam: must be an object') }],
  ])('refused: %s', async (_, config, expected) => {
    await expect(bench.plugin('macvlan').add(bench.call({ ...MACVLAN, ...config }), never)).rejects.toMatchObject(
      expected,
    )
    expect(namesIn(bench.pod)).toEqual(['lo'])
  })

  test('a port of a bridge is refused, and so is one of our own links', async () => {
    const bridge = linkAdd(bench.node.rtnl, { kind: 'bridge', name: 'br0' })
    linkSet(bench.node.rtnl, 'up0', { master: bridge.index })
    await expect(bench.plugin('macvlan').add(bench.call(MACVLAN), never)).rejects.toEqual(
      expect.objectContaining({
        id: 'master-unfit',
        message: expect.stringContaining('a port of the bridge br0'),
      }),
    )
    veth(bench.node, bench.wire, 'weft0', 'w1')
    await expect(bench.plugin('macvlan').add(bench.call({ ...MACVLAN, master: 'weft0' }), never)).rejects.toEqual(
      expect.objectContaining({
        message: expect.stringContaining("one of Weft's own links"),
      }),
    )
  })

  test('a port of Open vSwitch is refused, by the name of its bridge', async () => {
    bench.parts = { ...bench.parts, bridgeOf: async (link) => (link === 'up0' ? 'br1' : undefined) }
    await expect(bench.plugin('macvlan').add(bench.call(MACVLAN), never)).rejects.toEqual(
      expect.objectContaining({
        id: 'master-unfit',
        message: expect.stringContaining('a port of br1'),
      }),
    )
  })

  test('what has a passthru already says so', async () => {
    await bench.plugin('macvlan').add(bench.call({ ...MACVLAN, mode: 'passthru' }), never)
    await expect(bench.plugin('macvlan').add(bench.call(MACVLAN, { ifname: 'net2' }), never)).rejects.toMatchObject({
      id: 'master-unfit',
    })
  })

  test.each<[string, Origin, boolean]>([
    ['the node', { kind: 'node' }, true],
    ['a trusted namespace', { kind: 'definition', namespace: 'kube-system', name: 'd' }, true],
    ['a tenant', { kind: 'definition', namespace: 'pods', name: 'd' }, false],
    ['nobody known', { kind: 'caller' }, false],
  ])('a master in the words of %s', async (_, origin, allowed) => {
    const added = bench.plugin('macvlan').add(bench.call(MACVLAN, { origin }), never)
    if (allowed) await added
    else
      await expect(added).rejects.toEqual(
        expect.objectContaining({ id: 'choice-refused', message: expect.stringContaining('master') }),
      )
    expect(namesIn(bench.pod).includes('net1')).toBe(allowed)
  })

  test('somebody else’s interface of that name is left alone, by ADD and by DEL', async () => {
    linkAdd(bench.node.rtnl, {
      kind: 'macvlan',
      name: 'net1',
      parent: indexOf(bench.node, 'up0'),
      mode: 'bridge',
      nsFd: bench.pod.nsFd,
    })
    await expect(bench.plugin('macvlan').add(bench.call(MACVLAN), never)).rejects.toMatchObject({
      id: 'interface-exists',
    })
    await bench.plugin('macvlan').del(bench.call(MACVLAN))
    expect(namesIn(bench.pod)).toContain('net1')
  })
})
