/**
 * The cluster's first configuration on a real API server: its service networks are learned from the server itself, with
 * the controller's own account.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { weftBindings } from '../../src/compat/bindings.ts'
import { CLUSTER_NETWORKS } from '../../src/compat/openshift/resources.ts'
import { runFirstCluster } from '../../src/controller/first-cluster.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { DAEMON_SETS, EVENTS, NAMESPACES, NODES, SERVICES } from '../../src/kube/resources.ts'
import type { ClusterWish } from '../../src/settings/cluster.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
/** What the control plane is started with. */
const SERVICE_NETWORKS = ['172.30.0.0/16', 'fd02::/112']

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () => firstCluster(assets))
}

function firstCluster(assets: string): void {
  let plane: ControlPlane | undefined
  let client: KubeClient | undefined
  const said: string[] = []

  beforeAll(async () => {
    plane = await ControlPlane.start(assets)
    client = new KubeClient(plane.config())
    await installCrds(client)
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'weft-system' } })
    await client.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } })
    await eventually(async () => expect(await client?.get(SERVICES, KUBERNETES)).toBeDefined(), 30_000)
  }, LIMIT)

  afterAll(async () => {
    client?.close()
    await plane?.stop()
  })

  async function run(wish: ClusterWish): Promise<void> {
    if (client === undefined) throw new Error('there is no client')
    const api = client
    const registry = new KubeRegistry(api, weftBindings)
    const say = (_: object, text: string): void => void said.push(text)
    const events = new EventRecorder(api, { component: 'weft-controller' })
    const stop = new AbortController()
    const log = { info: say, warn: say, error: say }
    const running = runFirstCluster({ api, registry, wish, signal: stop.signal, log, events })
    const told = eventually(async () => expect(said).not.toEqual([]), 20_000)
    await Promise.race([running, told])
    stop.abort()
    await running
    await events.settled()
  }

  test(
    'none is made that cannot be right',
    async () => {
      await run({ serviceNetworks: ['10.96.0.0/12' as never] })
      expect(said.join('\n')).toContain('the service kubernetes has 172.30.0.1, which is not in 10.96.0.0/12')
      expect(await client?.get(CLUSTER_NETWORKS, { name: 'default' })).toBeUndefined()
    },
    LIMIT,
  )

  test(
    'the service networks are the server’s',
    async () => {
      await run({})
      const made = await client?.get(CLUSTER_NETWORKS, { name: 'default' })
      expect(made).toMatchObject({ network: '10.128.0.0/14', serviceNetwork: '172.30.0.0/16' })
      expect(made?.['weft']).toMatchObject({ serviceNetworks: SERVICE_NETWORKS, services: 'weft' })
      // Asking left nothing behind.
      expect((await client?.list(SERVICES))?.items.map(({ metadata: { name } }) => name)).toEqual(['kubernetes'])
    },
    LIMIT,
  )

  test(
    'a kube-proxy that runs as well is told of',
    async () => {
      const labels = { app: 'kube-proxy' }
      const template = { metadata: { labels }, spec: { containers: [{ name: 'kube-proxy', image: 'none' }] } }
      await client?.create(DAEMON_SETS, {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'kube-proxy', namespace: 'kube-system' },
        spec: { selector: { matchLabels: labels }, template },
      })
      said.length = 0
      await run({})
      expect(said).toEqual([
        'a kube-proxy runs, and Weft translates services: remove it, or set weft.services to kube-proxy',
      ])
      await client?.delete(DAEMON_SETS, { name: 'kube-proxy', namespace: 'kube-system' })
    },
    LIMIT,
  )

  test(
    'afterwards a difference is told and not applied',
    async () => {
      said.length = 0
      await run({ tenancy: 'subnet' })
      expect(said).toEqual([
        'cluster.tenancy is "subnet" in the settings and "multitenant" in the ClusterNetwork: the ClusterNetwork counts',
      ])
      const made = await client?.get(CLUSTER_NETWORKS, { name: 'default' })
      expect(made?.['pluginName']).toBe('redhat/openshift-ovs-multitenant')
      const events = (await client?.list(EVENTS))?.items ?? []
      expect(events.map((event) => event['reason'])).toContain('CLUSTER_SETTINGS_DIFFER')
    },
    LIMIT,
  )
}

const KUBERNETES = { namespace: 'default', name: 'kubernetes' }
