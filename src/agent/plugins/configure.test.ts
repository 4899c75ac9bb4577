/** Real links in namespaces of their own. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { ResultRoute } from '../../cni/index.ts'
import { addrList, routeList, sysctlGet, sysctlSet } from '../../linux/index.ts'
import { indexOf, type Scratch, scratch, veth } from '../../linux/testing/scratch.ts'
import { configurationProblem, configureInterface } from './configure.ts'

const never = new AbortController().signal
const BOTH = [
  { address: '172.18.30.131/16', gateway: '172.18.0.1' },
  { address: 'fd00:18::131/64', gateway: 'fd00:18::1' },
]

let pod: Scratch
let wire: Scratch
let eth0: { readonly nsFd: number; readonly ifname: string }

beforeEach(() => {
  pod = scratch()
  wire = scratch()
  veth(pod, wire, 'eth0', 'w0')
  eth0 = { nsFd: pod.nsFd, ifname: 'eth0' }
})

afterEach(() => {
  for (const place of [pod, wire]) place[Symbol.dispose]()
})

const configure = (routes: readonly ResultRoute[], ips = BOTH) => configureInterface(eth0, { ips, routes }, never)

test('addresses of both families can be used when it is done, and routes take the gateway of their family', async () => {
  sysctlSet(['net', 'ipv6', 'conf', 'eth0', 'disable_ipv6'], '1', pod.nsFd)
  const routes = [
    { dst: '0.0.0.0/0' },
    { dst: '::/0' },
    { dst: '10.9.0.0/16', gw: '172.18.0.9', priority: 7, table: 99 },
  ]
  await configure(routes)
  const link = indexOf(pod, 'eth0')
  const addresses = addrList(pod.rtnl, { link }).filter(({ scope }) => scope === 'global')
  expect(addresses.map(({ address, tentative }) => [address, tentative])).toEqual([
    ['172.18.30.131/16', false],
    ['fd00:18::131/64', false],
  ])
  const found = routeList(pod.rtnl, { link }).map(({ destination, gateway, priority, table }) => [
    destination,
    gateway,
    priority,
    table,
  ])
  expect(found).toContainEqual(['0.0.0.0/0', '172.18.0.1', 0, 254])
  expect(found).toContainEqual(['::/0', 'fd00:18::1', 1024, 254])
  expect(found).toContainEqual(['10.9.0.0/16', '172.18.0.9', 7, 99])
  expect(sysctlGet(['net', 'ipv6', 'conf', 'eth0', 'keep_addr_on_down'], pod.nsFd)).toBe('1')
  expect(configurationProblem(eth0, { ips: BOTH, routes })).toBeUndefined()
})

test('an address that somebody on the wire has is an error that names it', async () => {
  const theirs = { nsFd: wire.nsFd, ifname: 'w0' }
  await configureInterface(theirs, { ips: [{ address: 'fd00:18::131/64' }], routes: [] }, never)
  await expect(configure([])).rejects.toEqual(
    expect.objectContaining({
      id: 'address-duplicate',
      message: expect.stringContaining('fd00:18::131/64'),
    }),
  )
})

test.each([
  ['the same way twice', [{ dst: '10.9.0.0/16' }, { dst: '10.9.0.0/16' }], 1],
  ['two ways', [{ dst: '10.9.0.0/16' }, { dst: '10.9.0.0/16', gw: '172.18.0.9' }], 2],
] as const)('%s to one destination is no error', async (_, routes, count) => {
  await configure(routes, BOTH.slice(0, 1))
  expect(routeList(pod.rtnl, { family: 4 }).filter(({ destination }) => destination === '10.9.0.0/16')).toHaveLength(
    count,
  )
})

test('a further interface’s default routes stand behind the first one’s, in both families', async () => {
  await configure([{ dst: '0.0.0.0/0' }, { dst: '::/0' }])
  veth(pod, wire, 'net1', 'w1')
  const ips = [
    { address: '10.7.0.5/24', gateway: '10.7.0.1' },
    { address: 'fd00:7::5/64', gateway: 'fd00:7::1' },
  ]
  const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }]
  await configureInterface({ nsFd: pod.nsFd, ifname: 'net1' }, { ips, routes }, never)
  const ways = routeList(pod.rtnl, { table: 254 }).filter(({ destination }) => destination.endsWith('/0'))
  expect(ways.map(({ gateway, priority, hops }) => [gateway, priority, hops])).toEqual([
    ['172.18.0.1', 0, undefined],
    ['10.7.0.1', 0, undefined],
    ['fd00:18::1', 1024, undefined],
    ['fd00:7::1', 1025, undefined],
  ])
  expect(configurationProblem({ nsFd: pod.nsFd, ifname: 'net1' }, { ips, routes })).toBeUndefined()
})

test('an address that it has already is an error', async () => {
  await configure([], BOTH.slice(0, 1))
  await expect(configure([], BOTH.slice(0, 1))).rejects.toMatchObject({ id: 'link-failed' })
})

test('what is missing is named', async () => {
  const routes = [{ dst: '10.9.1.7/16' }]
  await configure(routes, BOTH.slice(0, 1))
  const lacks = (ips: readonly { address: string; gateway?: string }[], ways: readonly ResultRoute[] = []) =>
    configurationProblem(eth0, { ips, routes: ways })
  expect(lacks(BOTH)).toBe('interface eth0 has lost address fd00:18::131/64')
  expect(lacks(BOTH.slice(0, 1), [{ dst: '10.9.0.0/16', gw: '172.18.0.1' }])).toBeUndefined()
  expect(lacks(BOTH.slice(0, 1), [{ dst: '10.8.0.0/16' }])).toBe('the route to 10.8.0.0/16 by way of eth0 is gone')
  expect(configurationProblem({ ...eth0, ifname: 'net1' }, { ips: [], routes: [] })).toBe(
    'interface net1 is gone from the container',
  )
})
