/**
 * Starts the kubelets of a playground's nodes, all in this process.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentLog } from '../../agent/log.ts'
import type { KubeApi } from '../../kube/api.ts'
import { sleep } from '../../registry/backoff.ts'
import type { PodRuntime } from '../apiserver/contract.ts'
import type { Layout, NodeLayout } from '../layout.ts'
import { companionFolder } from '../self.ts'
import { runKubelet } from './kubelet.ts'
import type { CniRuntime } from './network/plugin.ts'
import type { ClusterNames } from './pod/resolver.ts'
import { podRuntime } from './pod-runtime.ts'

/** What kubelets need. */
export interface KubeletsOptions {
  readonly layout: Layout
  readonly nodes: readonly NodeLayout[]
  readonly api: KubeApi
  /** What pods resolve names with. */
  readonly names: ClusterNames
  readonly signal: AbortSignal
  readonly log: AgentLog
}

/** Running kubelets. */
export interface Kubelets {
  /** What the API server passes on logs and commands to. */
  readonly runtime: PodRuntime
  /** When the signal has aborted and all have ended; their pods go on. */
  readonly done: Promise<void>
}

/** Milliseconds before a kubelet that ended by itself is started again. */
const RESTART = 1000

/** Starts a kubelet for every node. One that fails is started again. */
export function startKubelets({ layout, nodes, api, names, signal, log }: KubeletsOptions): Kubelets {
  const run = async (node: NodeLayout): Promise<void> => {
    while (!signal.aborted) {
      const runtime = nodeRuntime(node)
      const { addresses } = node
      try {
        await runKubelet({ api, layout, node, addresses, runtime, names, signal, log, now: Date.now })
      } catch (error) {
        log.error(`the kubelet of ${node.name} ended: ${error}`)
        await sleep(RESTART, signal)
      }
    }
  }
  return { runtime: podRuntime(nodes), done: Promise.all(nodes.map(run)).then(() => undefined) }
}

/** A node's plugin and its configuration, which is written if it is not there. */
function nodeRuntime(node: NodeLayout): CniRuntime {
  const confDir = join(node.dir, 'cni')
  const confFile = join(confDir, '10-weft.conflist')
  mkdirSync(confDir, { recursive: true, mode: 0o700 })
  mkdirSync(join(node.dir, 'pods'), { recursive: true, mode: 0o700 })
  const conf = { cniVersion: '1.1.0', name: 'weft', plugins: [{ type: PLUGIN }] }
  try {
    writeFileSync(confFile, `${JSON.stringify(conf, null, 2)}\n`, { flag: 'wx', mode: 0o600 })
  } catch {
    // It is there: people may have changed it.
  }
  return { binDir: companionFolder(), confFile, env: { WEFT_CNI_SOCKET: node.cniSocket } }
}

/** The plugin under the name that it is built with; installed, it goes by `weft`. */
const PLUGIN = 'weft-cni'
