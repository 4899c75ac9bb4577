/**
 * The agent of k8s-ovs, by Weft's settings: k8s-ovs has no flags for it.
 * @module
 */
import { AGENT_DEFAULTS, type AgentOptions } from '../../agent/options.ts'
import type { Settings } from '../../settings/table.ts'

/** The name that k8s-ovs's documents have. */
const CNI_CONFIG = '80-k8s-ovs.conf'

/** What settings say of the agent, whichever there are: each is called as its option. */
export function agentOptions(settings: Settings, node: string): AgentOptions {
  const given = Object.entries(settings).flatMap(([key, value]) => {
    const [section, name] = key.split('.')
    return section === 'agent' && name !== undefined && value !== undefined ? [[name, value] as const] : []
  })
  const said: Partial<AgentOptions> = Object.fromEntries(given)
  return { ...AGENT_DEFAULTS, datapath: 'system', cniConfigName: CNI_CONFIG, ...said, node }
}
