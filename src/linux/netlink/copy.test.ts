import { expect, test } from 'bun:test'
import { scratch, veth } from '../testing/scratch.ts'
import { addrAdd, addrList } from './address.ts'
import { routeAppend, routesTold, routeWithdraw, rulePut, rulesTold, ruleWithdraw } from './copy.ts'
import { linkAdd } from './link-add.ts'
import { linkSet } from './link-ops.ts'

/** What iproute2 calls the routes of a link, without the link's name. */
function routesOf(nsFd: number, link: string): readonly string[] {
  const show = (family: string): string[] =>
    Bun.spawnSync([
      'nsenter',
      `--net=/proc/${process.pid}/fd/${nsFd}`,
      ...['ip', family, '-o', '-d', 'route', 'show', 'table', 'all'],
    ])
      .stdout.toString()
      .split('\n')
  return [...show('-4'), ...show('-6')]
    .filter((line) => line.startsWith('unicast') && line.includes(`dev ${link} `) && !line.includes('fe80::/64'))
    .map((line) => line.replaceAll(`dev ${link} `, 'dev - ').replace(/\s+/g, ' '))
    .map((line) => line.replace(/expires \d+sec/, 'expires').trim())
    .sort()
}

function ip(nsFd: number, ...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(['nsenter', `--net=/proc/${process.pid}/fd/${nsFd}`, 'ip', ...args])
  if (exitCode !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.toString()}`)
}

test('routes move to another link with everything they have, and back', () => {
  using a = scratch()
  using b = scratch()
  const { a: one } = veth(a, b, 'one', 'one-far')
  const two = linkAdd(a.rtnl, { kind: 'veth', name: 'two', up: true, peer: { name: 'two-far', nsFd: b.nsFd } }).index
  linkSet(b.rtnl, 'two-far', { up: true })
  for (const address of ['192.0.2.2/24', '2001:db8::2/64']) addrAdd(a.rtnl, { link: one, address, nodad: true })
  const lines = [
    ['-4', '198.51.100.0/24 via 192.0.2.1 dev one metric 50 mtu lock 1400 advmss 1300 initcwnd 20'],
    ['-4', 'default via 192.0.2.1 dev one proto dhcp src 192.0.2.2 metric 100'],
    ['-4', 'default via 192.0.2.1 dev one table 500'],
    ['-4', '203.0.113.0/24 tos 0x10 nexthop via 192.0.2.1 dev one weight 3 nexthop via 192.0.2.3 dev one onlink'],
    ['-6', 'default via fe80::1 dev one proto ra metric 1024 expires 1800 pref high'],
    ['-6', 'default via 2001:db8::1 dev one metric 2000 hoplimit 9'],
    ['-6', '2001:db8:9::/48 via 2001:db8::1 dev one table 501'],
  ]
  for (const [family = '', line = ''] of lines) ip(a.nsFd, family, 'route', 'add', ...line.split(' '))
  const before = routesOf(a.nsFd, 'one')
  expect(before.length).toBeGreaterThan(8)
  const mine = routesTold(a.rtnl).filter(({ object }) => {
    const links = [object.link, ...(object.hops ?? []).map(({ link }) => link)]
    return links.includes(one) && object.table !== 255 && !object.destination.startsWith('fe80')
  })
  // Those without a gateway first: the others are reached by them.
  const ordered = [...mine].sort((x, y) => Number(hasGateway(x.object)) - Number(hasGateway(y.object)))
  for (const address of ['192.0.2.2/24', '2001:db8::2/64']) {
    addrAdd(a.rtnl, { link: two, address, nodad: true, noprefixroute: true })
  }
  for (const { body } of ordered) routeAppend(a.rtnl, body, one, two)
  for (const { body } of ordered) routeWithdraw(a.rtnl, body, one, one)
  expect(routesOf(a.nsFd, 'one')).toEqual([])
  expect(routesOf(a.nsFd, 'two')).toEqual(before)
  for (const { body } of ordered) routeAppend(a.rtnl, body, one, one)
  for (const { body } of ordered) routeWithdraw(a.rtnl, body, one, two)
  expect(routesOf(a.nsFd, 'one')).toEqual(before)
  expect(routesOf(a.nsFd, 'two')).toEqual([])
})

function hasGateway(route: { readonly gateway?: string; readonly hops?: unknown }): boolean {
  return route.gateway !== undefined || route.hops !== undefined
}

test('rules that name a link name the other one afterwards', () => {
  using a = scratch()
  ip(a.nsFd, 'rule', 'add', 'iif', 'one', 'from', '10.0.0.0/8', 'ipproto', 'tcp', 'dport', '80', 'table', '77')
  ip(a.nsFd, '-6', 'rule', 'add', 'not', 'oif', 'one', 'fwmark', '1', 'table', '78', 'pref', '9')
  const found = rulesTold(a.rtnl).filter(({ object }) => [object.inputLink, object.outputLink].includes('one'))
  expect(found).toHaveLength(2)
  const list = (): string =>
    ['-4', '-6']
      .map((family) =>
        Bun.spawnSync(['nsenter', `--net=/proc/${process.pid}/fd/${a.nsFd}`, 'ip', family, 'rule']).stdout.toString(),
      )
      .join('')
  const before = list()
  for (const { body } of found) rulePut(a.rtnl, body, 'one', 'br1')
  for (const { body } of found) ruleWithdraw(a.rtnl, body, 'one', 'one')
  expect(list()).toBe(before.replaceAll('one ', 'br1 '))
})

test('the label of an address and the metric of its route come back', () => {
  using a = scratch()
  addrAdd(a.rtnl, { link: 1, address: '192.0.2.9/24', label: 'lo:7', metric: 42 })
  expect(addrList(a.rtnl, { link: 1 }).find(({ address }) => address === '192.0.2.9/24')).toMatchObject({
    label: 'lo:7',
    metric: 42,
  })
})

test('lifetimes are what is left of them', () => {
  using a = scratch()
  addrAdd(a.rtnl, { link: 1, address: '192.0.2.9/32', validLifetime: 600, preferredLifetime: 300 })
  addrAdd(a.rtnl, { link: 1, address: '2001:db8::9/128' })
  const found = addrList(a.rtnl, { link: 1 })
  const limited = found.find(({ address }) => address === '192.0.2.9/32')
  expect(limited?.validLifetime).toBeWithin(590, 601)
  expect(limited?.preferredLifetime).toBeWithin(290, 301)
  expect(found.find(({ address }) => address === '2001:db8::9/128')).not.toHaveProperty('validLifetime')
})
