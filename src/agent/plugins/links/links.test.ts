/** Kinds that a kernel may lack, VLAN links of the node, and ports of Open vSwitch. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import { addrAdd, linkAdd, linkFind, linkGet, linkSet, routeAdd } from '../../../linux/index.ts'
import { scratch, veth } from '../../../linux/testing/scratch.ts'
import type { Origin } from '../../../network/model/grants.ts'
import { connectOvsdb } from '../../../ovs/ovsdb/index.ts'
import { startOvsSandbox } from '../../../ovs/testing/ovs-sandbox.ts'
import { bridgeOfLink } from './index.ts'
import { Bench, namesIn, never } from './testing/bench.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
afterEach(() => bench[Symbol.dispose]())

/** Whether this kernel can make links of a kind. */
function kernelHas(spec: { readonly kind: 'ipvlan' } | { readonly kind: 'vlan'; readonly id: number }): boolean {
  using place = scratch()
  const { a } = veth(place, place, 'a0', 'a1')
  try {
    linkAdd(place.rtnl, { ...spec, name: 'k0', parent: a })
    return true
  } catch {
    return false
  }
}

describe('kinds that this kernel may lack', () => {
  const kinds = [
    ['ipvlan', { kind: 'ipvlan' }, { type: 'ipvlan', master: 'up0' }],
    ['vlan', { kind: 'vlan', id: 7 }, { type: 'vlan', master: 'up0', vlanId: 7 }],
    ['ifacer', { kind: 'vlan', id: 7 }, { type: 'ifacer', interfaces: ['up0'], vlanID: 7 }],
  ] as const
  for (const [type, spec, config] of kinds) {
    test(type, async () => {
      const added = bench.plugin(type).add(bench.call(config), never)
      if (kernelHas(spec)) await added
      else
        await expect(added).rejects.toEqual(
          expect.objectContaining({
            id: 'kernel-feature-missing',
            message: expect.stringContaining(spec.kind),
          }),
        )
    })
  }

  test.each<[string, JsonObject, string]>([
    ['ipvlan', { mode: 'l4' }, 'mode: must be one of l2, l3, l3s'],
    ['vlan', {}, 'vlanId: is missing'],
    ['vlan', { vlanId: 4095 }, 'vlanId: must be a whole number from 0 to 4094'],
    ['ifacer', {}, 'interfaces: must name a link'],
    ['ifacer', { interfaces: ['up0', 'up1'] }, 'interfaces: bonds are not made here'],
    ['ifacer', { interfaces: ['up0'], bond: { name: 'b' } }, 'bond: bonds are not made here'],
    ['ifacer', { interfaces: ['up0'], vlanID: 4095 }, 'vlanID: must be a whole number'],
    ['ifacer', { interfaces: ['enp175s0f0np1'], vlanID: 100 }, 'longer than 15 characters: enp175s0f0np1.100'],
  ])('%s refuses %j', async (type, config, words) => {
    await expect(bench.plugin(type).add(bench.call({ type, master: 'up0', ...config }), never)).rejects.toEqual(
      expect.objectContaining({
        id: 'config-invalid',
        message: expect.stringContaining(words),
      }),
    )
  })
})

describe.each([
  ['macvlan', {}],
  ['ipvlan', {}],
  ['vlan', { vlanId: 7 }],
] as const)('the master of %s', (type, more) => {
  const add = (config: JsonObject, origin: Origin = { kind: 'node' }) =>
    bench.plugin(type).add(bench.call({ type, ...more, ...config }, { origin }), never)

  test.each<[string, JsonObject, object]>([
    [
      'that is not there',
      { master: 'none0' },
      { id: 'master-unfit', message: expect.stringContaining('there is none') },
    ],
    ['that is no text', { master: 7 }, { id: 'config-invalid', message: expect.stringContaining('master: must be') }],
    ['the loopback', { master: 'lo' }, { id: 'master-unfit', message: expect.stringContaining('no Ethernet link') }],
    ['one of ours', { master: 'weft0' }, { id: 'master-unfit', message: expect.stringContaining("Weft's own") }],
    ['a bridge’s port', { master: 'up0' }, { id: 'master-unfit', message: expect.stringContaining('a port of br1') }],
    ['none, and no way out', {}, { id: 'master-unfit', message: expect.stringContaining('no default route') }],
    ['a link inside the pod', { linkInContainer: true }, { message: expect.stringContaining('linkInContainer') }],
  ])('%s is refused, by ADD and, where it is a link, by STATUS', async (_, config, expected) => {
    veth(bench.node, bench.wire, 'weft0', 'w1')
    bench.parts = { ...bench.parts, bridgeOf: async (link) => (link === 'up0' ? 'br1' : undefined) }
    await expect(add(config)).rejects.toMatchObject(expected)
    expect(namesIn(bench.pod)).toEqual(['lo'])
    const status = bench.plugin(type).status?.({ config: { type, ...more, ...config }, version: '1.1.0', path: [] })
    if (typeof config['master'] === 'string') await expect(status).rejects.toMatchObject(expected)
    else await status
  })

  test('is nothing for a tenant to choose, named or not', async () => {
    for (const master of ['up0', '']) {
      const added = add({ master }, { kind: 'definition', namespace: 'pods', name: 'd' })
      await expect(added).rejects.toEqual(
        expect.objectContaining({ id: 'choice-refused', message: expect.stringContaining('master') }),
      )
    }
    expect(namesIn(bench.pod)).toEqual(['lo'])
  })

  test('left out it is the link of the default route', async () => {
    veth(bench.node, bench.wire, 'up1', 'w1')
    addrAdd(bench.node.rtnl, { link: linkGet(bench.node.rtnl, 'up1').index, address: '10.80.0.2/24' })
    routeAdd(bench.node.rtnl, { destination: '0.0.0.0/0', gateway: '10.80.0.1' })
    const added = add({ master: '' })
    const isThere = type === 'macvlan' || kernelHas(type === 'vlan' ? { kind: type, id: 7 } : { kind: type })
    if (isThere) {
      await added
      expect(linkGet(bench.pod.rtnl, 'net1').parent).toBe(linkGet(bench.node.rtnl, 'up1').index)
    } else await expect(added).rejects.toMatchObject({ id: 'kernel-feature-missing' })
  })
})

test.each<[string, readonly string[], object]>([
  ['the link that the step before made', ['none0'], { id: 'master-unfit', message: expect.stringContaining('none0') }],
  ['nothing, where it made none', [], { id: 'config-invalid', message: expect.stringContaining('no single link') }],
  ['nothing, where it made two', ['up0', 'up1'], { id: 'config-invalid' }],
])('ipvlan behind another step stands on %s', async (_, names, expected) => {
  const prevResult = { ...EMPTY_RESULT, interfaces: names.map((name) => ({ name })) }
  await expect(bench.plugin('ipvlan').add(bench.call({ type: 'ipvlan' }, { prevResult }), never)).rejects.toMatchObject(
    expected,
  )
})

describe('ifacer', () => {
  const config = { type: 'ifacer', interfaces: ['up0'] }

  test('without a VLAN it sets the link up; the answer is what it was', async () => {
    linkSet(bench.node.rtnl, 'up0', { up: false })
    expect(await bench.plugin('ifacer').add(bench.call(config), never)).toEqual(EMPTY_RESULT)
    expect(linkGet(bench.node.rtnl, 'up0').up).toBe(true)
    await bench.plugin('ifacer').check(bench.call(config))
    linkSet(bench.node.rtnl, 'up0', { up: false })
    await expect(bench.plugin('ifacer').check(bench.call(config))).rejects.toMatchObject({ id: 'check-failed' })
    await bench.plugin('ifacer').del(bench.call(config))
    expect(namesIn(bench.node)).toContain('up0')
  })

  test('only for administrators', async () => {
    const origin: Origin = { kind: 'definition', namespace: 'pods', name: 'd' }
    await expect(bench.plugin('ifacer').add(bench.call(config, { origin }), never)).rejects.toEqual(
      expect.objectContaining({
        id: 'choice-refused',
        message: expect.stringContaining('interfaces'),
      }),
    )
  })

  test('a link of another kind in its place is left alone', async () => {
    veth(bench.node, bench.wire, 'up0.7', 'w1')
    await expect(bench.plugin('ifacer').add(bench.call({ ...config, vlanID: 7 }), never)).rejects.toEqual(
      expect.objectContaining({
        id: 'master-unfit',
        message: expect.stringContaining('up0.7 is there already'),
      }),
    )
    expect(linkFind(bench.node.rtnl, 'up0.7')?.kind).toBe('veth')
  })
})

test('which bridge of Open vSwitch has a link', async () => {
  await using ovs = await startOvsSandbox({ vswitchd: false })
  await ovs.vsctl('--no-wait', 'add-br', 'br1', '--', 'add-port', 'br1', 'up0', '--', 'add-br', 'br2')
  const client = await connectOvsdb({ path: ovs.dbSocket })
  try {
    expect(await bridgeOfLink(client, 'up0')).toBe('br1')
    expect(await bridgeOfLink(client, 'up1')).toBeUndefined()
    expect(await bridgeOfLink(client, 'br2')).toBeUndefined()
  } finally {
    client.close()
  }
})
