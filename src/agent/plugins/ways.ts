/**
 * Makes a namespace's routes, rules, neighbours and tables of nftables what a plan says, and tells what of it is not so. Applied
 * again, it changes nothing.
 * @module
 */
import {
  hasErrno,
  linkFind,
  linkGet,
  type NftTable,
  neighList,
  neighReplace,
  nftRuleCounts,
  nftTableAdd,
  nftTableReplace,
  type Route,
  type RtnlSocket,
  type Rule,
  type RuleSpec,
  routeList,
  routeReplace,
  ruleAdd,
  ruleList,
  sysctlGet,
  sysctlSet,
} from '../../linux/index.ts'
import type { SysctlWish, WayNeighbour, WayRoute, WayRule, Ways } from '../../network/model/ways.ts'

/** Neighbours before the routes that need them, routes before the rules that lead to them. */
export function setWays(rtnl: RtnlSocket, { routes, rules, neighbours }: Ways, protocol: number): void {
  for (const { link, address, mac } of neighbours) neighReplace(rtnl, { link: linkGet(rtnl, link).index, address, mac })
  for (const { link, ...route } of routes) routeReplace(rtnl, { ...route, link: linkGet(rtnl, link).index, protocol })
  for (const rule of rules) once(() => ruleAdd(rtnl, { ...specOf(rule), protocol }))
}

/** What is on already is not written: /proc/sys may be read-only. */
export function setSysctls(wishes: readonly SysctlWish[], nsFd?: number): void {
  for (const [key, value] of wishes) if (sysctlGet(key, nsFd) !== value) sysctlSet(key, value, nsFd)
}

/** Replacing costs a grace period of the kernel: only what is there and not whole is replaced. */
export function setNftTable(table: NftTable, nsFd?: number): void {
  try {
    nftTableAdd(table, nsFd)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    if (!isWholeTable(table, nsFd)) nftTableReplace(table, nsFd)
  }
}

/** Whether every chain has as many rules as it is to have. */
export function isWholeTable({ name, chains }: NftTable, nsFd?: number): boolean {
  const counts = nftRuleCounts(name, nsFd)
  return chains.every((chain) => counts.get(chain.name) === chain.rules.length)
}

/** The first that is not so, for people; undefined when all is. `where` says whose they are. */
export function missingWay(rtnl: RtnlSocket, { routes, rules, neighbours }: Ways, where: string): string | undefined {
  const indexOf = memory((link: string) => linkFind(rtnl, link)?.index)
  const present = [...new Set(routes.map(({ table }) => table))].flatMap((table) => routeList(rtnl, { table }))
  const lost = routes.find((route) => !present.some((one) => isRoute(one, route, indexOf(route.link))))
  if (lost !== undefined) return `the route of ${where} to ${lost.destination} in table ${lost.table} is gone`
  const known = rules.length === 0 ? [] : ruleList(rtnl)
  const unasked = rules.find((rule) => !known.some((one) => isRule(one, rule)))
  if (unasked !== undefined) return `the rule of ${where} ${aboutRule(unasked)} is gone`
  const stranger = neighbours.find((one) => !isNeighbour(rtnl, one, indexOf(one.link)))
  return stranger === undefined ? undefined : `the neighbour ${stranger.address} of ${where} is gone`
}

/** The first sysctl that is not as wished, for people. */
export function wrongSysctl(wishes: readonly SysctlWish[], nsFd?: number): string | undefined {
  const wrong = wishes.find(([key, value]) => sysctlGet(key, nsFd) !== value)
  return wrong === undefined ? undefined : `${wrong[0].join('.')} is not ${wrong[1]}`
}

/** What is there already, or gone already, is as it should be. */
export function quietly(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!hasErrno(error, 'ESRCH', 'ENOENT', 'ENODEV', 'EEXIST', 'ENETUNREACH')) throw error
  }
}

/** What is there already is what is wanted. */
export function once(add: () => void): void {
  try {
    add()
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
}

function specOf(rule: WayRule): RuleSpec {
  return rule.table === undefined ? { ...rule, action: 'blackhole' } : rule
}

function isRoute({ table, destination, link, gateway, hops }: Route, wanted: WayRoute, index?: number): boolean {
  if (table !== wanted.table || destination !== wanted.destination) return false
  const ways = hops ?? [{ ...(link === undefined ? {} : { link }), ...(gateway === undefined ? {} : { gateway }) }]
  return ways.some((way) => way.link === index && way.gateway === wanted.gateway)
}

function isRule(one: Rule, { table, ...wanted }: WayRule): boolean {
  const acts = table === undefined ? one.action === 'blackhole' : one.action === 'table' && one.table === table
  const keys = ['family', 'priority', 'from', 'to', 'mark', 'inputLink', 'suppressPrefixLength'] as const
  return acts && keys.every((key) => one[key] === wanted[key])
}

function aboutRule({ table, priority }: WayRule): string {
  return table === undefined ? `of priority ${priority}` : `for table ${table}`
}

function isNeighbour(rtnl: RtnlSocket, { address, mac }: WayNeighbour, link: number | undefined): boolean {
  return link !== undefined && neighList(rtnl, { link }).some((one) => one.address === address && one.mac === mac)
}

function memory<Key, Value>(ask: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found as Value
    const value = ask(key)
    known.set(key, value)
    return value
  }
}
