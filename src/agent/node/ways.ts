/**
 * What the kernel knows of the ways to other machines without a tunnel: on whose segment they are and whether they answer, or
 * what a BGP daemon learned. Asked again when links, addresses or routes changed, and for one machine when its neighbour entry
 * did.
 * @module
 */
import {
  hasErrno,
  type Link,
  linkList,
  type MonitorEvent,
  neighList,
  neighReplace,
  openMonitor,
  type Route,
  type RtnlSocket,
  routeGet,
  routeList,
} from '../../linux/index.ts'
import { DIRECT, LEAVE_TABLE, OUTSIDE_TABLE, type PeerPlace, type Place } from '../../network/fabric/direct.ts'
import { LearnedRoutes } from '../../network/fabric/learned.ts'
import { fabricOf, type KnownReach, type Reach, UNKNOWN_REACH } from '../../network/fabric/way.ts'
import { GATEWAY, ROUTE_PROTOCOL } from '../../network/host.ts'
import { type Cidr, contains, type Family, familyOf, firstIp, hostCidr, type Ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { WayLog } from './way-log.ts'

/** What is needed of the agent. */
export interface WaysParts {
  readonly rtnl: RtnlSocket
  planner(): NodePlanner | undefined
  /** Some way is another. */
  changed(): void
  /** Addresses of routers outside that this node has a BGP session with: they know the way to its pods. Absent: none. */
  routers?(): readonly Ip[]
  /** The node's namespace. Default: the program's own. */
  readonly nsFd?: number
  /** In ms; how often the kernel is asked for next hops. Default: 5 s. */
  readonly askEvery?: number
}

/** Changes that come together are looked at together. */
const SETTLE_MS = 200
/** How often the kernel is asked to find out whether next hops are there: those in use go silent without a word. */
const ASK_MS = 5_000
const FAMILIES: readonly Family[] = [4, 6]

type Found = { readonly reach: Reach[Family]; readonly place?: Place; readonly without?: KnownReach['without'] }

/** Keeps a plan told of it, until disposed. */
export class Ways implements Disposable {
  /** When ways changed. */
  readonly log = new WayLog()
  readonly #parts: WaysParts
  readonly #monitor: { close(): void }
  readonly #asking: ReturnType<typeof setInterval>
  /** Addresses on a segment that did not answer when the kernel last asked. */
  readonly #silent = new Set<Ip>()
  /** Next hops that the kernel was asked for last. */
  readonly #asked = new Set<Ip>()
  /** As of when machines were looked at. */
  #planner: NodePlanner | undefined
  #seen: number | undefined
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor(parts: WaysParts) {
    this.#parts = parts
    this.#monitor = openMonitor({
      topics: ['link', 'address', 'route', 'neighbour'],
      onEvent: (event) => this.#see(event),
      onResync: () => this.lookSoon(),
      ...(parts.nsFd === undefined ? {} : { nsFd: parts.nsFd }),
    })
    this.#asking = setInterval(() => this.#ask(), parts.askEvery ?? ASK_MS)
  }

  /** The plan is another: there may be other machines, or another fabric. */
  planned(): void {
    const planner = this.#parts.planner()
    if (planner !== undefined && (planner.peerChanges !== this.#seen || planner !== this.#planner)) this.lookSoon()
  }

  /** Looks at every machine now. */
  look(): void {
    const planner = this.#parts.planner()
    if (planner?.context.takesDirect !== true) return
    const { rtnl } = this.#parts
    const links = new Map(linkList(rtnl).map((link) => [link.index, link]))
    const isBgp = fabricOf(planner.context.cluster).way === 'bgp'
    const learned = isBgp ? new LearnedRoutes(learnedRoutes(rtnl, LEAVE_TABLE)) : undefined
    let isChanged = planner.putOutside(isBgp ? outsideNetworks(rtnl, this.#parts.routers?.() ?? []) : [])
    for (const peer of planner.peers()) {
      if (peer.machine.kind === 'external') continue
      const place = this.#placeOf(peer, links, learned)
      isChanged = planner.putPlace(peer.node, place) || isChanged
    }
    this.#planner = planner
    this.#seen = planner.peerChanges
    this.log.note(planner)
    if (isChanged) this.#parts.changed()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#settling)
    clearInterval(this.#asking)
    this.#monitor.close()
  }

  #placeOf(peer: NodeNetwork, links: ReadonlyMap<number, Link>, learned: LearnedRoutes<Route> | undefined): PeerPlace {
    const found = FAMILIES.map((family) =>
      learned === undefined
        ? this.#onSegment(peer, family, links)
        : this.#whileThere(peer, family, links, this.#byBgp(peer, family, links, learned)),
    )
    const [v4, v6] = found
    return {
      reach: { 4: v4?.reach ?? UNKNOWN_REACH[4], 6: v6?.reach ?? UNKNOWN_REACH[6] },
      ...(v4?.without === undefined && v6?.without === undefined
        ? {}
        : { without: { ...v4?.without, ...v6?.without } }),
      places: {
        ...(v4?.place === undefined ? {} : { 4: v4.place }),
        ...(v6?.place === undefined ? {} : { 6: v6.place }),
      },
    }
  }

  #onSegment({ node, addresses }: NodeNetwork, family: Family, links: ReadonlyMap<number, Link>): Found {
    const address = addresses.find((one) => familyOf(one) === family)
    if (address === undefined) return { reach: { why: `${node} has no IPv${family} address` } }
    const way = wayOf(this.#parts.rtnl, address)
    if (typeof way === 'string') return { reach: { why: `${node} (${address}): ${way}` } }
    const link = links.get(way.link ?? 0)
    if (way.type !== 'unicast' || link === undefined || OWN.has(link.name))
      return { reach: { why: `${node} (${address}) is on no segment of this node` } }
    if (way.gateway !== undefined) {
      // The other machine may see it differently, and what it sends is let in.
      const place = { link: link.name, address: way.gateway as Ip }
      return { reach: { why: `${node} (${address}) is on another segment, behind ${way.gateway}` }, place }
    }
    const place = { link: link.name, address }
    if (this.#silent.has(address))
      return { reach: { why: `${node} (${address}) does not answer on ${link.name}` }, place }
    return { reach: 'open', place }
  }

  /**
   * A range is reached by BGP when a learned route covers all of it: a machine's further ones are told later than its first. Until
   * then what comes from there has a link all the same.
   */
  #byBgp(peer: NodeNetwork, family: Family, links: ReadonlyMap<number, Link>, learned: LearnedRoutes<Route>): Found {
    const ranges = peer.ranges.filter((one) => familyOf(one) === family)
    const [first] = ranges
    if (first === undefined) return { reach: { why: `${peer.node} has no IPv${family} range` } }
    const whyNot = (range: Cidr) => `no BGP neighbour told this node a route to ${range} of ${peer.node}`
    const found = ranges.map((range) => ({ range, place: placeBy(learned.to(range), range, links) }))
    // What comes from any of its ranges may come by the hops of any other.
    const hops = found.flatMap(({ place }) => (place === undefined ? [] : hopsAt(place)))
    const [place, ...others] = hops.filter((hop, index) => hops.findIndex((one) => isAt(one, hop)) === index)
    if (place === undefined) {
      const segment = this.#onSegment(peer, family, links)
      // In a fabric of routers another segment is no reason: that nobody told of the range is one.
      const why = segment.reach === 'open' ? whyNot(first) : `${whyNot(first)}; ${segment.reach.why}`
      return { ...segment, reach: { why } }
    }
    const lacking = found.filter((one) => one.place === undefined).map(({ range }) => [range, whyNot(range)] as const)
    const all = others.length === 0 ? place : { ...place, others }
    return { reach: 'open', place: all, ...(lacking.length === 0 ? {} : { without: Object.fromEntries(lacking) }) }
  }

  /** A session may outlive the segment that its routes lead over: by a router, or until it is missed. */
  #whileThere(peer: NodeNetwork, family: Family, links: ReadonlyMap<number, Link>, found: Found): Found {
    const { reach, place } = found
    if (reach !== 'open' || place === undefined) return found
    if (peer.addresses.find((one) => familyOf(one) === family) === place.address)
      return { ...found, reach: this.#onSegment(peer, family, links).reach }
    // Of several hops one that answers is enough: BIRD takes the others out as their sessions end.
    if (hopsAt(place).some(({ address }) => !this.#silent.has(address))) return found
    const why = `${place.address}, by which BGP leads to ${peer.node}, does not answer on ${place.link}`
    return { ...found, reach: { why } }
  }

  #see({ topic, change, object }: MonitorEvent): void {
    if (topic === 'neighbour') this.#seeNeighbour(object.address as Ip, object.state, change)
    // Pods come and go with links and routes of their own.
    else if (topic === 'route' ? object.protocol !== ROUTE_PROTOCOL && object.table !== LOCAL_TABLE : true)
      this.lookSoon()
  }

  /** An entry that was given up is forgotten in time: that says nothing new. */
  #seeNeighbour(address: Ip, state: string, change: 'new' | 'del'): void {
    const isAsked = this.#asked.has(address) || this.#parts.planner()?.isPeerAddress(address) === true
    if (change === 'del' || !isAsked) return
    const before = this.#silent.size
    if (state === 'failed') this.#silent.add(address)
    else if (state === 'reachable') this.#silent.delete(address)
    if (this.#silent.size !== before) this.lookSoon()
  }

  /** Looks at every machine in a moment. */
  lookSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      this.look()
    }, SETTLE_MS)
  }

  #ask(): void {
    const planner = this.#parts.planner()
    this.#asked.clear()
    if (planner?.context.takesDirect !== true || fabricOf(planner.context.cluster).way === 'tunnel') return
    const { rtnl } = this.#parts
    const indexes = new Map(linkList(rtnl).map(({ name, index }) => [name, index]))
    // An entry that somebody made for good stays one.
    const fixed = new Set(neighList(rtnl).flatMap(({ state, address }) => (state === 'permanent' ? [address] : [])))
    for (const { peer, places } of planner.known())
      for (const place of Object.values(places).flatMap(hopsAt)) {
        const link = indexes.get(place.link)
        // A learned route without a next hop stands for itself: nobody has its range's first address.
        if (link === undefined || peer.ranges.some((range) => contains(range, place.address))) continue
        if (fixed.has(place.address) || this.#asked.has(place.address)) continue
        this.#asked.add(place.address)
        try {
          neighReplace(rtnl, { link, address: place.address, state: 'none', use: true })
        } catch (error) {
          // The link went a moment ago.
          if (!hasErrno(error, 'ENODEV', 'ENETDOWN', 'EINVAL')) throw error
        }
      }
  }
}

function placeBy(route: Route | undefined, range: Cidr, links: ReadonlyMap<number, Link>): Place | undefined {
  const [first, ...others] = hopsOf(route).flatMap((hop): readonly Place[] => {
    const link = links.get(hop.link ?? 0)
    return link === undefined ? [] : [{ link: link.name, address: (hop.gateway ?? firstIp(range)) as Ip }]
  })
  return first === undefined || others.length === 0 ? first : { ...first, others }
}

const OWN: ReadonlySet<string> = new Set([GATEWAY, DIRECT, 'lo'])
const LOCAL_TABLE = 255

/** The kernel's way to an address, or why there is none. */
function wayOf(rtnl: RtnlSocket, address: Ip): Route | string {
  try {
    return routeGet(rtnl, address)
  } catch (error) {
    if (hasErrno(error, 'ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL')) return 'this node has no route to it'
    throw error
  }
}

/** The next hops of a route, of which there may be several of one weight. */
function hopsOf(route: Route | undefined): readonly Pick<Route, 'link' | 'gateway'>[] {
  if (route === undefined) return []
  return route.hops === undefined || route.hops.length === 0 ? [route] : route.hops
}

/** A place and the others of the same weight. */
function hopsAt({ others = [], ...place }: Place): readonly Place[] {
  return [place, ...others]
}

function isAt(one: Place, other: Place): boolean {
  return one.link === other.link && one.address === other.address
}

/** What somebody else wrote into a table of ours. */
function learnedRoutes(rtnl: RtnlSocket, wanted: number): readonly Route[] {
  return FAMILIES.flatMap((family) =>
    routeList(rtnl, { family, table: wanted }).filter(
      ({ table, protocol, type }) => table === wanted && protocol !== ROUTE_PROTOCOL && type === 'unicast',
    ),
  )
}

/** More than anybody needs who is not told of the whole world: those beyond are not known to be outside. */
const MOST_OUTSIDE = 4096

function outsideNetworks(rtnl: RtnlSocket, routers: readonly Ip[]): readonly Cidr[] {
  const networks = learnedRoutes(rtnl, OUTSIDE_TABLE).map(({ destination }) => destination as Cidr)
  return [...new Set([...routers.map(hostCidr), ...networks.toSorted()])].slice(0, MOST_OUTSIDE)
}
