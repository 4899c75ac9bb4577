/**
 * The veth pairs of endpoints, from the pod's addresses to what the agent knows of them.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import {
  addrAdd,
  addrList,
  hasErrno,
  type Link,
  linkFind,
  linkList,
  linkSet,
  neighReplace,
  openRtnl,
  type RtnlSocket,
  routeAdd,
  routeList,
  sysctlSet,
} from '../../linux/index.ts'
import { ENDPOINT_GROUP } from '../../network/host.ts'
import { familyOf, parseMac } from '../../network/model/address.ts'
import type { LinkFact } from '../control/facts.ts'
import type { Lease } from './lease.ts'
import type { PodAddress } from './pod-address.ts'
import { readyForUserspace, Veths } from './veth.ts'

/** A pod's network namespace: an open descriptor, and the path the runtime knows it by. */
export interface PodNetns {
  readonly fd: number
  readonly path: string
}

/** Default routes of further interfaces come after those that have no priority given (0, and 1024 in IPv6). */
const FURTHER_ROUTES = 2_000

/** The veth pairs of this node's endpoints. */
export class EndpointLinks implements Disposable {
  readonly #rtnl: RtnlSocket
  readonly #datapath: 'system' | 'netdev'
  readonly #veths: Veths

  /** `swept` hears how each sweep that nobody waits for ended: without an error, or with what it met. */
  constructor(
    rtnl: RtnlSocket,
    datapath: 'system' | 'netdev',
    swept: (failure?: { readonly error: unknown }) => void = () => undefined,
  ) {
    this.#rtnl = rtnl
    this.#datapath = datapath
    this.#veths = new Veths(rtnl, ENDPOINT_GROUP, swept)
  }

  /** No sweep begins any more; what is doomed yet is one of ours without a lease, which the next agent sweeps. */
  [Symbol.dispose](): void {
    this.#veths[Symbol.dispose]()
  }

  /** Makes the pair of a lease: the node's end up, the pod's down and without addresses. Enough for a port. */
  async create(lease: Lease, netns: PodNetns): Promise<void> {
    const { endpoint, link, mtu } = lease
    const { ifname, mac } = endpoint
    await this.#veths.create({ name: link, mtu, peer: { name: ifname, mac, mtu, nsFd: netns.fd } })
    // Before Open vSwitch knows the port: it reads a link's flags, and writes them back with its own among them. Setting
    // the link up in between would be undone. One message: every notification has it look at all its ports again.
    linkSet(this.#rtnl, link, { up: true, addrGenMode: 'none', alias: `weft ${endpoint.namespace}/${endpoint.pod}` })
  }

  /** Makes a pair that others have made one of ours, which has our name by now. Its pod's side stays as it is. */
  own({ link, endpoint }: Lease, netns: PodNetns): void {
    if (this.#datapath === 'netdev') readyForUserspace(link, endpoint.ifname, netns.fd)
    const alias = `weft ${endpoint.namespace}/${endpoint.pod}`
    linkSet(this.#rtnl, link, { up: true, group: ENDPOINT_GROUP, addrGenMode: 'none', alias })
  }

  /** Sets the pod's end up, with its addresses and routes. */
  configure(lease: Lease, netns: PodNetns, addresses: readonly PodAddress[]): void {
    const { ifname } = lease.endpoint
    if (this.#datapath === 'netdev') readyForUserspace(lease.link, ifname, netns.fd)
    using rtnl = openRtnl({ nsFd: netns.fd })
    linkSet(rtnl, 'lo', { up: true })
    const { index } = requireLink(rtnl, ifname)
    if (addresses.some(({ address }) => familyOf(address) === 6)) quietIpv6(ifname, netns.fd)
    for (const { address, prefix } of addresses) {
      const six = familyOf(address) === 6
      addrAdd(rtnl, { link: index, address: `${address}/${prefix}`, nodad: six, noprefixroute: six })
    }
    linkSet(rtnl, index, { up: true })
    for (const { address, gateway, gatewayMac } of addresses) {
      // The kernel's datapath answers no solicitations. So everything goes to the gateway, which needs no asking for.
      if (familyOf(gateway) === 6) neighReplace(rtnl, { link: index, address: gateway, mac: gatewayMac })
      addDefaultRoute(rtnl, index, { address, gateway })
    }
  }

  /**
   * Sets the node's end up once Open vSwitch has taken the port: while it closes a port of the same name it may still write
   * that one's flags to this link. Costs nothing where the link is up.
   */
  raise({ link }: Lease): void {
    linkSet(this.#rtnl, link, { up: true })
  }

  /** What is wrong with a lease's pair, for people; undefined when nothing is. */
  problemOf(lease: Lease, netns: PodNetns, addresses: readonly PodAddress[]): string | undefined {
    const { ifname, mac } = lease.endpoint
    const outside = linkFind(this.#rtnl, lease.link)
    if (outside?.up !== true || outside.group !== ENDPOINT_GROUP)
      return `link ${lease.link} on the node is gone or down`
    using rtnl = openRtnl({ nsFd: netns.fd })
    const inside = linkFind(rtnl, ifname)
    if (inside === undefined) return `interface ${ifname} is gone from the container`
    if (inside.mac !== mac) return `interface ${ifname} has MAC address ${inside.mac ?? 'none'} instead of ${mac}`
    if (!inside.up) return `interface ${ifname} is down`
    if (inside.mtu !== lease.mtu) return `interface ${ifname} has MTU ${inside.mtu} instead of ${lease.mtu}`
    const present = new Set(addrList(rtnl, { link: inside.index }).map(({ address }) => address))
    const missing = addresses.find(({ address, prefix }) => !present.has(`${address}/${prefix}`))
    if (missing !== undefined) return `interface ${ifname} has lost address ${missing.address}`
    const gateways = new Set(routeList(rtnl, { link: inside.index }).map(({ gateway }) => gateway))
    const unrouted = addresses.find(({ gateway }) => !gateways.has(gateway))
    return unrouted === undefined ? undefined : `the route by way of ${unrouted.gateway} is gone`
  }

  /** Marks a link of ours for deletion; any other, and none, is left alone. */
  doom(link: string): void {
    this.#veths.doom(link)
  }

  /** Deletes what is doomed; how that ended is told to whoever was named at the beginning. */
  sweepUnwatched(): void {
    this.#veths.sweepUnwatched()
  }

  /** Deletes what is doomed. */
  sweep(): Promise<void> {
    return this.#veths.sweep()
  }

  /** Links of ours on the node. */
  facts(): readonly LinkFact[] {
    return linkList(this.#rtnl)
      .filter((link) => this.#veths.isOurs(link))
      .flatMap((link) => {
        const { name, index, up, mtu, alias } = link
        const mac = parseMac(link.mac ?? '')
        return mac === undefined ? [] : [{ name, index, up, mtu, mac, doomed: this.#veths.isDoomed(link), alias }]
      })
  }
}

/** The first interface of a pod has its default route; a further one has one behind it, by its priority. */
function addDefaultRoute(
  rtnl: RtnlSocket,
  link: number,
  { address, gateway }: Pick<PodAddress, 'address' | 'gateway'>,
): void {
  const six = familyOf(address) === 6
  const route = { destination: six ? '::/0' : '0.0.0.0/0', gateway, link, onlink: six }
  try {
    routeAdd(rtnl, route)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    routeAdd(rtnl, { ...route, priority: FURTHER_ROUTES + link })
  }
}

function requireLink(rtnl: RtnlSocket, ifname: string): Link {
  const link = linkFind(rtnl, ifname)
  if (link === undefined) throw cniError('link-failed', { ifname, reason: 'it vanished while it was being set up' })
  return link
}

/** No router advertises itself to a pod and nobody else has its addresses: no solicitations, no waiting. */
function quietIpv6(ifname: string, nsFd: number): void {
  for (const [key, value] of [
    ['disable_ipv6', '0'],
    ['accept_ra', '0'],
    ['accept_dad', '0'],
  ] as const) {
    sysctlSet(['net', 'ipv6', 'conf', ifname, key], value, nsFd)
  }
}
