/**
 * Brings the kernel's routes, neighbours and forwarding entries to a plan, and touches nothing of others: routes are ours by
 * their protocol number within the mesh's networks, the rest by the device that it is on.
 * @module
 */
import type { MeshNeighbour, MeshPlan, MeshRoute, Way } from '../../compat/flannel/mesh.ts'
import {
  fdbDel,
  fdbList,
  fdbReplace,
  linkList,
  neighDel,
  neighList,
  neighReplace,
  type Route,
  type RtnlSocket,
  routeDel,
  routeList,
  routeReplace,
} from '../../linux/index.ts'
import { DIRECT } from '../../network/fabric/direct.ts'
import { GATEWAY, ROUTE_PROTOCOL } from '../../network/host.ts'
import {
  type Cidr,
  contains,
  familyOf,
  firstIp,
  hostCidr,
  type Ip,
  parseCidr,
  prefixLength,
} from '../../network/model/address.ts'

/** Indexes of links. */
export type Links = { readonly [W in Way]?: number }

/** What to apply. */
export interface Wanted {
  readonly plan: Pick<MeshPlan, 'routes' | 'neighbours'>
  readonly links: Links
  /** Within which routes of ours may be. */
  readonly networks: readonly Cidr[]
  /** What is for nobody here goes nowhere. */
  readonly blackholes: readonly Cidr[]
}

/** Behind every other route to the same: the bridge's own comes first. */
const BLACKHOLE_PRIORITY = 0xffff
/** The kernel's own, of IPv4 and of IPv6: by others programs of ours know theirs. */
const PRIORITIES: ReadonlySet<number> = new Set([0, 1024, BLACKHOLE_PRIORITY])
const MAIN = 254
/** By these an agent on this machine leads to its pods, whose network may be the one that flannel had. */
const AGENT_LINKS: ReadonlySet<string> = new Set([GATEWAY, DIRECT])

/** Applies it; what the kernel refuses is told, a sentence each, and the rest is done all the same. */
export function applyToKernel(rtnl: RtnlSocket, wanted: Wanted): readonly string[] {
  const problems: string[] = []
  const attempt = (what: string, action: () => void): void => {
    try {
      action()
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const routes = ownRoutes(rtnl, wanted.networks)
  // What nobody is to be led by any more goes first, then what it led to.
  removeRoutes(rtnl, wanted, routes, attempt)
  for (const by of ['tunnel4', 'tunnel6'] as const) {
    const link = wanted.links[by]
    const mine = wanted.plan.neighbours.filter((one) => one.by === by)
    if (link !== undefined) applyNeighbours(rtnl, link, mine, attempt)
  }
  const present = Map.groupBy(routes, ({ destination }) => destination)
  for (const route of wanted.plan.routes) {
    const link = wanted.links[route.by]
    if (link === undefined || present.get(route.to)?.some((one) => isAs(one, route, link))) continue
    attempt(`the route to ${route.to}`, () => routeReplace(rtnl, specOf(route, link)))
  }
  for (const destination of wanted.blackholes) {
    if (present.get(destination)?.some(({ type }) => type === 'blackhole')) continue
    const spec = { destination, type: 'blackhole', priority: BLACKHOLE_PRIORITY, protocol: ROUTE_PROTOCOL } as const
    attempt(`the blackhole of ${destination}`, () => routeReplace(rtnl, spec))
  }
  return problems
}

type Attempt = (what: string, action: () => void) => void

function ownRoutes(rtnl: RtnlSocket, networks: readonly Cidr[]): readonly Route[] {
  const agents = new Set(linkList(rtnl).flatMap(({ name, index }) => (AGENT_LINKS.has(name) ? [index] : [])))
  return routeList(rtnl, { protocol: ROUTE_PROTOCOL, table: MAIN }).filter(({ destination, priority, link }) => {
    if (link !== undefined && agents.has(link)) return false
    const to = parseCidr(destination)
    return PRIORITIES.has(priority) && to !== undefined && networks.some((network) => isInside(to, network))
  })
}

function isInside(inner: Cidr, outer: Cidr): boolean {
  if (familyOf(inner) !== familyOf(outer) || prefixLength(inner) < prefixLength(outer)) return false
  return contains(outer, firstIp(inner))
}

function removeRoutes(
  rtnl: RtnlSocket,
  { plan, blackholes }: Wanted,
  present: readonly Route[],
  attempt: Attempt,
): void {
  const wanted = new Set<string>(plan.routes.map(({ to }) => to))
  const reserved = new Set<string>(blackholes)
  for (const { destination, type, priority, gateway, link } of present) {
    if ((type === 'blackhole' ? reserved : wanted).has(destination)) continue
    const by = type === 'blackhole' ? {} : { ...(gateway && { gateway }), ...(link && { link }) }
    const spec = { destination, type, priority, protocol: ROUTE_PROTOCOL, ...by }
    attempt(`the old route to ${destination}`, () => routeDel(rtnl, spec))
  }
}

function isAs(present: Route, { to, via, onlink }: MeshRoute, link: number): boolean {
  return (
    present.destination === to &&
    present.type === 'unicast' &&
    present.gateway === via &&
    present.link === link &&
    present.onlink === (onlink ?? false)
  )
}

function specOf({ to, via, onlink }: MeshRoute, link: number) {
  return {
    destination: to,
    link,
    protocol: ROUTE_PROTOCOL,
    ...(via === undefined ? {} : { gateway: via }),
    ...(onlink === undefined ? {} : { onlink }),
  }
}

function applyNeighbours(rtnl: RtnlSocket, link: number, wanted: readonly MeshNeighbour[], attempt: Attempt): void {
  const permanent = neighList(rtnl, { link }).filter(({ state, proxy }) => state === 'permanent' && !proxy)
  const entries = Map.groupBy(fdbList(rtnl, link), ({ mac }) => mac)
  const addresses = new Set<string>(wanted.map(({ address }) => address))
  const machines = new Map<string, Ip>(wanted.map(({ mac, machine }) => [mac, machine]))
  const macs = new Map<string, string | undefined>(permanent.map(({ address, mac }) => [address, mac]))
  for (const { address, mac } of permanent) {
    if (addresses.has(address)) continue
    attempt(`the old neighbour ${address}`, () => neighDel(rtnl, { link, address, ...(mac && { mac }) }))
  }
  for (const [mac, some] of entries) {
    const machine = machines.get(mac)
    // One that leads elsewhere from now on is replaced below, in one step.
    const surplus = machine !== undefined && some.length === 1 ? [] : some.filter(({ to }) => to !== machine)
    for (const entry of surplus) attempt(`the old entry of ${mac}`, () => fdbDel(rtnl, entry))
  }
  for (const { address, mac, machine } of wanted) {
    if (macs.get(address) !== mac) {
      attempt(`the neighbour ${address}`, () => neighReplace(rtnl, { link, address, mac }))
    }
    if (!entries.get(mac)?.some(({ to }) => to === machine)) {
      attempt(`the way to ${machine}`, () => fdbReplace(rtnl, { link, mac, to: machine }))
    }
  }
}

/** A subnet's first address alone. */
export function baseAddress(subnet: Cidr): Cidr {
  return hostCidr(firstIp(subnet))
}
