/**
 * Our bridge as a port of the containers' bridge, and the routes to the others' containers. Each call makes sure that something is
 * so, and does nothing where it is.
 * @module
 */
import {
  addrList,
  hasErrno,
  type Link,
  linkFind,
  linkList,
  linkSet,
  type Route,
  type RtnlSocket,
  routeDel,
  routeList,
  routeReplace,
  sysctlGet,
} from '../linux/index.ts'
import { ROUTE_PROTOCOL } from '../network/host.ts'
import { contains, familyOf, parseIp } from '../network/model/address.ts'
import type { MeshHost } from './config.ts'
import { MeshError } from './errors.ts'
import { ROUTE_PRIORITY } from './names.ts'
import type { BridgePlan, MeshPlan, RoutePlan } from './plan.ts'
import { sentenceOf } from './switch.ts'

const MAIN = 254

/** How the kernel is after it was brought to a plan. */
export interface KernelState {
  /** Our bridge, where there is to be one, is a port of the containers'. */
  readonly isJoined: boolean
  /** What is in the way, in words. */
  readonly problems: readonly string[]
  /** What works all the same. */
  readonly notes: readonly string[]
}

/** Brings the kernel to a plan. What is in the way is told, and the rest is done. */
export function applyKernel(rtnl: RtnlSocket, plan: MeshPlan): KernelState {
  const { bridge, attach, routes, self } = plan
  const problems: string[] = []
  const notes: string[] = []
  const attempt = (action: () => void): boolean => {
    try {
      action()
      return true
    } catch (error) {
      problems.push(sentenceOf(error))
      return false
    }
  }
  const isJoined = bridge === undefined || attempt(() => notes.push(...joinBridge(rtnl, bridge, attach, self)))
  attempt(() => problems.push(...applyRoutes(rtnl, routes)))
  if (routes.length > 0) attempt(() => problems.push(...forwarding()))
  return { isJoined, problems, notes }
}

/** Removes every route of ours; what went meanwhile is gone. Returns whether there was one. */
export function removeRoutes(rtnl: RtnlSocket): boolean {
  const routes = ownRoutes(rtnl)
  for (const route of routes) {
    try {
      routeDel(rtnl, specOf(route))
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ESRCH')) throw error
    }
  }
  return routes.length > 0
}

/** Returns what may be noted. Throws MESH_ATTACH, and what the kernel says. */
function joinBridge(rtnl: RtnlSocket, { name, mtu }: BridgePlan, attach: string, self: MeshHost): readonly string[] {
  const bridge = linkFind(rtnl, attach)
  if (bridge === undefined) {
    throw new MeshError(
      'MESH_ATTACH',
      `there is no bridge ${attach}`,
      `start Docker, or: ip link add ${attach} type bridge`,
    )
  }
  if (bridge.kind !== 'bridge') {
    throw new MeshError(
      'MESH_ATTACH',
      `${attach} is no Linux bridge`,
      'name the bridge that containers are on as attach',
    )
  }
  checkAddresses(rtnl, bridge, self)
  const link = linkFind(rtnl, name)
  // Open vSwitch makes it in a moment, and it is told.
  if (link === undefined) {
    throw new MeshError('MESH_ATTACH', `Open vSwitch has not made the link ${name}`, 'look whether ovs-vswitchd runs')
  }
  // It has no address and asks for none: it is a port.
  if (link.addrGenMode !== 'none') linkSet(rtnl, link.index, { addrGenMode: 'none' })
  if (link.master !== bridge.index) linkSet(rtnl, link.index, { master: bridge.index })
  if (!link.up) linkSet(rtnl, link.index, { up: true })
  if (!bridge.up) linkSet(rtnl, bridge.index, { up: true })
  return tooLarge(rtnl, bridge, name, mtu)
}

/**
 * Docker gives every machine the same address unless it is told another: machines with the same would take each other's packets. A bridge
 * without addresses is one of others' ways.
 */
function checkAddresses(rtnl: RtnlSocket, { index, name }: Link, { subnets }: MeshHost): void {
  const all = addrList(rtnl, { link: index }).filter(({ scope }) => scope === 'global')
  for (const subnet of subnets) {
    const some = all.filter(({ family }) => family === familyOf(subnet)).map(({ address }) => address)
    const isThere = some.some((one) => {
      const address = parseIp(one.replace(/\/.*/, ''))
      return address !== undefined && contains(subnet, address)
    })
    if (isThere || some.length === 0) continue
    throw new MeshError(
      'MESH_ATTACH',
      `${name} has ${some.join(', ')}, and the list says that containers of this machine are in ${subnet}`,
      `give Docker a "bip" of ${subnet} in /etc/docker/daemon.json, or correct the list`,
    )
  }
}

/** The route tells who sends too large a packet; nobody tells who sends too large a frame to another machine's container by itself. */
function tooLarge(rtnl: RtnlSocket, { index }: Link, own: string, mtu: number): readonly string[] {
  const names = linkList(rtnl, { master: index }).flatMap((port) =>
    port.name !== own && port.mtu > mtu ? [port.name] : [],
  )
  if (names.length === 0) return []
  const some = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  return [
    `tunnels take packets of ${mtu} bytes, and containers (${some}) have to be told so with each connection → ` +
      `"mtu": ${mtu} in /etc/docker/daemon.json, and make the containers again`,
  ]
}

function applyRoutes(rtnl: RtnlSocket, wanted: readonly RoutePlan[]): readonly string[] {
  const problems: string[] = []
  const present = ownRoutes(rtnl)
  const links = new Map(linkList(rtnl).map(({ name, index }) => [name, index]))
  for (const route of present) {
    if (!wanted.some(({ to }) => to === route.destination)) routeDel(rtnl, specOf(route))
  }
  for (const { to, link: name, via, mtu } of wanted) {
    const link = links.get(name)
    const spec = {
      destination: to,
      protocol: ROUTE_PROTOCOL,
      priority: ROUTE_PRIORITY,
      ...(link === undefined ? {} : { link }),
      ...(via === undefined ? {} : { gateway: via }),
      ...(mtu === undefined ? {} : { mtu }),
    }
    if (link === undefined) {
      problems.push(`there is no link ${name} to lead ${to} to`)
      continue
    }
    if (present.some((one) => one.destination === to && one.link === link && one.gateway === via && one.mtu === mtu))
      continue
    try {
      routeReplace(rtnl, spec)
    } catch (error) {
      problems.push(`the route to ${to}: ${sentenceOf(error)}`)
    }
  }
  return problems
}

function ownRoutes(rtnl: RtnlSocket): readonly Route[] {
  return routeList(rtnl, { protocol: ROUTE_PROTOCOL, table: MAIN }).filter(
    ({ protocol, priority, table }) => protocol === ROUTE_PROTOCOL && priority === ROUTE_PRIORITY && table === MAIN,
  )
}

function specOf({ destination, link, gateway }: Route) {
  return {
    destination,
    protocol: ROUTE_PROTOCOL,
    priority: ROUTE_PRIORITY,
    ...(link === undefined ? {} : { link }),
    ...(gateway === undefined ? {} : { gateway }),
  }
}

/** Docker turns it on. */
function forwarding(): readonly string[] {
  if (sysctlGet(['net', 'ipv4', 'ip_forward']) !== '0') return []
  return ['this machine does not forward packets, so containers reach nobody → sysctl -w net.ipv4.ip_forward=1']
}
