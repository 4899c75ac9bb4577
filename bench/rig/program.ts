/**
 * What is measured: the built programs, or the source tree where only the plugin is built.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentStatus } from '../../src/agent/control/facts.ts'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import type { NodeLayout } from '../../src/playground/layout.ts'

const ROOT = join(import.meta.dir, '../..')
const BUILT = join(ROOT, 'dist/weft')

/** Our CNI plugin, and the peer's. */
export const OUR_PLUGIN = join(ROOT, 'dist/weft-cni')
export const PEER_PLUGINS = '/usr/lib/cni'
export const PEER_PLUGIN = join(PEER_PLUGINS, 'bridge')

/** Whether `dist/weft` is used. */
export function isBuilt(fromSource: boolean): boolean {
  return !fromSource && existsSync(BUILT)
}

/** A node's agent, to be asked. */
export function agentOf({ name, agentDir }: NodeLayout): AgentClient {
  return new AgentClient({ node: name, path: join(agentDir, 'agent.sock') })
}

/** What a node's agent says of itself; undefined while it does not answer. */
export function statusOf(node: NodeLayout): Promise<AgentStatus | undefined> {
  return agentOf(node)
    .status()
    .catch(() => undefined)
}

/** How to run `weft` with these arguments. */
export function weft(fromSource: boolean, ...args: readonly string[]): readonly string[] {
  return isBuilt(fromSource) ? [BUILT, ...args] : [process.execPath, join(ROOT, 'src/main.ts'), ...args]
}
