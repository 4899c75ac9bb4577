/**
 * Takes back what a coordination made, wherever it was interrupted.
 * @module
 */
import {
  linkFind,
  nftTableDel,
  type RtnlSocket,
  type Rule,
  routeDel,
  routeList,
  routeReplace,
  ruleDel,
  ruleList,
} from '../../../linux/index.ts'
import { familyOf, hostCidr, type Ip } from '../../../network/model/address.ts'
import type { Site } from '../pair.ts'
import { quietly } from '../ways.ts'
import type { PodFacts } from './facts.ts'
import { POD_LINK, POD_NFT_TABLE, PROTOCOL, RULE_PRIORITY, TABLE_MAIN, tableOf } from './numbers.ts'
import { observePod } from './observe.ts'
import { addressesOf, DEFAULT_ROUTE } from './planned.ts'

/** The node's routes to addresses of a pod by its pair, and the rule where nothing is left in its table. */
export function removeHostRoutes({ rtnl }: Site, host: string, table: number, addresses: readonly Ip[]): void {
  const link = linkFind(rtnl, host)?.index
  const own = new Set<string>(addresses.map(hostCidr))
  for (const route of ours(rtnl, table)) {
    if (route.link === link && own.has(route.destination)) quietly(() => routeDel(rtnl, { ...route }))
  }
  for (const family of [4, 6] as const) {
    if (ours(rtnl, table).some((route) => route.family === family)) continue
    removeRules(rtnl, (rule) => rule.family === family && rule.table === table && rule.priority === RULE_PRIORITY)
  }
}

/** What a coordination of this interface made in a pod that goes on. Of the first interface: everything. */
export function undoInPod({ rtnl, nsFd }: Site, ifname: string, ordinal: number): void {
  const pod = observePod(rtnl)
  const own = new Set<string>(addressesOf(pod, ifname).map(hostCidr))
  if (ordinal === 0) nftTableDel(POD_NFT_TABLE, nsFd)
  removeRules(rtnl, ({ from }) => ordinal === 0 || own.has(from ?? ''))
  if (ordinal > 0) giveBack(rtnl, pod, ifname, tableOf(ordinal))
  const index = linkFind(rtnl, ifname)?.index
  for (const route of routeList(rtnl))
    if (route.protocol === PROTOCOL && (ordinal === 0 || route.link === index)) quietly(() => routeDel(rtnl, route))
}

/** The default route of another interface, which made room for this one's, goes back. */
function giveBack(rtnl: RtnlSocket, pod: PodFacts, ifname: string, table: number): void {
  for (const { table: at, protocol, destination, gateway, link, onlink } of pod.routes) {
    const isMoved = at === table && protocol === PROTOCOL && link !== ifname && link !== POD_LINK
    const index = linkFind(rtnl, link)?.index
    if (!isMoved || gateway === undefined || index === undefined) continue
    if (destination !== DEFAULT_ROUTE[familyOf(destination)]) continue
    const spec = { destination, gateway, link: index, onlink }
    quietly(() => routeReplace(rtnl, { ...spec, table: TABLE_MAIN }))
    quietly(() => routeDel(rtnl, { ...spec, table }))
    removeRules(rtnl, (rule) => rule.table === table && rule.from !== undefined)
  }
}

function removeRules(rtnl: RtnlSocket, which: (rule: Rule) => boolean): void {
  for (const rule of ruleList(rtnl)) if (rule.protocol === PROTOCOL && which(rule)) quietly(() => ruleDel(rtnl, rule))
}

function ours(rtnl: RtnlSocket, table: number) {
  return ([4, 6] as const)
    .flatMap((family) => routeList(rtnl, { family, table }))
    .filter(({ protocol }) => protocol === PROTOCOL)
}
