/**
 * Spiderpool's objects under the controller, on API servers that check what they are given and fill in what is left out: the
 * playground's, and a real one. What seed 001 applies is applied as it stands there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { SPIDER_COORDINATORS, SPIDER_IP_POOLS, SPIDER_MULTUS_CONFIGS } from '../../src/compat/spiderpool/resources.ts'
import { runClaims } from '../../src/controller/claims/run.ts'
import { runSpiderpool } from '../../src/controller/spiderpool/run.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { CONFIG_MAPS, EVENTS, NAMESPACES } from '../../src/kube/resources.ts'
import { cidr } from '../../src/network/model/address.ts'
import { type OpenRegistry, openPlace } from '../../src/place/place.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { reflect } from '../../src/registry/reflector.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
const PATIENCE = 20_000
const PLACE = { name: 'ovs-conf', namespace: 'kube-system' }

const KUBEADM_CONFIG = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: kubeadm-config
  namespace: kube-system
data:
  ClusterConfiguration: |
    networking:
      podSubnet: 10.233.64.0/18
      serviceSubnet: 10.233.0.0/18
`
const IP_POOL = `
apiVersion: spiderpool.spidernet.io/v2beta1
kind: SpiderIPPool
metadata:
  name: ippool-test
spec:
  ips:
  - "172.18.30.131-172.18.30.140"
  subnet: 172.18.0.0/16
  gateway: 172.18.0.1
  multusName: 
  - kube-system/ovs-conf
`
const MULTUS_CONFIG = `
apiVersion: spiderpool.spidernet.io/v2beta1
kind: SpiderMultusConfig
metadata:
  name: ovs-conf
  namespace: kube-system
spec:
  cniType: ovs
  ovs:
    bridge: "br1"
`

/** A server whose kubeconfig is written to a file. */
type Serve = (folder: string, file: string) => Promise<{ stop(): Promise<void> }>

describe('the playground’s API server', () =>
  underlay(async (dir, file) => {
    const serviceNetworks = [cidr('172.30.0.0/16')]
    const server = await serveApi({ dir, formats, tls: false, serviceNetworks, bookmarkInterval: 20 })
    server.writeKubeconfig(file, 'admin')
    return server
  }, 'with its garbage collector'))

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () =>
    underlay(async (_, file) => {
      const plane = await ControlPlane.start(assets)
      plane.writeKubeconfig(file)
      return plane
    }))
}

/** A bare API server does not collect what belongs to objects that are gone: the controller manager does. */
function underlay(serve: Serve, collects?: 'with its garbage collector'): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-underlay-controller-'))
  const ending = new AbortController()
  let server: { stop(): Promise<void> } | undefined
  let opened: OpenRegistry
  let running: Promise<unknown> | undefined

  beforeAll(async () => {
    const file = join(folder, 'kubeconfig')
    server = await serve(folder, file)
    opened = openPlace({ kind: 'kubeconfig', file })
    await installCrds(api())
    const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }
    await api()
      .create(NAMESPACES, kubeSystem)
      .catch(() => undefined)
    const say = (): void => undefined
    const { signal } = ending
    const cluster = reflect(opened.registry, 'Cluster', { signal })
    const events = new EventRecorder(api(), { component: 'weft-controller' })
    const log = { info: say, warn: say, error: say }
    const attachments = { namespace: 'kube-system', clusterNetwork: 'ovs-conf' }
    const options = { api: api(), cluster, events, log, signal, attachments }
    running = Promise.all([runSpiderpool(options), runClaims(options)])
  }, LIMIT)

  afterAll(async () => {
    ending.abort()
    await running
    opened?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, LIMIT)

  function api(): KubeApi {
    if (opened.api === undefined) throw new Error('it is an API server')
    return opened.api
  }

  const apply = (resource: Resource, text: string): Promise<KubeObject> => api().create(resource, parse(text))
  const coordinator = () => api().get(SPIDER_COORDINATORS, { name: 'default' })
  const definition = (name = PLACE.name) => api().get(NETWORK_ATTACHMENT_DEFINITIONS, { ...PLACE, name })
  const ready = async (name = PLACE.name) => {
    const object = await api().get(SPIDER_MULTUS_CONFIGS, { ...PLACE, name })
    return Object(object?.['status'])['conditions']?.[0]
  }
  const eventsAt = async (kind: string, name: string): Promise<readonly string[]> => {
    const { items } = await api().list(EVENTS)
    const about = items.filter(
      ({ involvedObject }) => Object(involvedObject)['kind'] === kind && Object(involvedObject)['name'] === name,
    )
    return about.map(({ reason, message }) => `${reason}: ${message}`)
  }

  test(
    'SpiderCoordinator: NotReady while nobody tells the cluster’s ranges, Synced as soon as kubeadm-config is written',
    async () => {
      await eventually(
        async () => expect((await coordinator())?.['status']).toMatchObject({ phase: 'NotReady' }),
        PATIENCE,
      )
      expect(await coordinator()).toMatchObject({
        metadata: { finalizers: ['spiderpool.spidernet.io'] },
        spec: { mode: 'auto', podCIDRType: 'auto', hijackCIDR: ['169.254.0.0/16'], hostRuleTable: 500, podRPFilter: 0 },
      })
      await eventually(async () => expect(await eventsAt('SpiderCoordinator', 'default')).toHaveLength(1), PATIENCE)
      expect((await eventsAt('SpiderCoordinator', 'default'))[0]).toStartWith('ClusterNotReady: neither the ConfigMap')
      await apply(CONFIG_MAPS, KUBEADM_CONFIG)
      const synced = { phase: 'Synced', overlayPodCIDR: ['10.233.64.0/18'], serviceCIDR: ['10.233.0.0/18'] }
      await eventually(async () => expect((await coordinator())?.['status']).toEqual(synced), PATIENCE)
      // Ours is known best.
      await opened.registry.create('Cluster', 'default', {
        networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
        serviceNetworks: [cidr('172.30.0.0/16')],
        tenancy: 'multitenant',
        encapsulation: { type: 'vxlan', port: 4789 },
        underlay: 4,
        services: 'weft',
      })
      const ours = { phase: 'Synced', overlayPodCIDR: ['10.128.0.0/14'] }
      await eventually(async () => expect((await coordinator())?.['status']).toMatchObject(ours), PATIENCE)
    },
    LIMIT,
  )

  test(
    'SpiderCoordinator: deleted, it goes and comes again',
    async () => {
      const before = (await coordinator())?.metadata.uid
      await api().delete(SPIDER_COORDINATORS, { name: 'default' })
      await eventually(async () => {
        const now = await coordinator()
        expect(now?.metadata.uid).not.toBe(before)
        expect(now?.['status']).toMatchObject({ phase: 'Synced' })
      }, PATIENCE)
    },
    LIMIT,
  )

  test(
    'the settings’ default network is an empty definition until somebody writes it',
    async () => {
      await eventually(async () => expect(await definition()).toMatchObject({ spec: {} }), PATIENCE)
      await apply(SPIDER_MULTUS_CONFIGS, MULTUS_CONFIG)
      await eventually(async () => expect(await ready()).toMatchObject({ type: 'Ready', status: 'True' }), PATIENCE)
      await eventually(
        async () => expect(JSON.parse(Object((await definition())?.['spec'])['config'])).toEqual(SEED),
        PATIENCE,
      )
      const { metadata } = (await definition()) ?? {}
      expect(metadata?.annotations).toEqual({
        'k8s.v1.cni.cncf.io/resourceName': 'ovs-cni.network.kubevirt.io/br1',
      })
      const owner = await api().get(SPIDER_MULTUS_CONFIGS, PLACE)
      expect(metadata?.ownerReferences).toMatchObject([{ uid: owner?.metadata.uid ?? '', controller: true }])
    },
    LIMIT,
  )

  test(
    'a definition is put back, made again, and left alone where the object is refused',
    async () => {
      const config = () => definition().then((one) => String(Object(one?.['spec'])['config']))
      const before = await config()
      await api().patch(NETWORK_ATTACHMENT_DEFINITIONS, PLACE, 'merge', { spec: { config: '{}' } })
      await eventually(async () => expect(await config()).toBe(before), PATIENCE)
      await api().delete(NETWORK_ATTACHMENT_DEFINITIONS, PLACE)
      await eventually(async () => expect(await config()).toBe(before), PATIENCE)
      await api().patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { deviceID: '0000:01:00.1' } } })
      const why = 'spec.ovs.deviceID: names an SR-IOV device, and those are not attached here; leave it out'
      await eventually(
        async () => expect(await ready()).toMatchObject({ status: 'False', message: why, observedGeneration: 2 }),
        PATIENCE,
      )
      await eventually(
        async () => expect(await eventsAt('SpiderMultusConfig', 'ovs-conf')).toEqual([`RefusedMultusConfig: ${why}`]),
        PATIENCE,
      )
      expect(await config()).toBe(before)
    },
    LIMIT,
  )

  test.each<[string, object, string | undefined]>([
    ['macvlan', { cniType: 'macvlan', macvlan: { master: ['eth0'], vlanID: 100 } }, undefined],
    [
      'a coordinator with what the schema fills in',
      { cniType: 'ovs', ovs: { bridge: 'br1' }, coordinator: { mode: 'underlay' } },
      undefined,
    ],
    ['custom', { cniType: 'custom', customCNI: '{"type":"bridge"}' }, undefined],
    ['as-spiderpools-webhook-leaves-it', WEBHOOKED, undefined],
    [
      'bond',
      { cniType: 'macvlan', macvlan: { master: ['eth0', 'eth1'], bond: { name: 'bond0', mode: 1 } } },
      'spec.macvlan.master: asks for a bond',
    ],
    ['sriov', { cniType: 'sriov', sriov: { resourceName: 'a/b' } }, 'spec.cniType: asks for SR-IOV'],
    [
      'ib-sriov',
      { cniType: 'ib-sriov', ibsriov: { resourceName: 'a/b' } },
      'spec.cniType: asks for SR-IOV over InfiniBand',
    ],
    ['ipoib', { cniType: 'ipoib', ipoib: { master: 'ib0' } }, 'spec.cniType: asks for IP over InfiniBand'],
  ])(
    'cniType as a server keeps it: %s',
    async (what, spec, problem) => {
      const name = what.replaceAll(' ', '-')
      const { apiVersion, kind } = parse(MULTUS_CONFIG)
      await api().create(SPIDER_MULTUS_CONFIGS, { apiVersion, kind, metadata: { ...PLACE, name }, spec })
      const status = problem === undefined ? 'True' : 'False'
      await eventually(async () => expect(await ready(name)).toMatchObject({ status }), PATIENCE)
      if (problem !== undefined) expect((await ready(name)).message).toStartWith(problem)
      expect((await definition(name)) === undefined).toBe(problem !== undefined)
      if (what !== 'a coordinator with what the schema fills in') return
      const { config } = Object((await definition(name))?.['spec'])
      expect(JSON.parse(config).plugins[1]).toEqual({
        type: 'coordinator',
        mode: 'underlay',
        tunePodRoutes: true,
        txQueueLen: 0,
      })
    },
    LIMIT,
  )

  if (collects !== undefined) {
    test(
      'a definition goes with its object',
      async () => {
        expect(await definition('custom')).toBeDefined()
        await api().delete(SPIDER_MULTUS_CONFIGS, { ...PLACE, name: 'custom' })
        await eventually(async () => expect(await definition('custom')).toBeUndefined(), PATIENCE)
      },
      LIMIT,
    )
  }

  test(
    'pools: the seed’s is fine, a younger one that shares its addresses is told so',
    async () => {
      await apply(SPIDER_IP_POOLS, IP_POOL)
      const other = parse(IP_POOL)
      other.metadata.name = 'younger'
      await api().create(SPIDER_IP_POOLS, other)
      await eventually(async () => expect(await eventsAt('SpiderIPPool', 'younger')).toHaveLength(1), PATIENCE)
      expect((await eventsAt('SpiderIPPool', 'younger'))[0]).toStartWith(
        'RefusedPool: spec.ips: 172.18.30.131-172.18.30.140 is given out by the pool ippool-test, which is older',
      )
      expect(await eventsAt('SpiderIPPool', 'ippool-test')).toEqual([])
    },
    LIMIT,
  )
}

/** With every default that Spiderpool's webhook writes. */
const WEBHOOKED = {
  cniType: 'ipvlan',
  ipvlan: { master: ['eth0'], vlanID: 0, mtu: 0, rdmaResourceName: '', ippools: { ipv4: [], ipv6: [] } },
  chainCNIJsonData: [],
  coordinator: {
    mode: 'auto',
    hijackCIDR: [],
    policyRoutes: [],
    vethLinkAddress: '',
    podMACPrefix: '',
    podDefaultRouteNIC: '',
    podRPFilter: 0,
    tunePodRoutes: true,
    txQueueLen: 0,
    hostRuleTable: 500,
  },
}

const SEED = {
  cniVersion: '0.3.1',
  name: 'ovs-conf',
  plugins: [
    { type: 'ovs', bridge: 'br1', vlan: 0, ipam: { type: 'spiderpool' } },
    { type: 'coordinator', mode: 'auto', tunePodRoutes: true, txQueueLen: 0 },
  ],
}
