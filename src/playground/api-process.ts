/**
 * The playground's API server as a process.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentLog } from '../agent/log.ts'
import { aborted } from '../registry/backoff.ts'
import { formats } from './apiserver/all-formats.ts'
import { type ApiServer, type ApiServerOptions, serveApi } from './apiserver/serve.ts'
import { podRuntime } from './kubelet/pod-runtime.ts'
import { type Layout, nodeLayouts } from './layout.ts'
import { clusterOf } from './options.ts'
import { stateOf } from './state.ts'

/** Serves until the signal aborts. What it holds outlives it, and so does its address. Throws PLAY_NOT_RUNNING. */
export async function runApi(layout: Layout, log: AgentLog, signal: AbortSignal): Promise<void> {
  const { shape } = stateOf(layout)
  const server = await serveAtItsPort(layout, {
    dir: layout.apiDir,
    formats,
    socket: layout.apiSocket,
    serviceNetworks: clusterOf(shape).serviceNetworks,
    runtime: podRuntime(nodeLayouts(layout, shape.nodes)),
    log: (message, err) => log.error({ err }, message),
  })
  server.writeKubeconfig(layout.kubeconfig, 'admin')
  server.writeKubeconfig(layout.socketKubeconfig, 'admin', 'socket')
  log.info({ url: server.url }, 'listening')
  await aborted(signal)
  await server.stop()
}

/** The port of the last time, so that whoever knows it finds the server again; another one when it is taken. */
async function serveAtItsPort({ apiDir }: Layout, options: ApiServerOptions): Promise<ApiServer> {
  const file = join(apiDir, 'port')
  const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const server = await serveApi({ ...options, port }).catch((error: unknown) => {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return serveApi(options)
  })
  writeFileSync(file, String(server.port), { mode: 0o600 })
  return server
}
