import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleHosts, sampleNode, samplePod } from '../../../test/tables/sample-node.ts'
import { cidr, ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { ClusterView, KINDS_OF_EXTERNAL, VIEWED_KINDS } from './view.ts'

interface Seen {
  contexts: number
  fragments: number
  closing: number
}

function view(uplinkMtu = 1500): { readonly view: ClusterView; readonly seen: Seen } {
  const seen: Seen = { contexts: 0, fragments: 0, closing: 0 }
  const listener = {
    context: () => {
      seen.contexts += 1
    },
    fragments: () => {
      seen.fragments += 1
    },
    closing: () => {
      seen.closing += 1
    },
  }
  return { view: new ClusterView('node1', () => uplinkMtu, listener), seen }
}

function withStatus(node: NodeNetwork, uplinkMtu: number): NodeNetwork {
  return { ...node, status: { ready: true, uplinkMtu, datapath: 'netdev' } }
}

function ready(uplinkMtu = 1500) {
  const made = view(uplinkMtu)
  made.view.putCluster(SAMPLE_CLUSTER)
  made.view.putNetwork(sampleNode(1))
  for (const kind of VIEWED_KINDS) made.view.synced(kind)
  return made
}

test('nothing is planned before every kind has been read', () => {
  const { view: one, seen } = view()
  one.putCluster(SAMPLE_CLUSTER)
  one.putNetwork(sampleNode(1))
  one.synced('Cluster')
  one.synced('NodeNetwork')
  expect(one.planner).toBeUndefined()
  expect(one.waitingFor()[0]).toContain('Tenant')
  one.synced('Tenant')
  one.synced('Service')
  one.synced('EndpointSlice')
  expect(one.planner).toBeUndefined()
  for (const kind of VIEWED_KINDS) one.synced(kind)
  expect(one.planner).toBeDefined()
  expect(seen.contexts).toBe(1)
  expect(one.waitingFor()).toEqual([])
})

test('a node without a range says why', () => {
  const { view: one } = ready()
  one.putNetwork({ ...sampleNode(1), ranges: [], problem: 'no subnets available' })
  expect(one.waitingFor()[0]).toContain('no subnets available')
})

test('the smallest uplink of all nodes sets the MTU', () => {
  const { view: one } = ready(9000)
  expect(one.planner?.context.mtu).toBe(8950)
  one.putNetwork(withStatus(sampleNode(2), 1500))
  expect(one.planner?.context.mtu).toBe(1450)
  one.removeNetwork('node2')
  expect(one.planner?.context.mtu).toBe(8950)
})

test('a configured MTU that does not fit the uplink is named', () => {
  const { view: one } = ready(1400)
  one.putCluster({ ...SAMPLE_CLUSTER, mtu: 1450 })
  expect(one.waitingFor()[0]).toContain('needs 1500')
})

test('another node’s status is no reason to plan anew', () => {
  const { view: one, seen } = ready()
  one.putNetwork(withStatus(sampleNode(2), 1500))
  const { contexts } = seen
  one.putNetwork({ ...withStatus(sampleNode(2), 1500), problem: 'x' })
  expect(seen.contexts).toBe(contexts)
})

test('X15: a range that closes is told of, and nothing is planned anew', () => {
  const { view: one, seen } = ready()
  const { contexts } = seen
  const self = sampleNode(1)
  const [range = cidr('10.128.0.0/23')] = self.ranges
  one.planner?.take()
  for (const closing of [[{ range, since: 7 }], [{ range, since: 9 }], undefined]) {
    const told = seen.closing
    one.putNetwork({ ...self, ...(closing === undefined ? {} : { closing }) })
    expect(seen.closing).toBe(told + 1)
    expect(one.self?.closing).toEqual(closing)
  }
  one.putNetwork(self)
  expect(seen).toEqual({ contexts, fragments: seen.fragments, closing: 3 })
  expect(one.planner?.take()).toEqual([])
})

test('a vanished configuration takes nothing apart', () => {
  const { view: one } = ready()
  one.putCluster(undefined)
  one.removeNetwork('node1')
  expect(one.planner?.flows().length).toBeGreaterThan(50)
})

test('a configuration without room for the node’s ranges is not followed, and said', () => {
  const { view: one } = ready()
  const before = one.planner?.flows()
  const [, v6] = SAMPLE_CLUSTER.networks
  one.putCluster({ ...SAMPLE_CLUSTER, networks: v6 === undefined ? [] : [v6] })
  expect(one.planner?.flows()).toEqual(before)
  expect(one.refusal).toContain('10.128.0.0/23')
  one.putCluster(SAMPLE_CLUSTER)
  expect(one.refusal).toBeUndefined()
})

test('a configuration that is there and not valid is refused with the reason, as it is now', () => {
  let reason: string | undefined
  const listener = { context: () => undefined, fragments: () => undefined }
  const one = new ClusterView('node1', () => 1500, listener, { whyUnreadable: () => reason })
  one.putNetwork(sampleNode(1))
  for (const kind of VIEWED_KINDS) one.synced(kind)
  expect(one.waitingFor()).toEqual(['the cluster configuration (ClusterNetwork default)'])
  reason = 'weft.mtu: 12 is not a whole number from 576 to 65535'
  expect(one.waitingFor()[0]).toContain(reason)
  one.putCluster(SAMPLE_CLUSTER)
  expect(one.refusal).toBeUndefined()
  one.putCluster(undefined)
  expect(one.refusal).toContain(reason)
  reason = 'weft.mtu: "x" is not a whole number from 576 to 65535'
  expect(one.refusal).toContain(reason)
  expect(one.planner).toBeDefined()
})

test('a configuration that leaves out another node is not followed either, until that node is gone', () => {
  const { view: one, seen } = ready()
  one.putNetwork(sampleNode(2))
  const { contexts } = seen
  const smaller = { cidr: cidr('10.128.0.0/16'), hostBits: 9 }
  one.putCluster({ ...SAMPLE_CLUSTER, networks: SAMPLE_CLUSTER.networks.with(0, smaller), mtu: 1400 })
  expect(one.refusal).toContain('pods of node2 live in 10.129.0.0/23')
  expect(seen.contexts).toBe(contexts)
  one.removeNetwork('node2')
  expect(one.refusal).toBeUndefined()
  expect(one.planner?.context.mtu).toBe(1400)
})

test('a node that starts with such a configuration waits and says why', () => {
  const { view: one } = view()
  const [, v6] = SAMPLE_CLUSTER.networks
  one.putCluster({ ...SAMPLE_CLUSTER, networks: v6 === undefined ? [] : [v6] })
  one.putNetwork(sampleNode(1))
  for (const kind of VIEWED_KINDS) one.synced(kind)
  expect(one.planner).toBeUndefined()
  expect(one.waitingFor()[0]).toContain('10.128.0.0/23')
})

test('who asks for a tenant that is being made gets it when it is there', async () => {
  const { view: one } = ready()
  const asked = one.tenantOf('late', 1_000)
  one.putTenant({ namespace: 'other', vni: 11 })
  one.putTenant({ namespace: 'late', vni: 12 })
  expect(await asked).toBe(12)
  expect(await one.tenantOf('never', 1)).toBeUndefined()
})

test('a tenant’s change replans its pods only', () => {
  const { view: one } = ready()
  one.putTenant({ namespace: 'shop', vni: 42 })
  one.putTenant({ namespace: 'bank', vni: 77 })
  one.planner?.putEndpoint(samplePod(2, 'shop', 'web'))
  one.planner?.putEndpoint(samplePod(3, 'bank', 'vault'))
  one.planner?.take()
  one.putTenant({ namespace: 'shop', vni: 43 })
  expect(
    one.planner
      ?.take()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(['endpoint/c2/eth0', 'vni/42', 'vni/43'])
})

test('an external host plans from the cluster and its machines alone, when it was let in', () => {
  const [host] = sampleHosts()
  const one = new ClusterView(
    'balancer',
    () => 1500,
    { context: () => undefined, fragments: () => undefined },
    { isExternal: true },
  )
  one.putCluster(SAMPLE_CLUSTER)
  for (const kind of KINDS_OF_EXTERNAL) one.synced(kind)
  expect(one.waitingFor()[0]).toContain('weft host add balancer')
  one.putNetwork({ ...sampleNode(1), node: 'balancer' })
  expect(one.waitingFor()[0]).toContain('without --external')
  if (host === undefined) throw new Error('there is a host')
  one.putNetwork(host)
  expect(one.waitingFor()).toEqual([])
  expect(one.planner?.context.self.machine).toEqual({ kind: 'external', vni: 42 })
  one.removeNetwork('balancer')
  expect(one.waitingFor()[0]).toContain('weft host add balancer')
})

test('what is open to machines outside goes by the addresses that machines have now, not by former ones', () => {
  const { view: one } = ready()
  one.putCluster({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  one.outside.configurations.put({ name: 'default', externalIps: [cidr('203.0.113.0/24')] })
  const open = () => one.planner?.context.outside.externalIps
  expect(open()).toEqual([cidr('203.0.113.0/24')])
  const other = sampleNode(2)
  one.putNetwork({ ...other, addresses: [ip('203.0.113.7')] })
  expect(open()).toEqual([])
  one.putNetwork(other)
  expect(open()).toEqual([cidr('203.0.113.0/24')])
})
