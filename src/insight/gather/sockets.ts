/**
 * Where agents and the registry are found on this machine.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { InsightError } from '../errors.ts'

/** The folder of a node's agent, and that of the playground, which has one for each node's agent: `<node>/agent`. */
export const RUN_DIR = '/run/weft'
export const PLAY_DIR = '/run/weft-play'

/** What the command line says about where to look. */
export interface WhereOptions {
  /** An agent's run folder or a playground's. Default: this node's, else the playground's. */
  readonly runDir?: string
  /** `unix:/path`. Default: the run folder's `registry.sock`, else its kubeconfig. */
  readonly registry?: string
  /** A Kubernetes API server instead, as this file tells. */
  readonly kubeconfig?: string
}

/** Where shared state is. */
export type RegistryPlace = { readonly socket: string } | { readonly kubeconfig: string }

/** Where to ask. */
export interface Where {
  readonly agents: readonly AgentSocket[]
  /** Undefined when there is none: audit and status then go without the registry. */
  readonly registry: RegistryPlace | undefined
}

/** An agent's socket and, where the folder tells, its node. */
export interface AgentSocket {
  readonly path: string
  readonly node: string | undefined
}

/** Finds the sockets. Throws `INSIGHT_AGENT_NOT_RUNNING` when there is no agent's socket, `INSIGHT_USAGE`. */
export function agentSockets(options: WhereOptions): Where {
  const folders = options.runDir === undefined ? [RUN_DIR, PLAY_DIR] : [options.runDir]
  for (const folder of folders) {
    const agents = socketsIn(folder)
    if (agents.length > 0) return { agents, registry: registryPlace(options, folder) }
  }
  const remedy =
    options.runDir === undefined ? 'start one (`weft play`), or name its folder: --run-dir' : 'check --run-dir'
  throw new InsightError('INSIGHT_AGENT_NOT_RUNNING', `no agent’s socket below ${folders.join(' or ')}`, remedy)
}

function socketsIn(folder: string): AgentSocket[] {
  const own = join(folder, 'agent.sock')
  if (existsSync(own)) return [{ path: own, node: undefined }]
  // A playground's folder: the agent of each node has a folder of its own, whether it runs or not.
  return namesIn(folder)
    .filter((node) => existsSync(join(folder, node, 'agent')))
    .map((node) => ({ node, path: join(folder, node, 'agent', 'agent.sock') }))
}

function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
  } catch {
    return []
  }
}

function registryPlace({ registry, kubeconfig }: WhereOptions, folder: string): RegistryPlace | undefined {
  if (kubeconfig !== undefined) return { kubeconfig }
  if (registry === undefined) {
    const [socket, file] = [join(folder, 'registry.sock'), join(folder, 'kubeconfig')]
    if (existsSync(socket)) return { socket }
    return existsSync(file) ? { kubeconfig: file } : undefined
  }
  if (registry.startsWith('unix:/')) return { socket: registry.slice('unix:'.length) }
  throw new InsightError('INSIGHT_USAGE', `--registry ${registry.slice(0, 80)} is no socket`, 'write unix:/path')
}
