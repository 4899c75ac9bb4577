/**
 * Which link and addresses of this machine the others are to reach it by. Facts: flannel 0.28, pkg/ipmatch: named links
 * first, then patterns, then the way to an address, then the default route.
 * @module
 */
import { FlannelError } from '../compat/flannel/errors.ts'
import { addrList, type Link, linkList, type RtnlSocket, routeGet, routeList } from '../linux/index.ts'
import { type Ip, parseIp } from '../network/model/address.ts'

/** What a user says of it. */
export interface UplinkWish {
  /** Names or addresses, the first that fits. */
  readonly iface: readonly string[]
  /** Regular expressions for names or addresses, the first that fits. */
  readonly ifaceRegex: readonly string[]
  /** The link by which this address is reached. */
  readonly ifaceCanReach?: string
  readonly publicIp?: Ip
  readonly publicIpv6?: Ip
}

/** The choice. */
export interface Uplink {
  readonly link: { readonly index: number; readonly name: string; readonly mtu: number }
  /** The link's own addresses, from which tunnels send. */
  readonly addresses: { readonly ipv4?: Ip; readonly ipv6?: Ip }
  /** What others are told. */
  readonly publicIp?: Ip
  readonly publicIpv6?: Ip
}

/** What is on a machine. */
export interface UplinkFacts {
  readonly links: readonly Pick<Link, 'index' | 'name' | 'mtu' | 'up'>[]
  /** Those that others can send to, in the kernel's order. */
  readonly addresses: readonly { readonly link: number; readonly family: 4 | 6; readonly address: Ip }[]
  /** Index of the link of each family's default route. */
  readonly defaults: { readonly 4?: number; readonly 6?: number }
  /** The link and the own address by which an address is reached. */
  wayTo(address: string): { readonly link: number; readonly source?: Ip } | undefined
}

/** The families that a network has. */
export interface Families {
  readonly ipv4: boolean
  readonly ipv6: boolean
}

/** The choice. Throws FLANNEL_INTERFACE: what was looked for, and what there is. */
export function chooseUplink(wish: UplinkWish, facts: UplinkFacts, families: Families): Uplink {
  const { link: index, address } = linkMeant(wish, facts, families)
  const link = facts.links.find((one) => one.index === index)
  if (link === undefined) throw noLink('the link that was chosen is gone', facts)
  const own = (family: 4 | 6): Ip | undefined => {
    const mine = facts.addresses.filter((one) => one.link === index && one.family === family)
    const told = family === 4 ? wish.publicIp : wish.publicIpv6
    // What the others are told is where packets come from, if it can be.
    const meant = [address, told].map((one) => mine.find((own) => own.address === one)).find((one) => one !== undefined)
    return (meant ?? mine[0])?.address
  }
  const ipv4 = families.ipv4 ? own(4) : undefined
  const ipv6 = families.ipv6 ? own(6) : undefined
  const publicIp = families.ipv4 ? (wish.publicIp ?? ipv4) : undefined
  const publicIpv6 = families.ipv6 ? (wish.publicIpv6 ?? ipv6) : undefined
  const lacking = families.ipv4 && ipv4 === undefined ? 4 : families.ipv6 && ipv6 === undefined ? 6 : undefined
  if (lacking !== undefined) throw noLink(`link ${link.name} has no IPv${lacking} address that others reach`, facts)
  return {
    link: { index: link.index, name: link.name, mtu: link.mtu },
    addresses: { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) },
    ...(publicIp && { publicIp }),
    ...(publicIpv6 && { publicIpv6 }),
  }
}

/** What is on this machine now. */
export function uplinkFacts(rtnl: RtnlSocket): UplinkFacts {
  const links = linkList(rtnl)
  const addresses = addrList(rtnl).flatMap(({ link, family, address, scope, tentative }) => {
    const own = parseIp(address.split('/')[0] ?? '')
    return own === undefined || scope !== 'global' || tentative ? [] : [{ link, family, address: own }]
  })
  const defaultOf = (family: 4 | 6): number | undefined => {
    const all = family === 4 ? '0.0.0.0/0' : '::/0'
    const routes = routeList(rtnl, { family, table: MAIN }).filter(
      ({ destination, type }) => destination === all && type === 'unicast',
    )
    const [best] = routes.toSorted((a, b) => a.priority - b.priority)
    return best?.link ?? best?.hops?.find(({ link }) => link !== undefined)?.link
  }
  const [four, six] = [defaultOf(4), defaultOf(6)]
  return {
    links,
    addresses,
    defaults: { ...(four && { 4: four }), ...(six && { 6: six }) },
    wayTo: (address) => wayTo(rtnl, address),
  }
}

/** Whether the kernel sends to an address without a gateway, out of a link: they share a segment. */
export function isOnLink(rtnl: RtnlSocket, address: string, link: number): boolean {
  try {
    const route = routeGet(rtnl, address)
    return route.type === 'unicast' && route.gateway === undefined && route.link === link
  } catch {
    return false
  }
}

const MAIN = 254

function wayTo(rtnl: RtnlSocket, address: string): ReturnType<UplinkFacts['wayTo']> {
  try {
    const { link, source } = routeGet(rtnl, address)
    const own = source === undefined ? undefined : parseIp(source)
    return link === undefined ? undefined : { link, ...(own && { source: own }) }
  } catch {
    return undefined
  }
}

interface Meant {
  readonly link: number
  /** The address by which it was found: of several it is the one that is meant. */
  readonly address?: Ip
}

function linkMeant(wish: UplinkWish, facts: UplinkFacts, families: Families): Meant {
  const { iface, ifaceRegex, ifaceCanReach } = wish
  const tried = [
    ...iface.map((name) => () => named(name, facts)),
    ...ifaceRegex.map((pattern) => () => matching(pattern, facts, families)),
  ]
  for (const attempt of tried) {
    const found = attempt()
    if (found !== undefined) return found
  }
  const asked = [...iface, ...ifaceRegex.map((pattern) => `/${pattern}/`)]
  if (ifaceCanReach !== undefined) {
    const way = facts.wayTo(ifaceCanReach)
    if (way !== undefined) return { link: way.link, ...(way.source && { address: way.source }) }
    throw noLink(`no link reaches ${ifaceCanReach}`, facts)
  }
  if (asked.length > 0) throw noLink(`no link is ${asked.join(' or ')}`, facts)
  // As flannel does: the link that has what the others are told.
  for (const told of [wish.publicIp, wish.publicIpv6]) {
    const owner = told && facts.addresses.find((one) => one.address === told)
    if (owner) return { link: owner.link, address: owner.address }
  }
  const byDefault = families.ipv4 ? facts.defaults[4] : facts.defaults[6]
  if (byDefault === undefined) throw noLink('there is no default route that would tell the link', facts)
  return { link: byDefault }
}

function named(name: string, { links, addresses }: UplinkFacts): Meant | undefined {
  const address = parseIp(name)
  if (address === undefined) {
    const link = links.find((one) => one.name === name)
    return link === undefined ? undefined : { link: link.index }
  }
  const owner = addresses.find((one) => one.address === address)
  return owner === undefined ? undefined : { link: owner.link, address }
}

function matching(pattern: string, { links, addresses }: UplinkFacts, families: Families): Meant | undefined {
  const expression = expressionOf(pattern)
  // Addresses first, and links that have one: a pattern for names may fit a link that nobody can be reached by.
  const owner = addresses.find(
    ({ address, family }) => (family === 4 ? families.ipv4 : families.ipv6) && expression.test(address),
  )
  if (owner !== undefined) return { link: owner.link, address: owner.address }
  const able = links.filter(({ index, name }) => addresses.some(({ link }) => link === index) && expression.test(name))
  const link = able.find(({ up }) => up) ?? able[0]
  return link === undefined ? undefined : { link: link.index }
}

function expressionOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch {
    const message = `--iface-regex ${JSON.stringify(pattern)} is no regular expression`
    throw new FlannelError('FLANNEL_CONFIG', message, 'correct it')
  }
}

function noLink(message: string, { links, addresses }: UplinkFacts): FlannelError {
  const there = addresses.slice(0, 20).map(({ link, address }) => {
    const { name = '?' } = links.find(({ index }) => index === link) ?? {}
    return `${name} ${address}`
  })
  const remedy = `name one with --iface${there.length === 0 ? '' : `; there is ${there.join(', ')}`}`
  return new FlannelError('FLANNEL_INTERFACE', message, remedy)
}
