import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { SAMPLE_CLUSTER, sampleNode } from '../../test/tables/sample-node.ts'
import { nodeContext } from './context.ts'
import { OUTSIDE_TABLE, SERVICES_TABLE } from './fabric/direct.ts'
import { type HostPlan, hostPlan } from './host.ts'
import { cidr, ip } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import { CLOSED, type Outside } from './outside.ts'
import type { NodePort } from './service/catalogue.ts'

const PORTS: readonly NodePort[] = [
  { protocol: 'TCP', port: 30080, anyNode: true },
  { protocol: 'UDP', port: 30053, anyNode: false },
  { protocol: 'SCTP', port: 30036, anyNode: true },
]

const OPEN = { ...CLOSED, clusterIps: [cidr('172.30.0.0/16')], untranslated: [cidr('10.128.0.0/14')] }
const BGP = { fabric: { way: 'bgp', otherwise: 'tunnel' } } as const

function openPlan(outside: Outside = OPEN): HostPlan {
  const context = nodeContext({ ...SAMPLE_CLUSTER, ...BGP }, sampleNode(1), 1450, { outside })
  if (context === undefined) throw new Error('the sample node has ranges')
  const learned = [cidr('203.0.113.0/24'), cidr('203.0.113.0/25'), cidr('2001:db8:113::/64')]
  const localServices = [ip('172.30.0.9'), ip('fd00:172:30::9')]
  return hostPlan(context, {
    ports: PORTS,
    peers: sampleNode(2).addresses,
    localServices,
    outside: learned,
    watched: [ip('192.0.2.12')],
  })
}

function plan(change: Partial<Cluster>, ports: readonly NodePort[]): HostPlan {
  const context = nodeContext({ ...SAMPLE_CLUSTER, ...change }, sampleNode(1), 1450)
  if (context === undefined) throw new Error('the sample node has ranges')
  return hostPlan(context, { ports, peers: sampleNode(2).addresses })
}

test.each([
  ['no node port', {}, []],
  ['node ports', {}, PORTS],
  ['kube-proxy', { services: 'kube-proxy' }, PORTS],
  ['GRE', { encapsulation: { type: 'gre' } }, PORTS],
] as const)('nft understands the ruleset: %s', (_, change, ports) => {
  const { stderr, status } = spawnSync('nft', ['-c', '-f', '-'], {
    input: plan(change, ports).nftables,
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
})

test('nft understands what is open to machines outside', () => {
  const { stderr, status } = spawnSync('nft', ['-c', '-f', '-'], { input: openPlan().nftables, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

test('who calls a service from outside comes by a way of its own, and answers leave by routes of BGP', () => {
  const { direct, routes } = openPlan()
  expect(direct?.services).toEqual([cidr('172.30.0.0/16')])
  const to = direct?.rules.filter((rule) => rule.to === '172.30.0.0/16' || rule.from === '172.30.0.0/16')
  expect(to?.map(({ inputLink, table }) => [inputLink, table])).toEqual([
    ['lo', undefined],
    [undefined, SERVICES_TABLE],
    [undefined, OUTSIDE_TABLE],
  ])
  const priorities = to?.map(({ priority }) => priority) ?? []
  expect(priorities.toSorted((a, b) => a - b)).toEqual(priorities)
  expect(routes.map((route) => String(route.to))).toContain('172.30.0.0/16')
  expect(openPlan(CLOSED).direct?.services).toEqual([])
})

test('nobody speaks BFD with a node but whom it watches', () => {
  expect(openPlan().nftables).toContain('udp dport { 3784, 4784 } ip saddr != @watched4 counter drop')
  expect(openPlan().nftables).toContain('set watched4 {\n    type ipv4_addr\n    elements = { 192.0.2.12 }')
  expect(plan({}, []).nftables).not.toContain('3784')
})

test('pods keep their addresses where BGP leads, or where their pool says so', () => {
  const { nftables } = openPlan()
  expect(nftables).toContain('elements = { 203.0.113.0-203.0.113.255 }')
  expect(nftables).toContain('ip daddr != @outside4 counter masquerade')
  expect(nftables).toContain('oifname != "weft0" ip saddr 10.128.0.0/23 return')
  expect(openPlan(CLOSED).nftables).not.toContain('ip saddr 10.128.0.0/23 return')
})

test('node ports are published, and those that any node may answer get the node’s address', () => {
  const { nftables } = plan({}, PORTS)
  expect(nftables).toContain('elements = { tcp . 30080, udp . 30053, sctp . 30036 }')
  expect(nftables).toContain('elements = { tcp . 30080, sctp . 30036 }')
})

test('a node publishes at its own addresses, and lets no pod call another node’s ports from here', () => {
  const { nftables } = plan({}, PORTS)
  const elements = (set: string) => new RegExp(`set ${set} \\{[^}]*elements = \\{ ([^}]*) \\}`).exec(nftables)?.[1]
  expect([elements('own_addresses4'), elements('own_addresses6')]).toEqual(['192.0.2.11', '2001:db8::11'])
  expect([elements('nodes4'), elements('nodes6')]).toEqual(['192.0.2.12', '2001:db8::12'])
  expect(nftables).toContain('iifname "weft0" ip daddr @nodes4 meta l4proto . th dport @node_ports counter drop')
})

test('where kube-proxy translates services the node’s stack keeps them', () => {
  const { nftables, routes } = plan({ services: 'kube-proxy' }, PORTS)
  expect(nftables).not.toContain(' . 30080')
  expect(routes.map(({ to }) => String(to))).not.toContain('172.30.0.0/16')
  expect(plan({}, []).routes.map(({ to }) => String(to))).toContain('172.30.0.0/16')
})
