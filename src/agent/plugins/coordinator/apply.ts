/**
 * Makes a pod and its node what a plan says, and tells what of it is not so. Applied again, it changes nothing.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import {
  addrAdd,
  hasErrno,
  linkAdd,
  linkDel,
  linkFind,
  linkGet,
  linkSet,
  type NftTable,
  neighList,
  neighReplace,
  nftRuleCounts,
  nftTableAdd,
  nftTableReplace,
  type RtnlSocket,
  type RuleSpec,
  routeDel,
  routeList,
  routeReplace,
  ruleAdd,
  ruleList,
  sysctlGet,
  sysctlSet,
} from '../../../linux/index.ts'
import { GUEST_GROUP } from '../../../network/guests.ts'
import { familyOf, type Ip } from '../../../network/model/address.ts'
import { POD_LINK, PROTOCOL } from './numbers.ts'
import type { CoordinationPlan, PlannedNeighbour, PlannedRoute, PlannedRule } from './planned.ts'

/** A network namespace to change. Without a descriptor it is the program's own. */
export interface Site {
  readonly rtnl: RtnlSocket
  readonly nsFd?: number
}

/** The pair between a pod and its node. */
export interface Pair {
  readonly host: string
  readonly macs: { readonly pod: string; readonly host: string }
  readonly mtu: number
  /** Of the node's end, for people. */
  readonly alias: string
  /** Of the pod's end. */
  readonly address?: Ip
  readonly hasIpv6: boolean
}

/** Makes the pair, or makes one that is there right. */
export async function makePair(host: Site, pod: Site & { readonly nsFd: number }, pair: Pair): Promise<void> {
  const { macs, mtu } = pair
  const [outside, inside] = [linkFind(host.rtnl, pair.host), linkFind(pod.rtnl, POD_LINK)]
  const isWhole = outside?.mac === macs.host && inside?.mac === macs.pod
  if (!isWhole) {
    if (outside !== undefined) await linkDel(host.rtnl, outside.index)
    bear(host.rtnl, pair, pod.nsFd)
  }
  if (isWhole)
    for (const [site, name] of [
      [host, pair.host],
      [pod, POD_LINK],
    ] as const)
      linkSet(site.rtnl, name, { mtu })
  guard(host, pair)
  linkSet(host.rtnl, pair.host, { up: true, alias: pair.alias })
  linkSet(pod.rtnl, POD_LINK, { up: true })
  if (pair.address !== undefined) addOnce(() => addrAdd(pod.rtnl, linkAddress(pod, pair.address ?? '')))
}

/** Makes a pod what is planned. What moves into a table is in it before it leaves another. */
export function applyPod(site: Site, ifname: string, { pod }: CoordinationPlan): void {
  const { rtnl, nsFd } = site
  for (const [key, value] of pod.sysctls) if (sysctlGet(key, nsFd) !== value) sysctlSet(key, value, nsFd)
  const { mac, txQueueLength } = pod
  if (mac !== undefined || txQueueLength !== undefined)
    linkSet(rtnl, ifname, {
      ...(mac === undefined ? {} : { mac }),
      ...(txQueueLength === undefined ? {} : { txQueueLength }),
    })
  for (const route of pod.routes) routeReplace(rtnl, specOf(rtnl, route))
  for (const rule of pod.rules) addOnce(() => ruleAdd(rtnl, ruleSpec(rule)))
  for (const neighbour of pod.neighbours) setNeighbour(rtnl, neighbour)
  if (pod.marks !== undefined) setMarks(pod.marks, nsFd)
  for (const { destination, gateway, link, priority, table } of pod.removed)
    routeDel(rtnl, {
      destination,
      table,
      priority,
      link: linkGet(rtnl, link).index,
      ...(gateway === undefined ? {} : { gateway }),
    })
}

/** Makes the node what is planned for a pod. */
export function applyHost({ rtnl }: Site, { host }: CoordinationPlan): void {
  for (const neighbour of host.neighbours) setNeighbour(rtnl, neighbour)
  for (const route of host.routes) routeReplace(rtnl, specOf(rtnl, route))
  for (const rule of host.rules) addOnce(() => ruleAdd(rtnl, ruleSpec(rule)))
}

/** What of a plan is not so, for people; undefined when all is. */
export function problemOf(host: Site, pod: Site, ifname: string, plan: CoordinationPlan): string | undefined {
  const { mac, marks, sysctls } = plan.pod
  const inside = linkFind(pod.rtnl, ifname)
  if (mac !== undefined && inside?.mac !== mac) return `interface ${ifname} has not the MAC address ${mac}`
  if (plan.makesPair && linkFind(pod.rtnl, POD_LINK)?.up !== true) return `interface ${POD_LINK} is gone or down`
  const wrong = sysctls.find(([key, value]) => sysctlGet(key, pod.nsFd) !== value)
  if (wrong !== undefined) return `${wrong[0].join('.')} is not ${wrong[1]}`
  if (marks !== undefined) {
    if (!isWhole(marks, pod.nsFd)) return `table ${marks.name} is not whole`
  }
  return missing(pod.rtnl, plan.pod, 'the container') ?? missing(host.rtnl, plan.host, 'the node')
}

/** Replacing costs a grace period of the kernel: only what is there and not whole is replaced. */
function setMarks(marks: NftTable, nsFd: number | undefined): void {
  try {
    nftTableAdd(marks, nsFd)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    if (!isWhole(marks, nsFd)) nftTableReplace(marks, nsFd)
  }
}

function isWhole({ name, chains }: NftTable, nsFd: number | undefined): boolean {
  const counts = nftRuleCounts(name, nsFd)
  return chains.every((chain) => counts.get(chain.name) === chain.rules.length)
}

function missing(
  rtnl: RtnlSocket,
  { routes, rules, neighbours }: CoordinationPlan['host'],
  where: string,
): string | undefined {
  const names = new Map<string, number | undefined>()
  const indexOf = (link: string): number | undefined => {
    if (!names.has(link)) names.set(link, linkFind(rtnl, link)?.index)
    return names.get(link)
  }
  const tables = new Set(routes.map(({ table }) => table))
  const present = [...tables].flatMap((table) => routeList(rtnl, { table }))
  const lost = routes.find(
    (route) =>
      !present.some(({ destination, link, gateway, table, hops }) => {
        const isThere = (one: { readonly link?: number; readonly gateway?: string }): boolean =>
          one.link === indexOf(route.link) && one.gateway === route.gateway
        return (
          table === route.table &&
          destination === route.destination &&
          (hops ?? [present1(link, gateway)]).some(isThere)
        )
      }),
  )
  if (lost !== undefined) return `the route of ${where} to ${lost.destination} in table ${lost.table} is gone`
  const known = ruleList(rtnl)
  const unasked = rules.find(
    (rule) =>
      !known.some(
        ({ family, priority, table, from, mark }) =>
          family === rule.family &&
          priority === rule.priority &&
          table === rule.table &&
          from === rule.from &&
          mark === rule.mark,
      ),
  )
  if (unasked !== undefined) return `the rule of ${where} for table ${unasked.table} is gone`
  const stranger = neighbours.find(({ link: name, address, mac }) => {
    const link = indexOf(name)
    return link === undefined || !neighList(rtnl, { link }).some((one) => one.address === address && one.mac === mac)
  })
  return stranger === undefined ? undefined : `the neighbour ${stranger.address} of ${where} is gone`
}

function present1(
  link: number | undefined,
  gateway: string | undefined,
): { readonly link?: number; readonly gateway?: string } {
  return { ...(link === undefined ? {} : { link }), ...(gateway === undefined ? {} : { gateway }) }
}

function bear(rtnl: RtnlSocket, { host, macs, mtu }: Pair, nsFd: number): void {
  const peer = { name: POD_LINK, mac: macs.pod, mtu, nsFd }
  try {
    linkAdd(rtnl, { kind: 'veth', name: host, mac: macs.host, mtu, group: GUEST_GROUP, peer })
  } catch (error) {
    throw hasErrno(error, 'EEXIST') ? cniError('interface-exists', { ifname: POD_LINK }) : error
  }
}

/** A pod is no router of its node's, and has no other addresses than those that lead to it. */
function guard({ nsFd }: Site, { host, hasIpv6 }: Pair): void {
  const set = (family: 'ipv4' | 'ipv6', key: string, value: string): void =>
    sysctlSet(['net', family, 'conf', host, key], value, nsFd)
  set('ipv4', 'rp_filter', '1')
  set('ipv4', 'accept_redirects', '0')
  set('ipv4', 'forwarding', '1')
  if (!hasIpv6) return
  set('ipv6', 'disable_ipv6', '0')
  set('ipv6', 'accept_ra', '0')
  set('ipv6', 'accept_redirects', '0')
}

function linkAddress({ rtnl }: Site, address: string): { readonly link: number; readonly address: string } {
  return { link: linkGet(rtnl, POD_LINK).index, address: `${address}/32` }
}

function setNeighbour(rtnl: RtnlSocket, { link, address, mac }: PlannedNeighbour): void {
  neighReplace(rtnl, { link: linkGet(rtnl, link).index, address, mac })
}

function specOf(rtnl: RtnlSocket, { link, ...route }: PlannedRoute) {
  return { ...route, link: linkGet(rtnl, link).index, protocol: PROTOCOL }
}

function ruleSpec(rule: PlannedRule): RuleSpec {
  return { ...rule, protocol: PROTOCOL }
}

/** What is there already is what is wanted. */
function addOnce(add: () => void): void {
  try {
    add()
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
}

/** Whether a pair is to carry IPv6. */
export function hasIpv6(addresses: readonly Ip[]): boolean {
  return addresses.some((address) => familyOf(address) === 6)
}
