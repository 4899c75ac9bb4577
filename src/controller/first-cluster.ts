/**
 * Makes the cluster's configuration where there is none, and tells what the settings say otherwise where there is one.
 * @module
 */
import { CLUSTER_NETWORKS } from '../compat/openshift/resources.ts'
import { WEFT_NAMESPACE } from '../compat/permissions.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { KubeObject } from '../kube/object.ts'
import { DAEMON_SETS } from '../kube/resources.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { Backoff, sleep } from '../registry/backoff.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import type { ClusterWish } from '../settings/cluster.ts'
import { clusterFacts } from './cluster-facts.ts'
import type { ControllerLog } from './controller.ts'
import { textOf } from './events.ts'
import { differences, newCluster } from './new-cluster.ts'

/** What the first configuration is made with. */
export interface FirstClusterOptions {
  readonly api: KubeApi
  readonly registry: Registry
  readonly wish: ClusterWish
  readonly signal: AbortSignal
  readonly log: ControllerLog
  readonly events?: EventRecorder
}

const NAME = 'default'
/** What keeps a cluster from being made may change: definitions come, nodes get addresses. */
const PATIENCE = { first: 500, most: 30_000 } as const

/** Tries until there is a configuration, or `signal` aborts. Does not reject. */
export async function runFirstCluster(options: FirstClusterOptions): Promise<void> {
  const { signal, log } = options
  const patience = new Backoff(Math.random, PATIENCE)
  let told = ''
  while (!signal.aborted) {
    const trouble = await attempt(options).catch((error: unknown) => textOf(error))
    if (trouble === undefined) return
    if (trouble !== told) log.warn({}, `there is no ClusterNetwork "${NAME}", and none can be made: ${trouble}`)
    told = trouble
    await sleep(patience.next(), signal)
  }
}

/** What keeps a configuration from being there; undefined when it is. */
async function attempt(options: FirstClusterOptions): Promise<string | undefined> {
  const { api, registry, wish, log } = options
  const object = await api.get(CLUSTER_NETWORKS, { name: NAME })
  if (object !== undefined) {
    const stored = await registry.get('Cluster', NAME)
    // One that cannot be read is told by whoever needs it.
    if (stored === undefined) return undefined
    for (const difference of differences(wish, stored.value)) {
      log.warn({}, `${difference}: the ClusterNetwork counts`)
      const message = `${difference}: this object counts`
      options.events?.record(object, { type: 'Warning', reason: 'CLUSTER_SETTINGS_DIFFER', message })
    }
    await warnOfKubeProxy(options, object, stored.value)
    return undefined
  }
  const made = newCluster(wish, await clusterFacts(api, registry, WEFT_NAMESPACE))
  if (made.is === 'impossible') return `${made.why} (${made.remedy})`
  try {
    await registry.create('Cluster', NAME, made.cluster)
  } catch (error) {
    // Somebody was faster: that one counts.
    if (!(error instanceof RegistryError) || error.code !== 'REGISTRY_EXISTS') throw error
    return undefined
  }
  log.info({ cluster: made.cluster }, `ClusterNetwork "${NAME}" created`)
  const created = await api.get(CLUSTER_NETWORKS, { name: NAME })
  if (created !== undefined) await warnOfKubeProxy(options, created, made.cluster)
  return undefined
}

/** Two that translate services do not know of each other's connections, nor the other one of tenants. */
async function warnOfKubeProxy(
  { api, log, events }: FirstClusterOptions,
  object: KubeObject,
  { services }: Cluster,
): Promise<void> {
  // Who may not ask is not told.
  const proxy = services === 'weft' ? await api.get(DAEMON_SETS, KUBE_PROXY).catch(() => undefined) : undefined
  if (proxy === undefined) return
  const message = 'a kube-proxy runs, and Weft translates services: remove it, or set weft.services to kube-proxy'
  log.warn({}, message)
  events?.record(object, { type: 'Warning', reason: 'CLUSTER_KUBE_PROXY_RUNS', message })
}

/** Where kubeadm and its like have it. */
const KUBE_PROXY = { namespace: 'kube-system', name: 'kube-proxy' } as const
