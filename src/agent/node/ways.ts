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
  neighReplace,
  openMonitor,
  type Route,
  type RtnlSocket,
  routeGet,
  routeList,
} from '../../linux/index.ts'
import { DIRECT, LEAVE_TABLE, type PeerPlace, type Place } from '../../network/fabric/direct.ts'
import { LearnedRoutes } from '../../network/fabric/learned.ts'
import { fabricOf, type KnownReach, type Reach, UNKNOWN_REACH } from '../../network/fabric/way.ts'
import { GATEWAY, ROUTE_PROTOCOL } from '../../network/host.ts'
import { type Cidr, type Family, familyOf, firstIp, type Ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { WayLog } from './way-log.ts'

/** What is needed of the agent. */
export interface WaysParts {
  readonly rtnl: RtnlSocket
  planner(): NodePlanner | undefined
  /** Some way is another. */
  changed(): void
  /** The node's namespace. Default: the program's own. */
  readonly nsFd?: number
}

/** Changes that come together are looked at together. */
const SETTLE_MS = 200
/** How often the kernel is asked to find out whether machines on a segment are there: those in use go silent without a word. */
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
    this.#asking = setInterval(() => this.#ask(), ASK_MS)
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
    const learned = fabricOf(planner.context.cluster).way === 'bgp' ? learnedRoutes(rtnl) : undefined
    let isChanged = false
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
      learned === undefined ? this.#onSegment(peer, family, links) : this.#byBgp(peer, family, links, learned),
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
    const place = found.find((one) => one.place !== undefined)?.place
    if (place === undefined) return { ...this.#onSegment(peer, family, links), reach: { why: whyNot(first) } }
    const lacking = found.filter((one) => one.place === undefined).map(({ range }) => [range, whyNot(range)] as const)
    return { reach: 'open', place, ...(lacking.length === 0 ? {} : { without: Object.fromEntries(lacking) }) }
  }

  #see({ topic, change, object }: MonitorEvent): void {
    if (topic === 'neighbour') this.#seeNeighbour(object.address as Ip, object.state, change)
    // Pods come and go with links and routes of their own.
    else if (topic === 'route' ? object.protocol !== ROUTE_PROTOCOL && object.table !== LOCAL_TABLE : true)
      this.lookSoon()
  }

  /** An entry that was given up is forgotten in time: that says nothing new. */
  #seeNeighbour(address: Ip, state: string, change: 'new' | 'del'): void {
    if (change === 'del' || this.#parts.planner()?.isPeerAddress(address) !== true) return
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
    if (planner?.context.takesDirect !== true || fabricOf(planner.context.cluster).way !== 'direct') return
    const indexes = new Map(linkList(this.#parts.rtnl).map(({ name, index }) => [name, index]))
    for (const { places } of planner.known())
      for (const place of Object.values(places)) {
        const link = indexes.get(place.link)
        if (link === undefined) continue
        try {
          neighReplace(this.#parts.rtnl, { link, address: place.address, state: 'none', use: true })
        } catch (error) {
          // The link went a moment ago.
          if (!hasErrno(error, 'ENODEV', 'ENETDOWN', 'EINVAL')) throw error
        }
      }
  }
}

function placeBy(route: Route | undefined, range: Cidr, links: ReadonlyMap<number, Link>): Place | undefined {
  const hop = route?.hops?.[0] ?? route
  const link = links.get(hop?.link ?? 0)
  if (hop === undefined || link === undefined) return undefined
  return { link: link.name, address: (hop.gateway ?? firstIp(range)) as Ip }
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

/** What somebody else wrote into the table of ways to other nodes' pods. */
function learnedRoutes(rtnl: RtnlSocket): LearnedRoutes<Route> {
  return new LearnedRoutes(
    FAMILIES.flatMap((family) =>
      routeList(rtnl, { family, table: LEAVE_TABLE }).filter(
        ({ table, protocol, type }) => table === LEAVE_TABLE && protocol !== ROUTE_PROTOCOL && type === 'unicast',
      ),
    ),
  )
}
