/**
 * Packets between pods of different nodes without a tunnel: the switch hands them to the node's stack by a port of their
 * own, and gets those of others by it. The port keeps them apart from what the node itself sends and from what comes back from
 * an address translation: its routes are in a table of their own, which only packets on their way out of that port, and
 * what arrives for it, are led to.
 * @module
 */
import { calledNetworks, type LocalRange, type NodeContext, podNetworks } from '../context.ts'
import { type Cidr, type Family, familyOf, hostCidr, type Ip, type Mac } from '../model/address.ts'
import type { NodeNetwork } from '../model/node.ts'
import { openServices } from '../outside.ts'
import type { Reach } from './way.ts'

/** The link of that port, and its MAC address. */
export const DIRECT = 'weft-direct'
export const DIRECT_MAC = '0a:58:a9:fe:4d:02' as Mac

/** Routing tables: to other nodes' pods, and from there to the switch. BIRD writes into the first as well. */
export const LEAVE_TABLE = 0x5752
export const ARRIVE_TABLE = 0x5753
/** To networks outside, as BIRD learned them: for packets that have a pod's or a service's address. */
export const OUTSIDE_TABLE = 0x5754
/** To the switch, for what others than this node send to services. */
export const SERVICES_TABLE = 0x5755
/** Priorities of the rules that lead there, behind those of pods on the physical network (1000, 1001). */
const SERVICES_PRIORITY = 1080
const OUTSIDE_PRIORITY = 1090
const DIRECT_PRIORITY = 1100
/** The priorities of all rules of ours: from, and up to but without. */
export const RULE_PRIORITIES = { from: SERVICES_PRIORITY, to: DIRECT_PRIORITY + 100 } as const

/** A link whose segment other nodes are on, and which of their ranges come by it. */
export interface Segment {
  readonly link: string
  readonly ranges: readonly Cidr[]
}

/** A way to another node's range. */
export interface DirectRoute {
  readonly to: Cidr
  readonly via: Ip
  readonly link: string
}

/** A policy routing rule, named as in ip-rule(8). `table` absent: main. */
export interface DirectRule {
  readonly family: Family
  readonly priority: number
  readonly table?: number
  readonly inputLink?: string
  readonly from?: Cidr
  readonly to?: Cidr
}

/** What the node's stack needs for it. */
export interface DirectPlan {
  /** Ours in {@link LEAVE_TABLE}; where a BGP daemon finds the ways there are none. */
  readonly routes: readonly DirectRoute[]
  /**
   * Own ranges, which {@link ARRIVE_TABLE} leads to the switch, with the node's own address in each: on a link without an address the
   * kernel's filter (rp_filter) lets nothing in that it would answer elsewhere.
   */
  readonly own: readonly LocalRange[]
  readonly rules: readonly DirectRule[]
  /** What is inside the cluster: {@link OUTSIDE_TABLE} leads there by no route, also where a wider one would cover it. */
  readonly inside: readonly Cidr[]
  /** Networks of services that others than this node may call: {@link SERVICES_TABLE} leads there. */
  readonly services: readonly Cidr[]
  /** Whose packets are let in, and by which links. */
  readonly segments: readonly Segment[]
}

/** Where the kernel finds a machine: by which link, and by which of its addresses or, behind a router, by that one's. */
export interface Place {
  readonly link: string
  readonly address: Ip
  /** Further ones of the same weight, where packets are spread over several. */
  readonly others?: readonly Omit<Place, 'others'>[]
}

/** All links by which a machine is found. */
export function linksOf({ link, others = [] }: Place): readonly string[] {
  return [...new Set([link, ...others.map((other) => other.link)])]
}

/** What the kernel knows of the ways to a machine without a tunnel. */
export interface PeerPlace {
  readonly reach: Reach
  readonly places: { readonly [F in Family]?: Place }
}

/** Whether the kernel knows the same of two. */
export function samePlace(a: PeerPlace | undefined, b: PeerPlace): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** A machine with it. */
export interface Known extends PeerPlace {
  readonly peer: NodeNetwork
}

/** The plan; undefined where everything takes the tunnel. `gateway`: the link between the switch and the node itself. */
export function directPlan(context: NodeContext, machines: Iterable<Known>, gateway: string): DirectPlan | undefined {
  const { cluster, ranges } = context
  if (!context.takesDirect || context.self.machine.kind === 'external') return undefined
  const routes: DirectRoute[] = []
  const segments = new Map<string, Cidr[]>()
  for (const { peer, places } of machines) {
    if (peer.machine.kind === 'external') continue
    for (const to of peer.ranges) {
      const place = places[familyOf(to)]
      if (place === undefined) continue
      // What the other sends arrives, whether or not this node would send it that way.
      for (const link of linksOf(place)) {
        const ranges = segments.get(link)
        if (ranges === undefined) segments.set(link, [to])
        else ranges.push(to)
      }
      // Also while packets go otherwise: a way has to be there before the first packet takes it, and the kernel's filter
      // (rp_filter) lets in only what it would answer by the same link.
      if (cluster.fabric?.way === 'direct') routes.push({ to, via: place.address, link: place.link })
    }
  }
  const links = [...segments.keys()].sort()
  const services = calledServices(context)
  return {
    routes,
    own: ranges,
    rules: [...ranges.flatMap((range) => rulesOf(context, range, { gateway, links })), ...serviceRules(services)],
    inside: insideOf(context),
    services,
    segments: links.map((link) => ({ link, ranges: segments.get(link) ?? [] })),
  }
}

/** Where nothing is learned of networks outside nothing has to be kept from them. */
function insideOf(context: NodeContext): readonly Cidr[] {
  if (context.cluster.fabric?.way !== 'bgp') return []
  return context.ranges.flatMap(({ family }) => [
    ...podNetworks(context.cluster, family),
    ...calledNetworks(context, family),
  ])
}

/** Where somebody else translates services, the node's own stack does. */
function calledServices({ cluster, outside, ranges }: NodeContext): readonly Cidr[] {
  if (cluster.services !== 'weft') return []
  const families = ranges.map(({ family }) => family)
  return openServices(outside).filter((network) => families.includes(familyOf(network)))
}

/** The node's own calls go on as ever. Answers leave by the routes that the questions came by. */
function serviceRules(services: readonly Cidr[]): readonly DirectRule[] {
  return services.flatMap((network) => {
    const family = familyOf(network)
    return [
      { family, priority: SERVICES_PRIORITY, inputLink: 'lo', to: network },
      { family, priority: SERVICES_PRIORITY + 1, to: network, table: SERVICES_TABLE },
      { family, priority: OUTSIDE_PRIORITY + 1, from: network, table: OUTSIDE_TABLE },
    ]
  })
}

/**
 * The node's own packets, and those that come back from its translation, go to the switch as ever. What is left with a pod's
 * source came out of the switch for other nodes' pods. By the source, and not by the link alone: a filter of the kernel
 * (rp_filter) asks by which link an answer would go, as if the node itself gave it.
 */
function rulesOf(
  { cluster }: NodeContext,
  { family, range, gateway: address }: LocalRange,
  { gateway, links }: { readonly gateway: string; readonly links: readonly string[] },
): readonly DirectRule[] {
  const outside: readonly DirectRule[] =
    cluster.fabric?.way === 'bgp' ? [{ family, priority: OUTSIDE_PRIORITY, from: range, table: OUTSIDE_TABLE }] : []
  const own: readonly DirectRule[] = [
    ...outside,
    { family, priority: DIRECT_PRIORITY, inputLink: gateway },
    { family, priority: DIRECT_PRIORITY + 1, from: hostCidr(address) },
    { family, priority: DIRECT_PRIORITY + 2, from: range, table: LEAVE_TABLE },
  ]
  const networks = podNetworks(cluster, family)
  return [
    ...own,
    ...links.flatMap((inputLink) =>
      networks.map((from) => ({
        family,
        priority: DIRECT_PRIORITY + 3,
        inputLink,
        from,
        to: range,
        table: ARRIVE_TABLE,
      })),
    ),
  ]
}
