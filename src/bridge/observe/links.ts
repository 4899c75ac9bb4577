/**
 * Looks at links of this network namespace, with all that belongs to them. Changes nothing.
 * @module
 */
import { existsSync } from 'node:fs'
import {
  type Address,
  addrList,
  hasNexthopObject,
  type Link,
  linkFind,
  linkList,
  type Neighbour,
  neighList,
  type Route,
  type RtnlSocket,
  routesTold,
  rulesTold,
  sysctlGet,
  type Told,
} from '../../linux/index.ts'
import type { HeldAddress, HeldNeighbour, HeldRoute, HeldRule, LinkFacts, UplinkFacts } from '../model.ts'
import { isWireless } from './wireless.ts'

/** A link as it is; undefined when there is none. */
export function observeLink(rtnl: RtnlSocket, name: string): LinkFacts | undefined {
  const link = linkFind(rtnl, name)
  return link === undefined ? undefined : factsOf(rtnl, link)
}

/** A link that is to be an uplink; undefined when there is none. */
export function observeUplink(rtnl: RtnlSocket, name: string): UplinkFacts | undefined {
  const link = linkFind(rtnl, name)
  if (link === undefined) return undefined
  const links = linkList(rtnl)
  const master = links.find(({ index }) => index === link.master)
  const isRider = (one: Link): boolean => one.parent === link.index && one.parentNsId === undefined
  return {
    ...factsOf(rtnl, link),
    hardware: link.hardware,
    loopback: (link.flags & IFF_LOOPBACK) !== 0,
    wireless: existsSync(`/sys/class/net/${name}/phy80211`) || isWireless(name),
    // Ports of Open vSwitch's kernel datapath have a master that says nothing beyond the database.
    ...(master === undefined || master.kind === 'openvswitch'
      ? {}
      : { master: { name: master.name, kind: master.kind ?? 'link' } }),
    riders: links.filter((one) => isRider(one) && one.kind !== 'veth').map(({ name, kind = '' }) => ({ name, kind })),
    nexthopRoutes: routesOf(rtnl, link.index)
      .filter(({ body }) => hasNexthopObject(body))
      .map(({ object }) => object.destination),
  }
}

function factsOf(rtnl: RtnlSocket, link: Link): LinkFacts {
  const { index, name, mac = '', mtu, up, addrGenMode = 'eui64' } = link
  return {
    name,
    index,
    mac,
    mtu,
    up,
    addrGenMode,
    addresses: addrList(rtnl, { link: index }).filter(isUsable).map(heldAddress),
    routes: routesOf(rtnl, index).map(heldRoute(index)),
    rules: rulesTold(rtnl)
      .filter(({ object }) => object.inputLink === name || object.outputLink === name)
      .map(heldRule),
    neighbours: neighboursOf(rtnl, index),
    sysctls: sysctlsOf(name),
  }
}

/** Routes out of a link that the kernel does not make and unmake by itself with each address. */
function routesOf(rtnl: RtnlSocket, index: number): readonly Told<Route>[] {
  return routesTold(rtnl).filter(({ object }) => {
    const hops = object.hops ?? []
    return object.table !== TABLE_LOCAL && (object.link === index || hops.some(({ link }) => link === index))
  })
}

function heldRoute(index: number): (told: Told<Route>) => HeldRoute {
  return ({ body, object }) => {
    const { family, destination, table, priority, protocol, onlink, source } = object
    const hops = object.hops ?? [{ ...(object.gateway === undefined ? {} : { gateway: object.gateway }), link: index }]
    return {
      family,
      destination,
      gateways: hops.flatMap(({ gateway, link }) => (gateway !== undefined && link === index ? [gateway] : [])),
      ...(source === undefined ? {} : { source }),
      table,
      metric: priority,
      protocol,
      onlink,
      body: Buffer.from(body).toString('base64'),
    }
  }
}

function heldRule({
  body,
  object,
}: Told<{ readonly family: 4 | 6; readonly priority: number; readonly table: number }>): HeldRule {
  const { family, priority, table } = object
  return { family, priority, table, body: Buffer.from(body).toString('base64') }
}

/** An address that failed the check for duplicates is nobody's. */
function isUsable({ dadFailed }: Address): boolean {
  return !dadFailed
}

function heldAddress(found: Address): HeldAddress {
  const { family, address, peer, broadcast, label, scope, metric, noprefixroute } = found
  const { validLifetime, preferredLifetime } = found
  return {
    family,
    address,
    scope,
    noprefixroute,
    ...(peer === undefined ? {} : { peer }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label?.includes(':') === true ? { label } : {}),
    ...(metric === undefined ? {} : { metric }),
    ...(validLifetime === undefined ? {} : { validLifetime }),
    ...(preferredLifetime === undefined ? {} : { preferredLifetime }),
  }
}

function neighboursOf(rtnl: RtnlSocket, link: number): readonly HeldNeighbour[] {
  const known = neighList(rtnl, { link }).filter(({ state }) => KEPT.has(state))
  return [...known, ...neighList(rtnl, { link, proxy: true })].map(heldNeighbour)
}

function heldNeighbour({ address, mac, proxy, state }: Neighbour): HeldNeighbour {
  return { address, ...(mac === undefined ? {} : { mac }), proxy, permanent: proxy || state === 'permanent' }
}

/** States in which the address of a neighbour is known. */
const KEPT: ReadonlySet<string> = new Set(['permanent', 'reachable', 'stale', 'delay', 'probe'])

function sysctlsOf(link: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const key of SYSCTLS) {
    const [family = '', name = ''] = key.split('/')
    try {
      values[key] = sysctlGet(['net', family, 'conf', link, name])
    } catch {
      // Kernels without IPv6 have none of its keys, older ones not all.
    }
  }
  return values
}

const SYSCTLS: readonly string[] = [
  // First: without it the others of IPv6 have no effect.
  'ipv6/disable_ipv6',
  'ipv4/forwarding',
  'ipv4/rp_filter',
  'ipv4/arp_accept',
  'ipv4/arp_announce',
  'ipv4/arp_filter',
  'ipv4/arp_ignore',
  'ipv4/accept_local',
  'ipv4/accept_redirects',
  'ipv4/accept_source_route',
  'ipv4/log_martians',
  'ipv4/promote_secondaries',
  'ipv4/proxy_arp',
  'ipv4/route_localnet',
  'ipv4/secure_redirects',
  'ipv4/send_redirects',
  'ipv4/src_valid_mark',
  'ipv6/forwarding',
  'ipv6/accept_ra',
  'ipv6/accept_ra_defrtr',
  'ipv6/accept_ra_pinfo',
  'ipv6/accept_ra_rt_info_max_plen',
  'ipv6/accept_ra_rtr_pref',
  'ipv6/accept_redirects',
  'ipv6/autoconf',
  'ipv6/accept_dad',
  'ipv6/dad_transmits',
  'ipv6/keep_addr_on_down',
  'ipv6/proxy_ndp',
  'ipv6/use_tempaddr',
]

const IFF_LOOPBACK = 0x8
const TABLE_LOCAL = 255
