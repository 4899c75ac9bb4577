/**
 * What makes a cluster out of nodes and an API server: kubelets, a scheduler, the controllers of workloads, and DNS.
 * @module
 */
import type { AgentLog } from '../agent/log.ts'
import type { KubeApi } from '../kube/api.ts'
import type { KubeObject } from '../kube/object.ts'
import { reflectResource } from '../kube/reflector.ts'
import { ip } from '../network/model/address.ts'
import { DNS_LABEL, dnsAddress } from './dns/objects.ts'
import { runDns } from './dns/run.ts'
import { isAttached, sandboxOf } from './kubelet/network/sandbox.ts'
import { startKubelets } from './kubelet/start.ts'
import { type Layout, type NodeLayout, netnsPath } from './layout.ts'
import { PODS } from './objects.ts'
import { clusterOf, DOMAIN, type Shape } from './options.ts'
import { runScheduler } from './scheduler/run.ts'
import { runWorkloads } from './workloads/run.ts'

/** What the parts run with. */
export interface ClusterParts {
  readonly api: KubeApi
  readonly layout: Layout
  readonly shape: Shape
  readonly nodes: readonly NodeLayout[]
  readonly log: AgentLog
  readonly signal: AbortSignal
}

/** Runs all of it until the signal aborts. Pods outlive it. */
export async function runClusterParts(parts: ClusterParts): Promise<void> {
  const { api, layout, shape, nodes, log, signal } = parts
  const now = Date.now
  const names = { servers: clusterOf(shape).serviceNetworks.map((network) => ip(dnsAddress(network))), domain: DOMAIN }
  const kubelets = startKubelets({ api, layout, nodes, names, log, signal })
  await Promise.all([
    kubelets.done,
    runScheduler({ api, signal, log, now }),
    runWorkloads({ api, signal, log, now }),
    followDns(parts),
  ])
}

/** Serves names in the network of every DNS pod: the API listens where no pod reaches it. */
async function followDns({ api, layout, log, signal }: ClusterParts): Promise<void> {
  const servers = new Map<string, AbortController>()
  const stop = (uid: string): void => {
    servers.get(uid)?.abort()
    servers.delete(uid)
  }
  const start = ({ metadata: { uid = '' } }: KubeObject): void => {
    const sandbox = sandboxOf(layout, uid)
    if (servers.has(uid) || sandbox === undefined || !isAttached(sandbox)) return
    const ended = new AbortController()
    servers.set(uid, ended)
    const netns = netnsPath(sandbox.netns)
    runDns({ api, netns, domain: DOMAIN, signal: AbortSignal.any([signal, ended.signal]), log }).catch(
      (error: unknown) => {
        log.warn({ err: error, netns }, 'names are not served')
        stop(uid)
      },
    )
  }
  const labelSelector = Object.entries(DNS_LABEL)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { done } = reflectResource(
    api,
    PODS,
    { namespace: 'kube-system', labelSelector },
    {
      signal,
      onChange: ({ type, object }) => {
        if (type === 'put' && object.value.metadata.deletionTimestamp === undefined) start(object.value)
        else stop(object.value.metadata.uid ?? '')
      },
      onError: (error, retryIn) => log.warn({ err: error, retryIn }, 'DNS pods cannot be watched'),
    },
  )
  await done
}
