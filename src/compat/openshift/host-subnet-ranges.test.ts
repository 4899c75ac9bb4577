import { expect, test } from 'bun:test'
import { KubeRegistry } from '../../kube/registry.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { cidr, ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { migrate, readPlan } from '../../registry/migrate.ts'
import { weftBindings } from '../bindings.ts'
import { hostSubnetSource, rangesIn } from './host-subnet-ranges.ts'
import { ASSIGN_SUBNET, CLUSTER_NETWORKS, HOST_SUBNETS } from './resources.ts'

const GROUP = 'network.openshift.io/v1'

function hostSubnet(name: string, subnet: string, annotations: Readonly<Record<string, string>> = {}) {
  const metadata = { name, annotations }
  return { apiVersion: GROUP, kind: 'HostSubnet', metadata, host: name, hostIP: '192.0.2.11', subnet }
}

async function openshift(): Promise<MemoryApi> {
  const api = new MemoryApi()
  await api.create(CLUSTER_NETWORKS, {
    apiVersion: GROUP,
    kind: 'ClusterNetwork',
    metadata: { name: 'default' },
    network: '10.128.0.0/14',
    hostsubnetlength: 9,
    serviceNetwork: '172.30.0.0/16',
    pluginName: 'redhat/openshift-ovs-multitenant',
    clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }],
  })
  for (const n of [1, 2]) {
    await api.create(
      { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `node${n}`, uid: `uid-${n}` },
        status: { addresses: [{ type: 'InternalIP', address: `192.0.2.1${n}` }] },
      },
    )
  }
  // Not in the order in which a controller would give them out.
  await api.create(HOST_SUBNETS, hostSubnet('node1', '10.131.4.0/23'))
  await api.create(HOST_SUBNETS, hostSubnet('node2', '10.128.0.0/23'))
  await api.create(HOST_SUBNETS, hostSubnet('gone', '10.129.0.0/23'))
  await api.create(HOST_SUBNETS, hostSubnet('f5', '10.130.0.0/23', { [ASSIGN_SUBNET]: 'true' }))
  return api
}

test('every node keeps the range that its HostSubnet has', async () => {
  const api = await openshift()
  const target = new KubeRegistry(api, weftBindings)
  const { source, unreadable } = await hostSubnetSource(api, target)
  expect(unreadable).toEqual([])
  const plan = await readPlan({ source, target })
  expect(plan.conflicts).toEqual([])
  expect(plan.steps.map(({ kind, name, does }) => `${kind} ${name} ${does}`).sort()).toEqual([
    'Cluster default same',
    'NodeNetwork gone left',
    'NodeNetwork node1 create',
    'NodeNetwork node2 create',
  ])
  await migrate({ source, target })
  const made = (await target.list('NodeNetwork')).objects.map(({ value }) => value)
  expect(made.map(({ node, ranges, machine }) => [node, ranges, machine])).toEqual([
    [
      'node1',
      [cidr('10.131.4.0/23')],
      { kind: 'node', uid: made[0]?.machine.kind === 'node' ? made[0].machine.uid : '' },
    ],
    [
      'node2',
      [cidr('10.128.0.0/23')],
      { kind: 'node', uid: made[1]?.machine.kind === 'node' ? made[1].machine.uid : '' },
    ],
  ])
  // Once more: all is there.
  const again = await hostSubnetSource(api, target)
  const left = await readPlan({ source: again.source, target })
  expect([left.conflicts, left.steps.filter(({ does }) => does === 'create')]).toEqual([[], []])
})

test('a range that came over stays as it is there; another is in the way', async () => {
  const api = await openshift()
  const target = new KubeRegistry(api, weftBindings)
  const network = (ranges: readonly string[]): NodeNetwork => ({
    node: 'node1',
    machine: { kind: 'node', uid: 'uid-1' },
    addresses: [ip('192.0.2.11')],
    ranges: ranges.map(cidr),
  })
  const both = network(['10.131.4.0/23', 'fd00:10:128:7::/64'])
  const objects = [hostSubnet('node1', '10.131.4.0/23')]
  expect(rangesIn(objects, new Map(), new Map([['node1', both]])).networks).toEqual([both])
  await target.create('NodeNetwork', 'node1', network(['10.130.2.0/23']))
  const { source } = await hostSubnetSource(api, target)
  expect((await readPlan({ source, target })).conflicts).toEqual([
    expect.objectContaining({ kind: 'NodeNetwork', name: 'node1' }),
  ])
})

test.each(['', 'nonsense', 'fd00::/64', '10.1.2.3/16'])('a subnet that is none is told: %p', (subnet) => {
  const { networks, unreadable } = rangesIn([hostSubnet('node1', subnet)], new Map(), new Map())
  expect(networks).toEqual([])
  expect(unreadable).toEqual(['HostSubnet node1: its subnet is no IPv4 network'])
})
