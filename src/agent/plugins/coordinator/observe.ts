/**
 * Reads what a coordination starts from out of the kernel.
 * @module
 */
import {
  addrList,
  type Link,
  linkFind,
  linkList,
  type Route,
  type RtnlSocket,
  routeGet,
  routeList,
} from '../../../linux/index.ts'
import { ENDPOINT_GROUP, UNDERLAY_GROUP } from '../../../network/host.ts'
import {
  type Cidr,
  contains,
  type Ip,
  type Mac,
  networkAround,
  parseCidr,
  parseIp,
  parseMac,
} from '../../../network/model/address.ts'
import type { HostFacts, PodFacts, RouteFact } from './facts.ts'
import { POD_LINK, PROTOCOL } from './numbers.ts'

/** A pod, as it is. */
export function observePod(rtnl: RtnlSocket): PodFacts {
  const links = linkList(rtnl)
  const names = new Map(links.map(({ index, name }) => [index, name]))
  return {
    links: new Map(links.map(({ name, mac, up }) => [name, { mac: parseMac(mac ?? '') ?? NO_MAC, up }])),
    addresses: addrList(rtnl).flatMap(({ link, address: text, scope, dadFailed }) => {
      const [name, address] = [names.get(link), parseIp(text.slice(0, text.indexOf('/')))]
      const isUsable = scope !== 'link' && scope !== 'host' && !dadFailed
      return name === undefined || name === POD_LINK || address === undefined || !isUsable
        ? []
        : [{ link: name, address }]
    }),
    routes: routeList(rtnl).flatMap((route) => factsOf(route, names)),
  }
}

/** The node, as the pod with these addresses is to see it. */
export function observeHost(rtnl: RtnlSocket, addresses: readonly Ip[], first: Link | undefined): HostFacts {
  const peer = first === undefined ? undefined : overlayPeer(rtnl, first)
  return { addresses: nodeAddresses(rtnl, addresses), ...(peer === undefined ? {} : { peer }) }
}

/** Addresses that no pod may have: the node's own, and its gateways. A route of the node to a pod comes before others. */
export function reservedAddresses(rtnl: RtnlSocket): ReadonlySet<string> {
  const own = addrList(rtnl).map(({ address }) => address.slice(0, address.indexOf('/')))
  const ways = routeList(rtnl).flatMap(({ gateway, hops }) => [gateway, ...(hops ?? []).map((hop) => hop.gateway)])
  return new Set([...own, ...ways.filter((gateway) => gateway !== undefined)])
}

const NO_MAC = '00:00:00:00:00:00' as Mac
const TABLE_LOCAL = 255
/** Addresses of links that lead to containers and virtual machines on the node, as Spiderpool has them. */
const OTHERS = /^(lo$|docker|cbr|dummy|virbr|lxcbr|veth|cali|flannel|kube-ipvs|cni|vx-submariner|cilium)/
/** IFA_F_DEPRECATED, and of IPv6 IFA_F_TEMPORARY: addresses on their way out. The same bit means secondary in IPv4. */
const PASSING = { 4: 0x20, 6: 0x21 } as const

function factsOf(route: Route, names: ReadonlyMap<number, string>): readonly RouteFact[] {
  const { table, type, destination: text, priority, protocol, hops } = route
  const destination = parseCidr(text)
  if (type !== 'unicast' || table === TABLE_LOCAL || destination === undefined) return []
  return (hops ?? [route]).flatMap((hop) => {
    const link = hop.link === undefined ? undefined : names.get(hop.link)
    const gateway = parseIp(hop.gateway ?? '')
    const source = parseIp(route.source ?? '')
    const fact = { table, destination, priority, protocol, onlink: hop.onlink === true }
    const rest = { ...(gateway === undefined ? {} : { gateway }), ...(source === undefined ? {} : { source }) }
    return link === undefined ? [] : [{ ...fact, ...rest, link }]
  })
}

/** The nearest first: of a pod's subnet, then what the node would send from, then the rest in the kernel's order. */
function nodeAddresses(rtnl: RtnlSocket, pods: readonly Ip[]): readonly Ip[] {
  const names = new Map<number, string>()
  const nameOf = (link: number): string => {
    const known = names.get(link) ?? linkFind(rtnl, link)?.name ?? 'lo'
    names.set(link, known)
    return known
  }
  const usable = addrList(rtnl).flatMap(({ link, address: text, scope, flags, family }) => {
    const address = parseIp(text.slice(0, text.indexOf('/')))
    if (address === undefined || (flags & PASSING[family]) !== 0 || (scope !== 'global' && scope !== 'site')) return []
    return OTHERS.test(nameOf(link)) ? [] : [{ address, subnet: networkAround(address, lengthOf(text)) }]
  })
  const near = (subnet: Cidr): boolean => pods.some((pod) => contains(subnet, pod))
  const sources = pods.flatMap((pod) => sourceTo(rtnl, pod) ?? [])
  const rank = ({ address, subnet }: (typeof usable)[number]): number =>
    near(subnet) ? 0 : sources.includes(address) ? 1 : 2
  return [...new Set(usable.toSorted((a, b) => rank(a) - rank(b)).map(({ address }) => address))]
}

/** Undefined too where a route of ours to the pod is there already: what it would say is our own doing. */
function sourceTo(rtnl: RtnlSocket, pod: Ip): Ip | undefined {
  try {
    const { source, protocol } = routeGet(rtnl, pod)
    return protocol === PROTOCOL ? undefined : parseIp(source ?? '')
  } catch {
    // No way there: nothing to learn.
    return undefined
  }
}

/**
 * The node's end of the first interface of a pod on another's overlay. Ends of our own are ports of a switch, whose frames
 * the node's stack does not hear.
 */
function overlayPeer(rtnl: RtnlSocket, first: Link): string | undefined {
  if (first.kind !== 'veth' || first.parent === undefined) return undefined
  const peer = linkFind(rtnl, first.parent)
  const isPeer = peer?.kind === 'veth' && peer.parent === first.index && peer.master === undefined
  return isPeer && peer.group !== ENDPOINT_GROUP && peer.group !== UNDERLAY_GROUP ? peer.name : undefined
}

function lengthOf(text: string): number {
  return Number(text.slice(text.indexOf('/') + 1))
}
