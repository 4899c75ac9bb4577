import { describe, expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, SAMPLE_SERVICES, sampleHosts, sampleNode } from '../../test/tables/sample-node.ts'
import { changeObstacles } from './cluster-change.ts'
import { cidr } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { NodeNetwork } from './model/node.ts'

const STATUS = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const
const MACHINES: readonly NodeNetwork[] = [sampleNode(1), { ...sampleNode(2), status: STATUS }, ...sampleHosts()]
const [V4, V6] = SAMPLE_CLUSTER.networks

function obstacles(change: Partial<Cluster>, machines = MACHINES, before: Partial<Cluster> = {}): readonly string[] {
  const inhabitants = { machines, services: SAMPLE_SERVICES }
  return changeObstacles({ ...SAMPLE_CLUSTER, ...before }, { ...SAMPLE_CLUSTER, ...before, ...change }, inhabitants)
}

describe('a running cluster follows', () => {
  const cases: readonly (readonly [string, Partial<Cluster>])[] = [
    ['another port', { encapsulation: { type: 'vxlan', port: 4790 } }],
    ['another encapsulation', { encapsulation: { type: 'geneve', port: 6081 } }],
    ['another MTU that fits', { mtu: 1400 }],
    ['another underlay that all have', { underlay: 6 }],
    ['one network more', { networks: [...SAMPLE_CLUSTER.networks, { cidr: cidr('10.200.0.0/16'), hostBits: 8 }] }],
    ['a larger network', { networks: [{ cidr: cidr('10.128.0.0/13'), hostBits: 9 }, ...(V6 ? [V6] : [])] }],
    [
      'other host bits, for nodes to come',
      { networks: SAMPLE_CLUSTER.networks.map((one) => ({ ...one, hostBits: 8 })) },
    ],
    ['kube-proxy', { services: 'kube-proxy', serviceNetworks: [] }],
    ['subnet mode', { tenancy: 'subnet' }],
  ]
  test.each(cases)('%s', (_, change) => expect(obstacles(change)).toEqual([]))
})

describe('a running cluster does not follow', () => {
  const cases: readonly (readonly [string, Partial<Cluster>, RegExp])[] = [
    ['a network less', { networks: V4 ? [V4] : [] }, /pods of node1 live in fd00:10:128:1::\/64/],
    [
      'a smaller network',
      { networks: [{ cidr: cidr('10.128.0.0/16'), hostBits: 9 }, ...(V6 ? [V6] : [])] },
      /pods of node2/,
    ],
    ['services without their network', { serviceNetworks: [] }, /service shop\/web has 172.30.0.10/],
    ['an MTU that does not fit an uplink', { mtu: 1451 }, /node2: the uplink's MTU of 1500 is too small/],
    [
      'a network that holds a node',
      { serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd00:172:30::/112'), cidr('192.0.2.0/24')] },
      /node1: node address 192.0.2.11 lies inside/,
    ],
  ]
  test.each(cases)('%s', (_, change, reason) => expect(obstacles(change).join('\n')).toMatch(reason))

  test('an underlay that a machine has no address of', () => {
    const machines = [{ ...sampleNode(1), addresses: sampleNode(1).addresses.slice(0, 1) }]
    expect(obstacles({ underlay: 6 }, machines)).toEqual(['node1 has no IPv6 address for tunnels'])
  })
})

test('what did not fit before is no reason against another change', () => {
  const stray: NodeNetwork = { ...sampleNode(3), ranges: [cidr('10.9.0.0/23')] }
  expect(obstacles({ mtu: 1400 }, [stray])).toEqual([])
})

test('a machine without a range is nobody’s reason', () => {
  expect(obstacles({ underlay: 6 }, [{ ...sampleNode(3), addresses: [], ranges: [] }])).toEqual([])
})
