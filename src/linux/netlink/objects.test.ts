import { describe, expect, test } from 'bun:test'
import { hasErrno } from '../errno.ts'
import { scratch, veth } from '../testing/scratch.ts'
import { type AddressSpec, addrAdd, addrDel, addrFlush, addrList, addrReplace } from './address.ts'
import { type LinkSpec, linkAdd } from './link-add.ts'
import { linkDel, linkDelGroup, linkFind, linkGet, linkList, linkSet, linkSetNetns } from './link-ops.ts'
import { type NeighbourSpec, neighAdd, neighDel, neighList, neighReplace } from './neighbour.ts'
import { type RouteSpec, routeAdd, routeDel, routeGet, routeList, routeReplace } from './route.ts'
import { type RuleSpec, ruleAdd, ruleDel, ruleList } from './rule.ts'

const errnoIs = (name: string) => (error: unknown) => hasErrno(error, name)

describe('links', () => {
  test('a veth is born with everything in place on both sides', () => {
    using node = scratch()
    using pod = scratch()
    const birth = { mac: '02:00:00:00:00:01', mtu: 1410, group: 77, txQueueLength: 5 }
    const peer = { name: 'eth0', mac: '02:00:00:00:00:02', mtu: 1400, group: 78, txQueueLength: 6 }
    const alias = 'weft:default/web-0/eth0'
    const born = linkAdd(node.rtnl, {
      kind: 'veth',
      name: 'wA',
      up: true,
      alias,
      ...birth,
      peer: { ...peer, nsFd: pod.nsFd },
    })
    const host = linkGet(node.rtnl, born.index)
    const inside = linkGet(pod.rtnl, 'eth0')
    expect(host).toMatchObject({ name: 'wA', kind: 'veth', up: true, alias, parent: inside.index, ...birth })
    expect(inside).toMatchObject({ kind: 'veth', up: false, parent: host.index, ...peer })
    expect(born).toMatchObject({ name: 'wA', alias, ...birth })
  })

  const kinds: readonly LinkSpec[] = [
    {
      kind: 'bridge',
      name: 'k0',
      stp: false,
      forwardDelay: 300,
      ageingTime: 1000,
      multicastSnooping: false,
    },
    {
      kind: 'vxlan',
      name: 'k0',
      vni: 0xfffffe,
      port: 8472,
      local: '10.0.0.1',
      remote: '10.0.0.2',
      learning: false,
      ttl: 9,
    },
    { kind: 'vxlan', name: 'k0', vni: 7, port: 4789, local: 'fd00::1', learning: true, udpZeroChecksum6: true },
    { kind: 'vxlan', name: 'k0', port: 4790, external: true, learning: false },
  ]
  test.each(kinds.map((spec) => [JSON.stringify(spec), spec] as const))('%s comes back', (_text, spec) => {
    using node = scratch()
    linkAdd(node.rtnl, spec)
    const { name: _name, ...data } = spec
    expect(linkGet(node.rtnl, 'k0').data).toMatchObject(data)
  })

  test.each(['private', 'vepa', 'bridge', 'passthru', 'source'] as const)('macvlan mode %s comes back', (mode) => {
    using node = scratch()
    const { a } = veth(node, node)
    linkAdd(node.rtnl, { kind: 'macvlan', name: 'm0', parent: a, mode })
    expect(linkGet(node.rtnl, 'm0')).toMatchObject({ parent: a, data: { kind: 'macvlan', mode } })
  })

  test('every change is seen', () => {
    using node = scratch()
    const { a } = veth(node, node)
    const bridge = linkAdd(node.rtnl, { kind: 'bridge', name: 'br0' })
    const change = {
      mtu: 1300,
      mac: '02:00:00:00:00:09',
      alias: 'x',
      group: 5,
      txQueueLength: 3,
      addrGenMode: 'none',
    } as const
    linkSet(node.rtnl, a, { ...change, master: bridge.index })
    expect(linkGet(node.rtnl, a)).toMatchObject({ ...change, master: bridge.index, up: true })
    expect(linkList(node.rtnl, { master: bridge.index }).map((link) => link.index)).toEqual([a])
    expect(linkList(node.rtnl, { group: 5 }).map((link) => link.index)).toEqual([a])
    linkSet(node.rtnl, a, { up: false, master: 0, name: 'other' })
    expect(linkGet(node.rtnl, 'other')).toMatchObject({ index: a, up: false })
    expect(linkGet(node.rtnl, a).master).toBeUndefined()
  })

  test('names that are taken, gone or impossible are named', () => {
    using node = scratch()
    veth(node, node)
    expect(() => linkAdd(node.rtnl, { kind: 'bridge', name: 'a0' })).toThrow('RTM_NEWLINK a0: file exists')
    expect(() => linkGet(node.rtnl, 'gone')).toThrow('RTM_GETLINK gone: no such device')
    expect(linkFind(node.rtnl, 'gone')).toBeUndefined()
    for (const name of ['', '.', 'a/b', 'a b', 'x'.repeat(16), 'é'.repeat(8), 'a\0b', 'a%d']) {
      expect(() => linkAdd(node.rtnl, { kind: 'bridge', name })).toThrow("cannot be a link's name")
    }
  })

  test('a group is deleted at once, group 0 never', async () => {
    using node = scratch()
    for (const name of ['g1', 'g2']) linkAdd(node.rtnl, { kind: 'veth', name, group: 9, peer: { name: `${name}p` } })
    linkAdd(node.rtnl, { kind: 'bridge', name: 'stays', group: 8 })
    expect(await linkDelGroup(node.rtnl, 9)).toBe(true)
    expect(linkList(node.rtnl).map((link) => link.name)).toEqual(['lo', 'stays'])
    expect(await linkDelGroup(node.rtnl, 9)).toBe(false)
    expect(await linkDelGroup(node.rtnl, 0).catch((error) => error.code)).toBe('LINUX_ARGUMENT')
  })

  test('a link moves to another namespace under a new name, and is deleted there', async () => {
    using node = scratch()
    using pod = scratch()
    const { a } = veth(node, node)
    await linkSetNetns(node.rtnl, a, pod.nsFd, 'eth7')
    expect(linkFind(node.rtnl, 'a0')).toBeUndefined()
    await linkDel(pod.rtnl, 'eth7')
    expect(linkFind(node.rtnl, 'b0')).toBeUndefined()
    expect(await linkDel(pod.rtnl, 'eth7').catch((error) => error.code)).toBe('LINUX_ENODEV')
  })
})

describe('addresses', () => {
  const specs: readonly Omit<AddressSpec, 'link'>[] = [
    { address: '10.1.0.1/24', broadcast: '10.1.0.255', noprefixroute: true },
    { address: '10.2.0.1/32', peer: '10.2.0.2/32', scope: 'link' },
    { address: 'fd00::1/64', nodad: true, noprefixroute: true },
    { address: 'fd00::2/128' },
  ]
  test.each(specs)('$address comes back, and goes', (spec) => {
    using node = scratch()
    const { a } = veth(node, node)
    linkSet(node.rtnl, a, { addrGenMode: 'none' })
    addrFlush(node.rtnl, a)
    addrAdd(node.rtnl, { link: a, ...spec })
    expect(addrList(node.rtnl, { link: a })).toMatchObject([{ link: a, ...spec, permanent: true }])
    expect(() => addrAdd(node.rtnl, { link: a, ...spec })).toThrow('file exists')
    addrReplace(node.rtnl, { link: a, ...spec, validLifetime: 1000, preferredLifetime: 500 })
    expect(addrList(node.rtnl, { link: a })).toMatchObject([{ permanent: false }])
    addrDel(node.rtnl, { link: a, ...spec })
    expect(addrList(node.rtnl, { link: a })).toEqual([])
  })

  test('an address with nodad is usable at once, one without is tentative', () => {
    using node = scratch()
    const { a } = veth(node, node)
    addrAdd(node.rtnl, { link: a, address: 'fd00::1/64', nodad: true })
    addrAdd(node.rtnl, { link: a, address: 'fd00::2/64' })
    const found = addrList(node.rtnl, { link: a, family: 6 })
    const tentative = (address: string) => found.find((each) => each.address === address)?.tentative
    expect([tentative('fd00::1/64'), tentative('fd00::2/64')]).toEqual([false, true])
  })
})

describe('routes', () => {
  const specs: readonly RouteSpec[] = [
    { destination: '10.20.0.0/16', gateway: '10.0.0.2', source: '10.0.0.1', mtu: 1400, priority: 7 },
    { destination: '0.0.0.0/0', gateway: '169.254.1.1', onlink: true, table: 1000 },
    { destination: '10.21.0.0/16', type: 'blackhole', scope: 'global' },
    { destination: '10.22.0.7/32', type: 'unreachable' },
    { destination: '10.23.0.0/16', scope: 'link' },
    { destination: '10.24.0.0/16', gateway: 'fd00::9', onlink: true },
    { destination: 'fd20::/64', gateway: 'fd00::2', priority: 9 },
    { destination: '::/0', gateway: 'fe80::1', onlink: true, table: 70_000 },
    { destination: 'fd21::/48', type: 'unreachable' },
  ]
  test.each(specs)('$destination $type comes back, is replaced, and goes', (given) => {
    using node = scratch()
    const { a } = veth(node, node)
    addrAdd(node.rtnl, { link: a, address: '10.0.0.1/24' })
    addrAdd(node.rtnl, { link: a, address: 'fd00::1/64', nodad: true })
    const spec = given.type === undefined ? { ...given, link: a, protocol: 99 } : { ...given, protocol: 99 }
    routeAdd(node.rtnl, spec)
    expect(routeList(node.rtnl, { protocol: 99 })).toMatchObject([spec])
    expect(() => routeAdd(node.rtnl, spec)).toThrow('file exists')
    routeReplace(node.rtnl, spec)
    expect(routeList(node.rtnl, { protocol: 99, table: spec.table ?? 254 })).toHaveLength(1)
    routeDel(node.rtnl, spec)
    expect(routeList(node.rtnl, { protocol: 99 })).toEqual([])
  })

  test('the way to an address is the kernel’s choice, or there is none', () => {
    using node = scratch()
    const { a } = veth(node, node)
    addrAdd(node.rtnl, { link: a, address: '10.0.0.1/24' })
    addrAdd(node.rtnl, { link: a, address: 'fd00::1/64', nodad: true })
    routeAdd(node.rtnl, { destination: '10.20.0.0/16', gateway: '10.0.0.2', link: a })
    expect(routeGet(node.rtnl, '10.20.3.4')).toMatchObject({
      destination: '10.20.3.4/32',
      gateway: '10.0.0.2',
      link: a,
    })
    const direct = routeGet(node.rtnl, 'fd00::7')
    expect([direct.link, direct.gateway]).toEqual([a, undefined])
    expect(routeGet(node.rtnl, '10.0.0.1').type).toBe('local')
    expect(() => routeGet(node.rtnl, '192.0.2.1')).toThrow('network is unreachable')
  })

  test('several hops come back with their weights', () => {
    using node = scratch()
    const { a: link } = veth(node, node)
    addrAdd(node.rtnl, { link, address: '10.0.0.1/24' })
    const hops = [
      { gateway: '10.0.0.2', link, weight: 200, onlink: false },
      { gateway: '10.9.0.3', link, weight: 1, onlink: true },
    ]
    routeAdd(node.rtnl, { destination: '10.30.0.0/16', hops, protocol: 99 })
    expect(routeList(node.rtnl, { protocol: 99 })).toMatchObject([{ hops }])
  })

  test('host bits of a destination are cleared, the kernel’s own words reach the error', () => {
    using node = scratch()
    const { a } = veth(node, node)
    routeAdd(node.rtnl, { destination: '10.40.1.2/16', link: a, protocol: 99 })
    expect(routeList(node.rtnl, { protocol: 99, link: a })).toMatchObject([{ destination: '10.40.0.0/16' }])
    expect(() => routeAdd(node.rtnl, { destination: '10.41.0.0/16', gateway: '192.0.2.1' })).toThrow('invalid gateway')
  })
})

describe('rules', () => {
  const specs: readonly RuleSpec[] = [
    { family: 4, priority: 100, from: '10.0.0.0/24', table: 1000, mark: 0x10, mask: 0xf0, protocol: 99 },
    { family: 6, priority: 101, to: 'fd00::/64', action: 'unreachable', inputLink: 'eth0', protocol: 99 },
    { family: 4, priority: 102, invert: true, outputLink: 'x', suppressPrefixLength: 0, protocol: 99 },
  ]
  test.each(specs)('$priority comes back, and goes', (spec) => {
    using node = scratch()
    ruleAdd(node.rtnl, spec)
    const ours = () => ruleList(node.rtnl, spec.family).filter((rule) => rule.protocol === 99)
    expect(ours()).toMatchObject([spec])
    expect(() => ruleAdd(node.rtnl, spec)).toThrow('file exists')
    ruleDel(node.rtnl, { family: spec.family, priority: spec.priority })
    expect(ours()).toEqual([])
  })
})

describe('neighbours', () => {
  const specs: readonly Omit<NeighbourSpec, 'link'>[] = [
    { address: '10.0.0.2', mac: '02:00:00:00:00:07', state: 'permanent' },
    { address: 'fd00::2', mac: '02:00:00:00:00:08', state: 'reachable', router: true },
    { address: 'fd00::3', proxy: true },
    { address: '10.0.0.3', proxy: true },
  ]
  test.each(specs)('$address comes back, is replaced, and goes', (spec) => {
    using node = scratch()
    const { a: link } = veth(node, node)
    const ours = () =>
      neighList(node.rtnl, { link, proxy: spec.proxy === true }).filter((each) => each.address === spec.address)
    neighAdd(node.rtnl, { link, ...spec })
    expect(ours()).toMatchObject([{ link, ...spec }])
    if (spec.mac !== undefined) {
      expect(() => neighAdd(node.rtnl, { link, ...spec })).toThrow('file exists')
      neighReplace(node.rtnl, { link, ...spec, mac: '02:00:00:00:00:ff' })
      expect(ours()).toMatchObject([{ mac: '02:00:00:00:00:ff' }])
    }
    neighDel(node.rtnl, { link, address: spec.address, ...(spec.proxy === undefined ? {} : { proxy: spec.proxy }) })
    expect(ours().filter((each) => each.state !== 'failed')).toEqual([])
  })
})

test('hasErrno tells names apart', () => {
  using node = scratch()
  try {
    linkGet(node.rtnl, 'gone')
    expect.unreachable()
  } catch (error) {
    expect([errnoIs('ENODEV')(error), errnoIs('EEXIST')(error)]).toEqual([true, false])
  }
})
