/** The plan as a function: every mode, first and further interfaces, both families. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, cidr, familyOf, type Ip, ip, type Mac } from '../../../network/model/address.ts'
import type { HostFacts, PodFacts, RouteFact } from './facts.ts'
import { planCoordination } from './plan.ts'
import type { CoordinationInput, CoordinationPlan, PlannedRoute } from './planned.ts'
import type { CoordinatorSettings } from './settings.ts'

const SETTINGS: CoordinatorSettings = {
  mode: 'auto',
  hijack: [cidr('10.233.0.0/18'), cidr('fd00:233::/108')],
  policyRoutes: [
    { destination: cidr('192.0.2.0/24'), gateway: ip('172.18.0.254') },
    { destination: cidr('2001:db8:2::/64'), gateway: ip('fd00:18::fe') },
    { destination: cidr('2001:db8:3::/64'), gateway: ip('172.18.0.254') },
  ],
  macPrefix: '',
  tunePodRoutes: true,
  defaultRouteNic: '',
  hostRuleTable: 500,
  podRpFilter: 0,
  txQueueLength: 0,
  vethMtu: 1500,
}
const MAC = '02:00:00:00:00:01' as Mac
const PAIR = { host: 'weftpair', macs: { pod: '0a:00:00:00:00:01' as Mac, host: '0a:00:00:00:00:02' as Mac } }

describe('which mode', () => {
  const cases = [
    ['auto', 0, [], 'underlay'],
    ['auto', 1, ['veth0'], 'underlay'],
    ['auto', 1, [], 'overlay'],
    ['underlay', 0, [], 'underlay'],
    ['underlay', 1, ['veth0'], 'underlay'],
    ['underlay', 1, [], 'config-invalid'],
    ['overlay', 1, [], 'overlay'],
    ['overlay', 0, [], 'config-invalid'],
    ['overlay', 1, ['veth0'], 'config-invalid'],
    ['disabled', 0, [], 'disabled'],
    ['disabled', 1, ['veth0'], 'disabled'],
  ] as const
  test.each(cases)('%s for interface %i of a pod with %j is %s', (mode, ordinal, links, expected) => {
    const given = input({ ordinal, settings: { ...SETTINGS, mode }, pod: pod({ links: ['eth0', 'net1', ...links] }) })
    expect(outcome(() => planCoordination(given).mode)).toBe(expected)
  })
})

describe('families are those on the interface', () => {
  const both = ['172.18.30.131', 'fd00:18::131']
  test.each([
    ['IPv4', both.slice(0, 1), [4]],
    ['IPv6', both.slice(1), [6]],
    ['both', both, [4, 6]],
  ] as const)('%s', (_, addresses, families) => {
    const plan = planCoordination(input({ pod: pod({ addresses: { eth0: addresses } }) }))
    const of = (texts: readonly string[]) => [...new Set(texts.map((text) => familyOf(text as Cidr)))].sort()
    expect(of(plan.pod.routes.map(({ destination }) => destination))).toEqual([...families])
    expect(of(plan.pod.neighbours.map(({ address }) => address))).toEqual([...families])
    expect(of(plan.host.routes.map(({ destination }) => destination))).toEqual([...families])
    expect(plan.pod.rules.map(({ family }) => family)).toEqual([...families])
    expect(plan.host.rules.map(({ family }) => family)).toEqual([...families])
    expect(plan.pod.sysctls.some(([key]) => key.includes('disable_ipv6'))).toBe(
      plan.pod.rules.some(({ family }) => family === 6),
    )
  })

  test('a node without IPv6 is no way for IPv6, and reaches the pod all the same', () => {
    const host: HostFacts = { addresses: [ip('172.18.30.10')] }
    const plan = planCoordination(input({ host, pod: pod({ addresses: { eth0: both } }) }))
    expect(plan.pod.routes.filter(({ link, destination }) => link === 'veth0' && familyOf(destination) === 6)).toEqual(
      [],
    )
    expect(plan.host.routes.map(({ destination }) => destination)).toContain(cidr('fd00:18::131/128'))
  })
})

test('policy routes are of the interface’s families and their gateways’', () => {
  const addresses = { eth0: ['172.18.30.131', 'fd00:18::131'], net1: ['10.7.0.5'] }
  const first = planCoordination(input({ pod: pod({ addresses }) }))
  const way = ({ destination }: PlannedRoute) =>
    destination.startsWith('192.0.2.') || destination.startsWith('2001:db8:')
  expect(first.pod.routes.filter(way)).toEqual([
    { table: 254, destination: cidr('192.0.2.0/24'), gateway: ip('172.18.0.254'), link: 'eth0' },
    { table: 254, destination: cidr('2001:db8:2::/64'), gateway: ip('fd00:18::fe'), link: 'eth0' },
  ])
  const further = planCoordination(input({ ordinal: 2, ifname: 'net1', pod: pod({ links: ['veth0'], addresses }) }))
  expect(further.pod.routes.filter(way)).toEqual([
    { table: 102, destination: cidr('192.0.2.0/24'), gateway: ip('172.18.0.254'), link: 'net1' },
  ])
})

describe('an interface’s table is its own, whatever else is up', () => {
  test.each([
    [1, 101],
    [2, 102],
    [9, 109],
  ])('interface %i has table %i', (ordinal, table) => {
    for (const links of [['veth0'], ['veth0', 'dummy0', 'net7']]) {
      const given = input({
        ordinal,
        ifname: 'net1',
        pod: pod({ links, addresses: { eth0: ['172.18.30.131'], net1: ['10.7.0.5'] } }),
      })
      const { rules, routes } = planCoordination(given).pod
      expect(rules.map((rule) => rule.table)).toEqual([table])
      expect([...new Set(routes.map((route) => route.table))]).toEqual([table])
    }
  })
})

describe('who has the default route', () => {
  const addresses = { eth0: ['172.18.30.131'], net1: ['10.7.0.5'] }
  const routes = [
    fact('0.0.0.0/0', 'eth0', '172.18.0.1'),
    fact('172.18.0.0/16', 'eth0'),
    { ...fact('0.0.0.0/0', 'net1', '10.7.0.1'), priority: 1 },
    fact('10.7.0.0/16', 'net1'),
    fact('fe80::/64', 'net1'),
  ]
  const given = (nic: string, settings: Partial<CoordinatorSettings> = {}) =>
    input({
      ordinal: 1,
      ifname: 'net1',
      settings: { ...SETTINGS, policyRoutes: [], defaultRouteNic: nic, ...settings },
      pod: pod({ links: ['veth0'], addresses, routes }),
    })
  const moved = (plan: CoordinationPlan) => plan.pod.removed.map(({ link }) => link)

  test.each([
    ['', ['net1'], ['10.7.0.5/32']],
    ['eth0', ['net1'], ['10.7.0.5/32']],
    ['net1', ['eth0'], ['172.18.30.131/32']],
    // It may come yet, and decides then.
    ['net2', ['net1'], ['10.7.0.5/32']],
  ])('%j: the default route of %j goes into the table', (nic, links, from) => {
    const plan = planCoordination(given(nic))
    expect(moved(plan)).toEqual(links)
    expect(plan.pod.rules.map((rule) => String(rule.from))).toEqual(from)
    expect(plan.pod.routes.map(({ destination }) => destination)).not.toContain(cidr('fe80::/64'))
  })

  test('one that no pod has is named', () => {
    expect(outcome(() => planCoordination(given('bond7')).mode)).toBe('config-invalid')
  })

  test('nothing moves where nobody wants it, or nobody else has one', () => {
    expect(moved(planCoordination(given('', { tunePodRoutes: false })))).toEqual([])
    const alone = given('')
    const only = { ...alone.pod, routes: routes.filter(({ link }) => link === 'net1') }
    expect(moved(planCoordination({ ...alone, pod: only }))).toEqual([])
  })
})

test('a MAC address by prefix ends in the address, IPv4 first', () => {
  const settings = { ...SETTINGS, macPrefix: '0a:1b' }
  const macOf = (addresses: readonly string[]) =>
    planCoordination(input({ settings, pod: pod({ addresses: { eth0: addresses } }) })).pod.mac
  expect(macOf(['fd00:18::aabb:ccdd', '172.18.30.131'])).toBe('0a:1b:ac:12:1e:83' as Mac)
  expect(macOf(['fd00:18::aabb:ccdd'])).toBe('0a:1b:aa:bb:cc:dd' as Mac)
})

test('below 0 the reverse path filter is left alone', () => {
  const plan = planCoordination(input({ settings: { ...SETTINGS, podRpFilter: -1 } }))
  expect(plan.pod.sysctls).toEqual([])
})

test('what a plan asks for, once it is there, is asked for again and nothing else', () => {
  const nics = fc.subarray(['', 'eth0', 'net1'], { minLength: 1, maxLength: 1 })
  const modes = fc.constantFrom(true, false)
  fc.assert(
    fc.property(nics, modes, fc.boolean(), ([nic = ''], isUnderlay, dual) => {
      const addresses = {
        eth0: ['172.18.30.131', ...(dual ? ['fd00:18::131'] : [])],
        net1: ['10.7.0.5', ...(dual ? ['fd00:7::5'] : [])],
      }
      const routes = [
        fact('0.0.0.0/0', 'eth0', '172.18.0.1'),
        { ...fact('0.0.0.0/0', 'net1', '10.7.0.1'), priority: 1 },
        ...(dual
          ? [fact('::/0', 'eth0', 'fd00:18::1'), { ...fact('::/0', 'net1', 'fd00:7::1'), priority: 2_000 }]
          : []),
        fact('10.7.0.0/16', 'net1'),
      ]
      const given = input({
        ordinal: 1,
        ifname: 'net1',
        settings: { ...SETTINGS, defaultRouteNic: nic },
        pod: pod({ links: isUnderlay ? ['veth0'] : [], addresses, routes }),
      })
      const once = planCoordination(given)
      const twice = planCoordination({ ...given, pod: after(given.pod, once) })
      expect(twice.pod.removed).toEqual([])
      const wanted = new Set(once.pod.routes.map((route) => JSON.stringify(route)))
      expect(twice.pod.routes.filter((route) => !wanted.has(JSON.stringify(route)))).toEqual([])
    }),
  )
})

function after(facts: PodFacts, { pod: { routes, removed } }: CoordinationPlan): PodFacts {
  const made = routes.map(({ onlink, ...route }) => ({ ...route, onlink: onlink === true, priority: 0, protocol: 78 }))
  return { ...facts, routes: [...facts.routes.filter((route) => !removed.includes(route)), ...made] }
}

function input(given: Partial<CoordinationInput> = {}): CoordinationInput {
  const host = { addresses: [ip('172.18.30.10'), ip('fd00:18::10')] }
  return { settings: SETTINGS, ifname: 'eth0', ordinal: 0, pod: pod(), host, pair: PAIR, ...given }
}

function pod({
  links = [],
  addresses = { eth0: ['172.18.30.131'] },
  routes = [fact('0.0.0.0/0', 'eth0', '172.18.0.1')],
}: {
  readonly links?: readonly string[]
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  readonly routes?: readonly RouteFact[]
} = {}): PodFacts {
  const names = ['lo', ...Object.keys(addresses), ...links]
  const all = Object.entries(addresses).flatMap(([link, list]) =>
    list.map((address) => ({ link, address: ip(address) })),
  )
  return { links: new Map(names.map((name) => [name, { mac: MAC, up: true }])), addresses: all, routes }
}

function fact(destination: string, link: string, gateway?: string): RouteFact {
  const rest = gateway === undefined ? {} : { gateway: ip(gateway) as Ip }
  return { table: 254, destination: cidr(destination), link, ...rest, onlink: false, priority: 0, protocol: 4 }
}

function outcome(plan: () => string): string {
  try {
    return plan()
  } catch (error) {
    return error instanceof Error && 'id' in error ? String(error.id) : String(error)
  }
}
