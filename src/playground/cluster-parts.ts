/**
 * What makes a cluster out of nodes and an API server: kubelets, a scheduler, the controllers of workloads, and DNS.
 * @module
 */
import type { AgentLog } from '../agent/log.ts'
import type { KubeApi } from '../kube/api.ts'
import type { KubeObject } from '../kube/object.ts'
import { ip } from '../network/model/address.ts'
import { dnsAddress } from './dns/objects.ts'
import { serveDnsPods } from './dns/pods.ts'
import { startKubelets } from './kubelet/start.ts'
import { type Layout, type NodeLayout, netnsPath, podNetns } from './layout.ts'
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
  const netnsOf = ({ metadata: { namespace = '', name } }: KubeObject): string =>
    netnsPath(podNetns(layout, namespace, name))
  await Promise.all([
    kubelets.done,
    runScheduler({ api, signal, log, now }),
    runWorkloads({ api, signal, log, now }),
    // The API listens where no pod reaches it: DNS pods hold a network, names are served in it from here.
    serveDnsPods({ api, netnsOf, domain: DOMAIN, signal, log }),
  ])
}
