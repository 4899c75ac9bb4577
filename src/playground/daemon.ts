/**
 * The playground's own daemon: the servers of nodes and the host outside, kubelets, scheduler, workloads and DNS. What it
 * runs for pods outlives it.
 * @module
 */
import type { AgentLog } from '../agent/log.ts'
import { playApi } from './api-client.ts'
import { runClusterParts } from './cluster-parts.ts'
import { serveEcho } from './echo-server.ts'
import { ECHO_PORT, type Layout, netnsPath, nodeLayouts } from './layout.ts'
import { stateOf } from './state.ts'

/** Runs until the signal aborts. Throws PLAY_NOT_RUNNING. */
export async function runDaemon(layout: Layout, log: AgentLog, signal: AbortSignal): Promise<void> {
  const { shape } = stateOf(layout)
  const nodes = nodeLayouts(layout, shape.nodes)
  const places = [{ name: 'outside', netns: layout.outsideNetns }, ...nodes]
  const servers = places.map(({ name, netns }) => serveEcho(netnsPath(netns), ECHO_PORT, name))
  const api = playApi(layout)
  try {
    await runClusterParts({ api, layout, shape, nodes, log, signal })
  } finally {
    for (const server of servers) server.close()
    api.close()
  }
}
