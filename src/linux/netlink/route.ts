/**
 * Routes (RTM_*ROUTE), named as in ip-route(8). Our own routes carry a protocol number, by which a later agent knows them.
 * @module
 */
import { hasErrno } from '../errno.ts'
import { type Family, familyOf, maskPrefix, parseIp, parsePrefix } from '../ip.ts'
import { AF_INET, AF_INET6 } from '../sockaddr.ts'
import {
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
} from './constants.ts'
import type { NetlinkMessage } from './reader.ts'
import { NextHopFlag, type RouteType, RTAX_ADVMSS, RTAX_MTU, Rta, routeTypeNumber } from './route-constants.ts'
import { decodeRoute, type Route } from './route-decode.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import { type Scope, scopeNumber } from './scope.ts'
import type { MessageWriter } from './writer.ts'

/** A way out: a gateway, a link, or both; `onlink` takes the gateway as reachable on the link without a route to it. */
export interface NextHop {
  readonly gateway?: string
  readonly link?: number
  readonly onlink?: boolean
  /** Share of the traffic among several, 1 to 256. */
  readonly weight?: number
}

/** A route to set. `destination` is `ip/length`, with `0.0.0.0/0` and `::/0` as the defaults. */
export interface RouteSpec extends NextHop {
  readonly destination: string
  /** Default: unicast. */
  readonly type?: RouteType
  /** Default: 254, main. */
  readonly table?: number
  /** Who made it: 0 to 255; the kernel's own are 2, the administrator's (`boot`) 3, `static` 4. Default: 4. */
  readonly protocol?: number
  /** Lower wins; the kernel's defaults are 0 (IPv4) and 1024 (IPv6). */
  readonly priority?: number
  /** Preferred source address. */
  readonly source?: string
  readonly scope?: Scope
  /** Path MTU in bytes. */
  readonly mtu?: number
  /** Largest TCP segment to tell others of, in bytes. */
  readonly advmss?: number
  /** Several ways at once, instead of `gateway` and `link`. */
  readonly hops?: readonly NextHop[]
}

/** What the kernel filters a list by. */
export interface RouteFilter {
  readonly family?: Family
  readonly table?: number
  readonly protocol?: number
  readonly link?: number
}

/** Throws LINUX_EEXIST when a route of that destination, table and priority is there. */
export function routeAdd(rtnl: RtnlSocket, spec: RouteSpec): void {
  change(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, spec)
}

/** Adds, or takes the place of the one with the same destination, table and priority. */
export function routeReplace(rtnl: RtnlSocket, spec: RouteSpec): void {
  change(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, spec)
}

/**
 * Adds a route behind those of its destination, table and priority, in IPv6 as a further way of theirs. Throws LINUX_EEXIST
 * when the very same is there.
 */
export function routeAddBehind(rtnl: RtnlSocket, spec: RouteSpec): void {
  change(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, spec)
}

/** Removes the first route that has everything `spec` names. Throws LINUX_ESRCH when there is none. */
export function routeDel(rtnl: RtnlSocket, spec: RouteSpec): void {
  change(rtnl, RTM_DELROUTE, 0, spec)
}

/** Routes of the tables, without the kernel's cached exceptions; none of a table that does not exist. */
export function routeList(rtnl: RtnlSocket, filter: RouteFilter = {}): readonly Route[] {
  const messages = dumpOf(rtnl, filter)
  return messages.filter((each) => each.type === RTM_NEWROUTE).map((each) => decodeRoute(each.body))
}

function dumpOf(rtnl: RtnlSocket, filter: RouteFilter): readonly NetlinkMessage[] {
  try {
    return rtnl.dump({ type: RTM_GETROUTE, fill: (w) => writeFilter(w, filter) })
  } catch (error) {
    if (filter.table !== undefined && hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

function writeFilter(w: MessageWriter, filter: RouteFilter): void {
  header(w, filter.family === undefined ? 0 : familyNumber(filter.family), 0, 0, filter.protocol ?? 0, 0, 0)
  w.u32(Rta.TABLE, filter.table).u32(Rta.OIF, filter.link)
}

/**
 * The way that a packet to this address would take now. Throws LINUX_ENETUNREACH and its like where there is none; a
 * route that forbids is an answer of its type.
 */
export function routeGet(rtnl: RtnlSocket, address: string): Route {
  const bytes = parseIp(address)
  const family = familyOf(bytes)
  const [answer] = rtnl.request({
    type: RTM_GETROUTE,
    about: `the way to ${address}`,
    fill: (writer) => {
      header(writer, familyNumber(family), bytes.length * 8, 0, 0, 0, 0)
      writer.raw(Rta.DST, bytes)
    },
  })
  if (answer?.type !== RTM_NEWROUTE) throw new TypeError(`the kernel told no way to ${address}`)
  return decodeRoute(answer.body)
}

function change(rtnl: RtnlSocket, type: number, flags: number, spec: RouteSpec): void {
  const about = `${spec.destination}${spec.gateway === undefined ? '' : ` via ${spec.gateway}`}`
  rtnl.request({ type, flags, about, fill: (writer) => write(writer, spec, type === RTM_DELROUTE) })
}

function write(writer: MessageWriter, spec: RouteSpec, deleting: boolean): void {
  const destination = parsePrefix(spec.destination)
  const family = familyOf(destination.bytes)
  const { hops } = spec
  const type = routeTypeNumber(deleting && spec.type === undefined ? 'unspecified' : (spec.type ?? 'unicast'))
  const protocol = spec.protocol ?? (deleting ? 0 : PROTOCOL_STATIC)
  const flags = spec.onlink === true ? NextHopFlag.ONLINK : 0
  header(writer, familyNumber(family), destination.length, type, protocol, scopeFor(spec, deleting), flags)
  if (destination.length > 0) writer.raw(Rta.DST, maskPrefix(destination))
  gateway(writer, family, spec.gateway)
  writer
    .u32(Rta.TABLE, spec.table ?? TABLE_MAIN)
    .u32(Rta.OIF, spec.link)
    .u32(Rta.PRIORITY, spec.priority)
    .raw(Rta.PREFSRC, spec.source === undefined ? undefined : parseIp(spec.source))
  if (spec.mtu !== undefined || spec.advmss !== undefined)
    writer.nest(Rta.METRICS, (metrics) => metrics.u32(RTAX_MTU, spec.mtu).u32(RTAX_ADVMSS, spec.advmss))
  if (hops === undefined) return
  writer.nest(Rta.MULTIPATH, (list) => {
    for (const hop of hops) writeHop(list, family, hop)
  })
}

/** struct rtnexthop, whose attributes follow it and whose length covers them: the writer's nesting has this layout. */
function writeHop(writer: MessageWriter, family: Family, hop: NextHop): void {
  const onlink = hop.onlink === true ? NextHopFlag.ONLINK : 0
  // The second half of the word is what an attribute has as its type: flags (8 bits) and weight less one (8 bits).
  writer.nest(onlink | (((hop.weight ?? 1) - 1) << 8), (inner) => {
    inner.word(hop.link ?? 0)
    gateway(inner, family, hop.gateway)
  })
}

function gateway(writer: MessageWriter, family: Family, address: string | undefined): void {
  if (address === undefined) return
  const bytes = parseIp(address)
  if (familyOf(bytes) === family) writer.raw(Rta.GATEWAY, bytes)
  // An IPv4 route by an IPv6 gateway: RTA_VIA holds the family first.
  else writer.raw(Rta.VIA, Uint8Array.from([familyNumber(familyOf(bytes)), 0, ...bytes]))
}

/** ip-route(8): without a gateway the neighbours are the destination, so an IPv4 route reaches no further than the link. */
function scopeFor(spec: RouteSpec, deleting: boolean): number {
  if (spec.scope !== undefined) return scopeNumber(spec.scope)
  if (deleting) return scopeNumber('nowhere')
  const direct = spec.gateway === undefined && spec.hops === undefined && (spec.type ?? 'unicast') === 'unicast'
  if (spec.type === 'local') return scopeNumber('host')
  return scopeNumber(direct && !spec.destination.includes(':') ? 'link' : 'global')
}

/** struct rtmsg: family, lengths, tos, table (by attribute), protocol, scope, type, flags. */
function header(
  w: MessageWriter,
  family: number,
  length: number,
  type: number,
  protocol: number,
  scope: number,
  flags: number,
) {
  w.byte(family).byte(length).byte(0).byte(0).byte(0).byte(protocol).byte(scope).byte(type).word(flags)
}

const TABLE_MAIN = 254
const PROTOCOL_STATIC = 4

function familyNumber(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6
}
