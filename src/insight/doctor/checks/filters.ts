/**
 * Checks: packet filters.
 * @module
 */
import { ACCEPTANCE_CHAIN } from '../../../network/firewall/acceptance.ts'
import { dropsInWords, foreignDrops } from '../../../network/firewall/judge.ts'
import { neededTraffic } from '../../../network/firewall/traffic.ts'
import { GATEWAY, NFT_TABLE } from '../../../network/host.ts'
import { type Check, fail, given, ok, type Verdict } from '../check.ts'
import type { Expected, HostFacts } from '../facts.ts'

const nft: Check = {
  id: 'nft',
  look: ({ filters }) =>
    filters.ok ? ok('nft works') : fail(filters.reason, 'install nftables, in a kernel that has nf_tables'),
}

const forward: Check = {
  id: 'forward-drops',
  look: (facts, expected) => given(facts.filters, () => judge(facts, expected)),
}

function judge({ filters, legacyFilters }: HostFacts, expected: Expected): Verdict {
  const chains = [...(filters.ok ? filters.value : []), ...(legacyFilters.ok ? legacyFilters.value : [])]
  const drops = foreignDrops(trafficOf(expected), chains, ({ table }) => table === NFT_TABLE)
  // What Weft will be accepted in is no obstacle before it is installed.
  const willPass = (one: { readonly table: string; readonly chain: string }): boolean =>
    expected.agent.state === 'none' && one.table === 'filter' && one.chain === 'FORWARD'
  const lasting = drops.filter((one) => !willPass(one))
  if (lasting.length > 0) return fail(dropsInWords(lasting).join('; '), 'have that accepted there')
  if (drops.length > 0)
    return ok('iptables drops what is forwarded (Docker does that); the agent has pods accepted there')
  const accepted = chains.some(({ name }) => name === ACCEPTANCE_CHAIN)
  return ok(
    accepted
      ? 'pods are accepted in iptables’ filter, nothing else drops them'
      : 'no filter of others drops what pods need',
  )
}

/** Without a cluster's ranges: what comes from the gateway port and goes there. */
function trafficOf({ cluster, ranges, datapath }: Expected): ReturnType<typeof neededTraffic> {
  if (cluster !== undefined) {
    const families = ranges.length > 0 ? ranges : cluster.networks.map(({ cidr }) => cidr)
    return neededTraffic(
      cluster,
      families.map((range) => (range.includes(':') ? 6 : 4)),
      GATEWAY,
    ).filter((one) => one.of === 'pods' || datapath === 'system')
  }
  return [
    {
      title: 'what pods send to the outside',
      of: 'pods',
      hook: 'forward',
      family: 4,
      inLink: { is: GATEWAY },
      outLink: { not: GATEWAY },
      state: 'new',
    },
  ]
}

export const FILTER_CHECKS: readonly Check[] = [nft, forward]
