/**
 * Filters that others have on this node: gets pods' packets accepted in those of iptables, and finds those that drop
 * what the network needs. Level-triggered: Docker and its like make their chains anew whenever they start.
 * @module
 */
import { applyRuleset, legacyFilter, listChains, listRuleset, type NftOptions } from '../../linux/index.ts'
import { type AcceptanceOwner, acceptanceScript } from '../../network/firewall/acceptance.ts'
import { dropsInWords, foreignDrops } from '../../network/firewall/judge.ts'
import { type Chain, decodeRuleset } from '../../network/firewall/ruleset.ts'
import { type HostPlan, NFT_TABLE } from '../../network/host.ts'

/** What of a host plan concerns the filters of others. */
export type FilterPlan = Pick<HostPlan, 'acceptance' | 'traffic'>

/**
 * Brings the acceptance in filters of others to the plan; without an owner, the agent's. Resolves with what still drops
 * needed packets, in words. Rejects with LINUX_TOOL where nft refuses: another has changed a table in between, and the
 * next turn will do.
 */
export async function admitPods(
  { acceptance, traffic }: FilterPlan,
  options: NftOptions = {},
  owner?: AcceptanceOwner,
): Promise<readonly string[]> {
  let chains = await filterChains(options)
  const script = acceptanceScript(acceptance, chains, owner)
  if (script !== undefined) {
    await applyRuleset(script, options)
    chains = await filterChains(options)
  }
  const all = [...chains, ...legacyFilter(4), ...legacyFilter(6)]
  return dropsInWords(foreignDrops(traffic, all, ({ table }) => table === NFT_TABLE))
}

/** Removes every acceptance of an owner, without one the agent's, from filters of others. Resolves with whether there was one. */
export async function withdrawAcceptance(options: NftOptions = {}, owner?: AcceptanceOwner): Promise<boolean> {
  const script = acceptanceScript([], await filterChains(options), owner)
  if (script !== undefined) await applyRuleset(script, options)
  return script !== undefined
}

/**
 * Chains with their rules of every table of others that filters. Address translation is left out, and kube-proxy's table
 * is told without its rules: both grow with the cluster's services, and drop nothing of pods.
 */
export async function filterChains(options: NftOptions = {}): Promise<readonly Chain[]> {
  const chains = decodeRuleset(await listChains(options)).filter(
    ({ family, table }) => table !== NFT_TABLE && FAMILIES.has(family),
  )
  const filters = chains.filter(
    ({ table, base }) =>
      table !== KUBE_PROXY && base?.type === 'filter' && (base.hook === 'forward' || base.hook === 'input'),
  )
  const tables = new Set(filters.map(({ family, table }) => `${family} ${table}`))
  const rulesets = await Promise.all([...tables].map((table) => tableRules(table, options)))
  return [...chains.filter(({ table }) => table === KUBE_PROXY), ...rulesets.flatMap(decodeRuleset)]
}

/** Its table, where it uses nftables. */
const KUBE_PROXY = 'kube-proxy'
const FAMILIES: ReadonlySet<string> = new Set(['ip', 'ip6', 'inet'])

/** One that vanished in between is none. */
async function tableRules(table: string, options: NftOptions): Promise<unknown> {
  try {
    return await listRuleset({ ...options, table })
  } catch (error) {
    if (error instanceof Error && /No such file or directory/.test(error.message)) return undefined
    throw error
  }
}
