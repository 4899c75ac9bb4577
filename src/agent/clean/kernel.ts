/**
 * What is ours in the node's own stack: links of our groups, routes of our protocol, our tables of nftables, and the
 * rules by which filters of others accept pods.
 * @module
 */

import { LEG_GROUPS, LEG_NFT_TABLE, LEG_PROTOCOL } from '../../compat/unnumbered-ptp/numbers.ts'
import {
  applyRuleset,
  hasErrno,
  type Link,
  linkDel,
  linkFind,
  linkList,
  listChains,
  openRtnl,
  qdiscDel,
  qdiscList,
  type Route,
  type RtnlSocket,
  type Rule,
  routeDel,
  routeList,
  ruleDel,
  ruleList,
  TC_ROOT,
} from '../../linux/index.ts'
import { DIRECT } from '../../network/fabric/direct.ts'
import { acceptanceScript } from '../../network/firewall/acceptance.ts'
import { decodeRuleset } from '../../network/firewall/ruleset.ts'
import { GUEST_GROUP } from '../../network/guests.ts'
import {
  BRIDGE,
  DOOMED_GROUP,
  ENDPOINT_GROUP,
  GATEWAY,
  NFT_TABLE,
  ROUTE_PROTOCOL,
  UNDERLAY_GROUP,
} from '../../network/host.ts'
import { birdRoutes, withdrawRoute } from '../bgp/withdraw.ts'
import { filterChains, withdrawAcceptance } from '../node/foreign-filters.ts'
import { PROTOCOL as COORDINATOR_PROTOCOL } from '../plugins/coordinator/numbers.ts'
import { isOurs } from '../qos/tc.ts'
import type { Trace } from './clean.ts'

const PROTOCOLS: readonly number[] = [ROUTE_PROTOCOL, COORDINATOR_PROTOCOL, LEG_PROTOCOL]
const POD_GROUPS: readonly number[] = [ENDPOINT_GROUP, UNDERLAY_GROUP, GUEST_GROUP, ...LEG_GROUPS, DOOMED_GROUP]

/** Links, routes and rules of ours. */
export async function kernelTraces(): Promise<readonly Trace[]> {
  return [
    ...routeTraces(),
    ...learnedTraces(),
    ...policyTraces(),
    ...linkTraces(),
    ...queueTraces(),
    ...(await ruleTraces()),
  ]
}

function routeTraces(): readonly Trace[] {
  using rtnl = openRtnl()
  return ([4, 6] as const)
    .flatMap((family) => PROTOCOLS.flatMap((protocol) => ownRoutes(rtnl, family, protocol)))
    .map((route) => ({
      what: `route to ${route.destination}`,
      remove: () => withRtnl((own) => removeRoute(own, route)),
    }))
}

/** What BIRD left in a table of ours. */
function learnedTraces(): readonly Trace[] {
  using rtnl = openRtnl()
  return birdRoutes(rtnl).map((route) => ({
    what: `route to ${route.destination}`,
    remove: () => withRtnl((own) => withdrawRoute(own, route)),
  }))
}

function ownRoutes(rtnl: RtnlSocket, family: 4 | 6, protocol: number): readonly Route[] {
  return routeList(rtnl, { family, protocol }).filter((route) => route.protocol === protocol)
}

/** Rules that lead to pods on the physical network, by their legs, them to the overlay, and pods without a tunnel to other nodes. */
function policyTraces(): readonly Trace[] {
  using rtnl = openRtnl()
  return ruleList(rtnl)
    .filter(({ protocol }) => protocol !== undefined && PROTOCOLS.includes(protocol))
    .map((rule) => ({
      what: `rule for table ${rule.table}`,
      remove: () => withRtnl((own) => removeRule(own, rule)),
    }))
}

/** It may have gone with its pod. */
function removeRule(rtnl: RtnlSocket, rule: Rule): void {
  unlessGone(() => ruleDel(rtnl, rule))
}

/** It may have gone with its link, which may go at this very moment. */
function removeRoute(rtnl: RtnlSocket, { family, destination, protocol, table }: Route): void {
  const isThere = ownRoutes(rtnl, family, protocol).some(
    (one) => one.destination === destination && one.table === table,
  )
  if (isThere) unlessGone(() => routeDel(rtnl, { destination, protocol, table }))
}

function unlessGone(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ESRCH')) throw error
  }
}

function linkTraces(): readonly Trace[] {
  using rtnl = openRtnl()
  const links = linkList(rtnl)
  return [...links.filter(isPodLink), ...links.filter(isDetour), ...links.filter(isStray)].map(
    ({ name, index, alias }) => ({
      what: `link ${name}${alias === undefined ? '' : ` (${alias})`}`,
      remove: () => withRtnl((own) => removeLink(own, index, name)),
    }),
  )
}

/** What shapes links that are not ours: the uplink. Of ours it goes with them. */
function queueTraces(): readonly Trace[] {
  using rtnl = openRtnl()
  const links = new Map(linkList(rtnl).map((link) => [link.index, link]))
  return qdiscList(rtnl).flatMap((qdisc) => {
    const link = links.get(qdisc.link)
    if (link === undefined || !isOurs(qdisc) || isPodLink(link) || isDetour(link)) return []
    const place = { link: qdisc.link, parent: TC_ROOT }
    return [{ what: `queueing discipline of ${link.name}`, remove: () => withRtnl((own) => void qdiscDel(own, place)) }]
  })
}

function isPodLink({ kind, group }: Link): boolean {
  return kind === 'veth' && POD_GROUPS.includes(group)
}

/** What pods' packets make a detour over to be shaped. */
function isDetour({ kind, alias }: Link): boolean {
  return kind === 'ifb' && alias === 'weft'
}

/** What the userspace datapath leaves when ovs-vswitchd is not there to remove it. */
function isStray({ kind, name }: Link): boolean {
  return kind === 'tun' && [BRIDGE, GATEWAY, DIRECT].includes(name)
}

/** An index is not somebody else's: names are compared too. */
async function removeLink(rtnl: RtnlSocket, index: number, name: string): Promise<void> {
  if (linkFind(rtnl, index)?.name === name) await linkDel(rtnl, index)
}

async function ruleTraces(): Promise<readonly Trace[]> {
  const tables = new Set(
    decodeRuleset(await listChains()).flatMap(({ family, table }) =>
      table === NFT_TABLE || (family === 'inet' && table.startsWith(`${LEG_NFT_TABLE}-`)) ? [`${family} ${table}`] : [],
    ),
  )
  const ours = [...tables].map((table) => ({
    what: `nftables table ${table}`,
    remove: () => applyRuleset(`table ${table}\ndelete table ${table}\n`),
  }))
  const isAccepted = acceptanceScript([], await filterChains()) !== undefined
  const acceptance = {
    what: 'rules that have pods accepted in filters of others',
    remove: async () => void (await withdrawAcceptance()),
  }
  return [...ours, ...(isAccepted ? [acceptance] : [])]
}

async function withRtnl(action: (rtnl: RtnlSocket) => void | Promise<void>): Promise<void> {
  using rtnl = openRtnl()
  await action(rtnl)
}
