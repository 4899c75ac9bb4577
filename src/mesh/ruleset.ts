/**
 * What the mesh has of the machine's packet filters: our own table of nftables, and acceptance in those of others. Pure.
 * @module
 */
import { type ForeignAcceptance, networkAcceptance } from '../network/firewall/acceptance.ts'
import type { Traffic } from '../network/firewall/judge.ts'
import { type Cidr, type Family, familyOf } from '../network/model/address.ts'
import { tunnelGuard } from './guard.ts'
import { ACCEPTANCE, NFT_TABLE } from './names.ts'
import type { MeshPlan } from './plan.ts'

const FAMILIES: readonly Family[] = [4, 6]
const WORD: { readonly [F in Family]: 'ip' | 'ip6' } = { 4: 'ip', 6: 'ip6' }

/**
 * A ruleset that replaces our table as a whole. Nobody but machines of the mesh puts frames into it ({@link tunnelGuard}). Containers
 * are not told to send to others' containers by themselves either: too large a
 * frame is lost then without a word. Without a tunnel they keep their addresses: where a rule of somebody else would translate them
 * (Docker's does), they are translated to what they have, before.
 */
export function meshRuleset(plan: MeshPlan): string {
  const chains = [...filterChains(plan), ...addressChains(plan)]
  return chains.length === 0 ? NO_RULESET : `${NO_RULESET}table inet ${NFT_TABLE} {\n${chains.join('')}}\n`
}

function filterChains(plan: MeshPlan): readonly string[] {
  if (plan.tunnel === undefined) return []
  const guard = tunnelGuard(plan, plan.tunnel)
  const redirects = ['icmp type redirect', 'icmpv6 type nd-redirect'].map(
    (one) => `oifname "${plan.attach}" ${one} drop`,
  )
  const filter = (hook: string, rules: readonly string[]): string =>
    chain(hook, `type filter hook ${hook} priority filter; policy accept;`, rules)
  const leaving = 'type filter hook postrouting priority 101; policy accept;'
  return [
    filter('forward', guard.forward),
    filter('input', guard.input),
    filter('output', redirects),
    ...(guard.leaving.length === 0 ? [] : [chain('leaving', leaving, guard.leaving)]),
  ]
}

function addressChains(plan: MeshPlan): readonly string[] {
  if (!plan.peers.some(({ way }) => way === 'direct')) return []
  const rules = FAMILIES.flatMap((family) => keepRules(plan, family))
  return rules.length === 0 ? [] : [chain('leave', 'type nat hook postrouting priority 99; policy accept;', rules)]
}

/** Removes our table. */
export const NO_RULESET = `table inet ${NFT_TABLE}\ndelete table inet ${NFT_TABLE}\n`

/** Whose the machine's packet filters are, as far as they are the mesh's. */
export const FILTER_OWNER = { table: NFT_TABLE, noRuleset: NO_RULESET, acceptance: ACCEPTANCE }

/** What others' filters have to accept where there is no tunnel: what comes from and goes to the other machines' containers. */
export function meshAcceptance({ peers }: MeshPlan): readonly ForeignAcceptance[] {
  const subnets = peers.flatMap(({ way, host }) => (way === 'direct' ? host.subnets : []))
  return FAMILIES.flatMap((family) => {
    const some = ofFamily(subnets, family)
    return some.length === 0 ? [] : [networkAcceptance(WORD[family], some)]
  })
}

/** What has to get through. */
export function meshTraffic({ peers, attach, self, networks }: MeshPlan): readonly Traffic[] {
  const isTunnelled = peers.some(({ way }) => way !== 'direct' && way !== 'none')
  return self.subnets.flatMap((from): readonly Traffic[] => {
    const family = familyOf(from)
    const sent = { of: 'pods', hook: 'forward', family, inLink: { is: attach }, state: 'new' } as const
    const source = { within: from }
    const all = isTunnelled ? ofFamily(networks, family) : []
    return [
      ...all.map((within) => ({
        ...sent,
        title: `what containers send to those of other machines in ${within}`,
        outLink: { is: attach },
        source,
        destination: { within },
      })),
      ...peers.flatMap(({ way, host, link }) =>
        ofFamily(way === 'direct' ? host.subnets : [], family).map((within) => ({
          ...sent,
          title: `what containers send to those of ${host.name}`,
          ...(link === undefined ? {} : { outLink: { is: link } }),
          source,
          destination: { within },
        })),
      ),
    ]
  })
}

function keepRules({ self, networks }: MeshPlan, family: Family): readonly string[] {
  const [own, all] = [ofFamily(self.subnets, family), ofFamily(networks, family)]
  if (own.length === 0 || all.length === 0) return []
  const word = WORD[family]
  return [`${word} saddr { ${own.join(', ')} } ${word} daddr { ${all.join(', ')} } snat ${word} to ${word} saddr`]
}

function chain(name: string, head: string, rules: readonly string[]): string {
  return `  chain ${name} {\n    ${head}\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`
}

function ofFamily(networks: readonly Cidr[], family: Family): readonly Cidr[] {
  return networks.filter((one) => familyOf(one) === family)
}
