import { afterEach, expect, test } from 'bun:test'
import { CALICO_BLOCKS, CALICO_IP_POOLS, CILIUM_IP_POOLS } from '../../compat/spiderpool/coordinator-sources.ts'
import { SPIDER_COORDINATORS } from '../../compat/spiderpool/resources.ts'
import { KubeError } from '../../kube/errors.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../../kube/object.ts'
import { CONFIG_MAPS, PODS, SERVICE_CIDRS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { cidr } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { runCoordinators } from './coordinators.ts'
import { Bench, quiet } from './testing/bench.ts'

let bench = new Bench()
afterEach(async () => {
  await bench.stop()
  bench = new Bench()
})

const statusOf = (name = 'default') => bench.one(SPIDER_COORDINATORS, name)?.['status']

function object(resource: Resource, fields: object, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: 'x', ...metadata }, ...fields }
}

/** The seed's, with its variables filled in. */
const KUBEADM = object(
  CONFIG_MAPS,
  { data: { ClusterConfiguration: 'networking:\n  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n' } },
  { name: 'kubeadm-config', namespace: 'kube-system' },
)

const CLUSTER: Cluster = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [cidr('172.30.0.0/16')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

function controllerManager(namespace: string): KubeObject {
  const command = ['kube-controller-manager', '--cluster-cidr=10.5.0.0/16', '--service-cluster-ip-range=10.6.0.0/16']
  const labels = { component: 'kube-controller-manager' }
  return object(PODS, { spec: { containers: [{ command }] } }, { name: 'kcm', namespace, labels })
}

function coordinator(spec: object, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return object(SPIDER_COORDINATORS, { spec }, { name: 'default', ...metadata })
}

test('the seed: made as it has to be, NotReady while nobody tells anything, and Synced as soon as kubeadm-config is written', async () => {
  bench.start(runCoordinators)
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'NotReady', overlayPodCIDR: [], serviceCIDR: [] }))
  expect(bench.one(SPIDER_COORDINATORS, 'default')).toMatchObject({
    metadata: { finalizers: ['spiderpool.spidernet.io'] },
    spec: {
      mode: 'auto',
      podCIDRType: 'auto',
      hijackCIDR: ['169.254.0.0/16'],
      tunePodRoutes: true,
      hostRuleTable: 500,
    },
  })
  await eventually(() => expect(bench.events).toHaveLength(1))
  expect(bench.events[0]).toStartWith(
    'ClusterNotReady SpiderCoordinator default: neither the ConfigMap kube-system/kubeadm-config nor a kube-controller-manager pod in kube-system',
  )
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  const synced = { phase: 'Synced', overlayPodCIDR: ['10.233.64.0/18'], serviceCIDR: ['10.233.0.0/18'] }
  await eventually(() => expect(statusOf()).toEqual(synced))
  // What was known stays, and it is said that it is old.
  await bench.api.delete(CONFIG_MAPS, KUBEADM.metadata)
  await eventually(() => expect(bench.events).toHaveLength(2))
  expect(bench.events[1]).toStartWith('ClusterRangesMissing SpiderCoordinator default: what was known before holds')
  expect(statusOf()).toMatchObject(synced)
})

test.each<[string, () => Promise<unknown>, readonly string[], readonly string[]]>([
  ['Weft’s own', () => bench.registry.create('Cluster', 'default', CLUSTER), ['10.128.0.0/14'], ['172.30.0.0/16']],
  [
    'the controller manager',
    () => bench.api.create(PODS, controllerManager('kube-system')),
    ['10.5.0.0/16'],
    ['10.6.0.0/16'],
  ],
  [
    'ServiceCIDRs',
    () => bench.api.create(SERVICE_CIDRS, object(SERVICE_CIDRS, { spec: { cidrs: ['10.9.0.0/16', 'fd00::/112'] } })),
    [],
    ['10.9.0.0/16', 'fd00::/112'],
  ],
])('%s tells, and is heard at once', async (_, tell, pods, services) => {
  bench.start(runCoordinators)
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'NotReady' }))
  await tell()
  await eventually(() => expect(statusOf()).toEqual({ phase: 'Synced', overlayPodCIDR: pods, serviceCIDR: services }))
})

test('a tenant’s pod with the controller manager’s label tells nothing', async () => {
  await bench.api.create(PODS, controllerManager('shop'))
  bench.start(runCoordinators)
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'NotReady' }))
  await quiet()
  expect(statusOf()).toMatchObject({ phase: 'NotReady' })
})

test('Calico’s pools, and a disabled one as long as somebody has an address of it', async () => {
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  await bench.api.create(SPIDER_COORDINATORS, coordinator({ podCIDRType: 'calico' }))
  bench.start(runCoordinators)
  await eventually(() => expect(bench.events[0]).toContain('Calico is not there'))
  await bench.api.create(CALICO_IP_POOLS, object(CALICO_IP_POOLS, { spec: { cidr: '10.7.0.0/16' } }, { name: 'a' }))
  await bench.api.create(
    CALICO_IP_POOLS,
    object(CALICO_IP_POOLS, { spec: { cidr: '10.8.0.0/16', disabled: true } }, { name: 'b' }),
  )
  await eventually(() =>
    expect(statusOf()).toEqual({ phase: 'Synced', overlayPodCIDR: ['10.7.0.0/16'], serviceCIDR: ['10.233.0.0/18'] }),
  )
  const block = object(CALICO_BLOCKS, { spec: { cidr: '10.8.1.0/26', allocations: [null, 0] } })
  await bench.api.create(CALICO_BLOCKS, block)
  await eventually(() => expect(statusOf()).toMatchObject({ overlayPodCIDR: ['10.7.0.0/16', '10.8.0.0/16'] }))
  await bench.api.patch(CALICO_BLOCKS, block.metadata, 'merge', { spec: { allocations: [null, null] } })
  await eventually(() => expect(statusOf()).toMatchObject({ overlayPodCIDR: ['10.7.0.0/16'] }))
})

test('Cilium’s pools, once its ConfigMap says that it has such', async () => {
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  await bench.api.create(SPIDER_COORDINATORS, coordinator({ podCIDRType: 'cilium' }))
  const config = object(CONFIG_MAPS, { data: { ipam: 'eni' } }, { name: 'cilium-config', namespace: 'kube-system' })
  await bench.api.create(CONFIG_MAPS, config)
  await bench.api.create(CILIUM_IP_POOLS, object(CILIUM_IP_POOLS, { spec: { ipv4: { cidrs: ['10.10.0.0/16'] } } }))
  bench.start(runCoordinators)
  await eventually(() =>
    expect(statusOf()).toMatchObject({
      phase: 'NotReady',
      reason: 'the ConfigMap kube-system/cilium-config has an ipam that tells no ranges',
    }),
  )
  await bench.api.patch(CONFIG_MAPS, config.metadata, 'merge', { data: { ipam: 'multi-pool' } })
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced', overlayPodCIDR: ['10.10.0.0/16'] }))
})

test('every coordinator has a status; one that nobody understands is not ready until it is corrected', async () => {
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  const others = { hijackCIDR: ['10.0.0.0/8'] }
  await bench.api.create(SPIDER_COORDINATORS, coordinator({ podCIDRType: 'none', ...others }, { name: 'other' }))
  await bench.api.create(SPIDER_COORDINATORS, coordinator({ podCIDRType: 'auto', hijackCIDR: ['nonsense'] }))
  bench.start(runCoordinators)
  await eventually(() =>
    expect(statusOf('other')).toEqual({ phase: 'Synced', overlayPodCIDR: [], serviceCIDR: ['10.233.0.0/18'] }),
  )
  await eventually(() =>
    expect(bench.events[0]).toStartWith('ClusterNotReady SpiderCoordinator default: spec.hijackCIDR[0]'),
  )
  expect(statusOf()).toMatchObject({ phase: 'NotReady' })
  await bench.api.patch(SPIDER_COORDINATORS, { name: 'default' }, 'merge', { spec: others })
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced' }))
})

test('one that is deleted goes, and the default one comes again', async () => {
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  bench.start(runCoordinators)
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced' }))
  const before = bench.one(SPIDER_COORDINATORS, 'default')?.metadata.uid
  await bench.api.delete(SPIDER_COORDINATORS, { name: 'default' })
  await eventually(() => {
    expect(bench.one(SPIDER_COORDINATORS, 'default')?.metadata.uid).not.toBe(before)
    expect(statusOf()).toMatchObject({ phase: 'Synced' })
  })
})

test('what is right is not written again, and what somebody undoes is put back', async () => {
  await bench.api.create(CONFIG_MAPS, KUBEADM)
  bench.start(runCoordinators)
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced' }))
  await bench.stop()
  const before = bench.api.writes.length
  bench.start(runCoordinators)
  await quiet()
  expect(bench.api.writes.slice(before)).toEqual([])
  await bench.api.patch(SPIDER_COORDINATORS, { name: 'default' }, 'merge', { status: { phase: 'NotReady' } }, 'status')
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced' }))
})

test('nothing is said before every source is known', async () => {
  const api = new MemoryApi()
  bench = new Bench(api)
  let isDown = true
  api.before = (verb, { plural }) => {
    if (isDown && verb === 'list' && plural === CONFIG_MAPS.plural)
      throw new KubeError('KUBE_UNAVAILABLE', 'not now', '')
  }
  await api.create(CONFIG_MAPS, KUBEADM)
  bench.start(runCoordinators)
  await quiet()
  expect(bench.one(SPIDER_COORDINATORS, 'default')).toBeUndefined()
  isDown = false
  await eventually(() => expect(statusOf()).toMatchObject({ phase: 'Synced' }))
})

test('a server without SpiderCoordinators is no reason to complain', async () => {
  const api = new MemoryApi()
  bench = new Bench(api)
  api.before = (verb, { plural }) => {
    const isAbsent = plural === SPIDER_COORDINATORS.plural && (verb === 'list' || verb === 'create')
    if (isAbsent) throw new KubeError('KUBE_NOT_FOUND', 'no such kind', '')
  }
  bench.start(runCoordinators)
  await quiet()
  expect(bench.lines).toEqual([])
})
