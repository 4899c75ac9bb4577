/**
 * Addresses and routes of an interface in a pod, as an IPAM plugin answered them. The rules are those of the reference
 * plugins' `ConfigureIface`.
 * @module
 */
import { type CniResult, cniError, type ResultRoute } from '../../cni/index.ts'
import {
  addrAdd,
  addrList,
  hasErrno,
  type Link,
  linkFind,
  linkSet,
  openMonitor,
  openRtnl,
  type RouteSpec,
  type RtnlSocket,
  routeAddBehind,
  routeList,
  type Scope,
  sysctlGet,
  sysctlSet,
} from '../../linux/index.ts'
import { type Family, networkAround, parseIp } from '../../network/model/address.ts'

/** An interface of a pod. */
export interface PodInterface {
  readonly nsFd: number
  readonly ifname: string
}

/** What it is to have; `ips` are those of this interface alone. */
export type Configuration = Pick<CniResult, 'ips' | 'routes'>

/** Longest that the kernel's search for duplicates of IPv6 addresses is waited for. */
const DAD_MS = 5_000
/** IF_OPER_UP of RFC 2863 as the kernel counts. */
const OPER_UP = 6

/**
 * Gives an interface its addresses, sets it up, waits until no IPv6 address is tentative any more, and sets its routes; a
 * route without a gateway takes the first gateway of its family. Throws `address-duplicate` where somebody else on the
 * wire has an address already, and `link-failed`.
 */
export async function configureInterface(
  { nsFd, ifname }: PodInterface,
  { ips, routes }: Configuration,
  signal: AbortSignal,
): Promise<void> {
  using rtnl = openRtnl({ nsFd })
  linkSet(rtnl, 'lo', { up: true })
  const { index } = requireLink(rtnl, ifname)
  const hasIpv6 = ips.some(({ address }) => familyIn(address) === 6)
  if (hasIpv6) enableIpv6(ifname, nsFd)
  for (const { address } of ips) addAddress(rtnl, { link: index, address }, ifname)
  linkSet(rtnl, index, { up: true })
  if (hasIpv6) await settled({ nsFd, ifname }, rtnl, index, signal)
  for (const route of routes) addRoute(rtnl, specOf(route, index, ips))
}

/** What of addresses and routes an interface lacks, for people; undefined when it has them all. */
export function configurationProblem(
  { nsFd, ifname }: PodInterface,
  { ips, routes }: Configuration,
): string | undefined {
  using rtnl = openRtnl({ nsFd })
  const link = linkFind(rtnl, ifname)
  if (link === undefined) return `interface ${ifname} is gone from the container`
  const present = new Set(addrList(rtnl, { link: link.index }).map(({ address }) => address))
  const missing = ips.find(({ address }) => !present.has(canonical(address)))
  if (missing !== undefined) return `interface ${ifname} has lost address ${missing.address}`
  const ways = routeList(rtnl, { link: link.index })
  const unrouted = routes.find((route) => {
    const { destination, gateway } = specOf(route, link.index, ips)
    return !ways.some(
      (one) => one.destination === networkOf(destination) && (gateway === undefined || one.gateway === gateway),
    )
  })
  return unrouted === undefined ? undefined : `the route to ${unrouted.dst} by way of ${ifname} is gone`
}

function addAddress(rtnl: RtnlSocket, spec: { readonly link: number; readonly address: string }, ifname: string): void {
  try {
    addrAdd(rtnl, spec)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    throw cniError('link-failed', { ifname, reason: `it has address ${spec.address} already` })
  }
}

/** The very same route is no mistake: two addresses of one subnet may bring one each. */
function addRoute(rtnl: RtnlSocket, spec: RouteSpec): void {
  try {
    routeAddBehind(rtnl, { ...spec, ...behindOthers(rtnl, spec) })
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
}

/**
 * IPv4 puts a route behind that of another interface. IPv6 would make one route of both, and spread packets over two
 * networks that know nothing of each other's addresses: there it gets a greater metric.
 */
function behindOthers(
  rtnl: RtnlSocket,
  { destination, link, table, priority }: RouteSpec,
): Pick<RouteSpec, 'priority'> {
  if (familyIn(destination) === 4 || priority !== undefined) return {}
  const others = routeList(rtnl, { family: 6, table: table ?? MAIN }).filter(
    (one) => one.destination === networkOf(destination) && (one.hops ?? [one]).some((way) => way.link !== link),
  )
  return others.length === 0 ? {} : { priority: Math.max(...others.map((one) => one.priority)) + 1 }
}

const MAIN = 254

function specOf(route: ResultRoute, link: number, ips: Configuration['ips']): RouteSpec {
  const { dst, gw, mtu, advmss, priority, table, scope } = route
  const family = familyIn(dst)
  const gateway = gw ?? ips.find((one) => one.gateway !== undefined && familyIn(one.gateway) === family)?.gateway
  return {
    destination: dst,
    link,
    ...(gateway === undefined ? {} : { gateway: parseIp(gateway) ?? gateway }),
    ...(mtu ? { mtu } : {}),
    ...(advmss ? { advmss } : {}),
    ...(priority ? { priority } : {}),
    ...(table ? { table } : {}),
    ...(scope ? { scope: scopeNamed(scope) } : {}),
  }
}

function scopeNamed(scope: number): Scope {
  return scope === 254 ? 'host' : scope === 253 ? 'link' : 'global'
}

/** As the reference plugins: what is on already is not written, as /proc/sys may be read-only. */
function enableIpv6(ifname: string, nsFd: number): void {
  for (const name of ['lo', ifname]) {
    const key = ['net', 'ipv6', 'conf', name, 'disable_ipv6']
    if (sysctlGet(key, nsFd) !== '0') sysctlSet(key, '0', nsFd)
  }
  sysctlSet(['net', 'ipv6', 'conf', ifname, 'keep_addr_on_down'], '1', nsFd)
}

/** Resolves when no address of the link is tentative, or the time is up while the link has no carrier to ask on. */
async function settled(
  { nsFd, ifname }: PodInterface,
  rtnl: RtnlSocket,
  link: number,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    try {
      const found = addrList(rtnl, { link, family: 6 }).filter(({ scope }) => scope !== 'link')
      const duplicate = found.find(({ dadFailed }) => dadFailed)
      if (duplicate !== undefined) reject(cniError('address-duplicate', { address: duplicate.address, ifname }))
      else if (!found.some(({ tentative }) => tentative)) resolve()
    } catch (error) {
      reject(error)
    }
  }
  const late = (): void => {
    const tentative = addrList(rtnl, { link, family: 6 }).find((one) => one.tentative && one.scope !== 'link')
    if (tentative === undefined || linkFind(rtnl, link)?.operState !== OPER_UP) resolve()
    else reject(cniError('link-failed', { ifname, reason: `${tentative.address} is tentative after ${DAD_MS} ms` }))
  }
  const monitor = openMonitor({ topics: ['address'], nsFd, onEvent: look, onResync: look })
  const timer = setTimeout(late, DAD_MS)
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    look()
    await promise
  } finally {
    signal.removeEventListener('abort', stop)
    clearTimeout(timer)
    monitor.close()
  }
}

function requireLink(rtnl: RtnlSocket, ifname: string): Link {
  const link = linkFind(rtnl, ifname)
  if (link === undefined) throw cniError('link-failed', { ifname, reason: 'it vanished while it was being set up' })
  return link
}

function familyIn(text: string): Family {
  return text.includes(':') ? 6 : 4
}

/** An address with its prefix length as the kernel writes it. */
function canonical(text: string): string {
  const [address = '', length = ''] = text.split('/')
  return `${parseIp(address) ?? address}/${length}`
}

/** A destination as the kernel writes it: without bits behind its prefix. */
function networkOf(text: string): string {
  const [address = '', length = ''] = text.split('/')
  const parsed = parseIp(address)
  return parsed === undefined ? text : networkAround(parsed, Number(length))
}
