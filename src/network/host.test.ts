import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { SAMPLE_CLUSTER, sampleNode } from '../../test/tables/sample-node.ts'
import { nodeContext } from './context.ts'
import { type HostPlan, hostPlan } from './host.ts'
import type { Cluster } from './model/cluster.ts'
import type { NodePort } from './service/catalogue.ts'

const PORTS: readonly NodePort[] = [
  { protocol: 'TCP', port: 30080, anyNode: true },
  { protocol: 'UDP', port: 30053, anyNode: false },
  { protocol: 'SCTP', port: 30036, anyNode: true },
]

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
