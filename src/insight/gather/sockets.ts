/**
 * Where agents and the registry are found on this machine.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { placeIn, type RegistryPlace } from '../../place/place.ts'
import { InsightError } from '../errors.ts'

/** The folder of a node's agent, and that of the playground, which has one for each node's agent: `<node>/agent`. */
const RUN_DIR = '/run/weft'
const PLAY_DIR = '/run/weft-play'

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

/**
 * Finds the sockets: in an agent's run folder or a playground's, by default this node's, else the playground's. The
 * registry is the one named, else the folder's. Throws `INSIGHT_AGENT_NOT_RUNNING` when there is no agent's socket.
 */
export function agentSockets(runDir: string | undefined, registry?: RegistryPlace): Where {
  const folders = runDir === undefined ? [RUN_DIR, PLAY_DIR] : [runDir]
  for (const folder of folders) {
    const agents = socketsIn(folder)
    if (agents.length > 0) return { agents, registry: registry ?? placeIn(folder) }
  }
  const remedy =
    runDir === undefined
      ? 'ask on a node, or in its agent’s pod; or start a playground (`weft play`), or name the folder: --run-dir'
      : 'check --run-dir'
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
