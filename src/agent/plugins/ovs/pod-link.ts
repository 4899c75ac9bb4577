/**
 * The veth pair between a pod and somebody's bridge.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import {
  hasErrno,
  type Link,
  linkDel,
  linkFind,
  linkGet,
  linkSet,
  openRtnl,
  type RtnlSocket,
  sysctlGet,
  sysctlSet,
} from '../../../linux/index.ts'
import { UNDERLAY_GROUP } from '../../../network/host.ts'
import type { Mac } from '../../../network/model/address.ts'
import type { PodNetns } from '../../attach/endpoint-links.ts'
import { readyForUserspace, Veths } from '../../attach/veth.ts'

/** A pair to be made. MTUs are in bytes; absent: the kernel's. */
export interface PodLinkOrder {
  /** The node's end. */
  readonly link: string
  /** The pod's end. */
  readonly ifname: string
  readonly netns: PodNetns
  readonly datapath: 'system' | 'netdev'
  readonly nodeMtu?: number
  readonly podMtu?: number
  /** Absent: the kernel's choice, and it may be set once the pod's address is known. */
  readonly mac?: Mac
  /** Whose it is, for people. */
  readonly alias: string
}

/** The pairs of pods on others' bridges. */
export class PodLinks implements Disposable {
  readonly #rtnl: RtnlSocket
  readonly #veths: Veths
  readonly #nodeNsFd: number | undefined

  /** `swept` hears how each sweep that nobody waits for ended; `nodeNsFd` is the node's namespace where it is not this program's. */
  constructor(
    rtnl: RtnlSocket,
    swept: (failure?: { readonly error: unknown }) => void = () => undefined,
    nodeNsFd?: number,
  ) {
    this.#rtnl = rtnl
    this.#veths = new Veths(rtnl, UNDERLAY_GROUP, swept)
    this.#nodeNsFd = nodeNsFd
  }

  [Symbol.dispose](): void {
    this.#veths[Symbol.dispose]()
  }

  /** Makes a pair, both ends up. Throws `interface-exists`. */
  async create({ link, ifname, netns, datapath, nodeMtu, podMtu, mac, alias }: PodLinkOrder): Promise<void> {
    const peer = { name: ifname, nsFd: netns.fd, ...optional('mac', mac), ...optional('mtu', podMtu) }
    await this.#veths.create({ name: link, ...optional('mtu', nodeMtu), peer })
    // Before Open vSwitch knows the port: it reads a link's flags, and writes them back with its own among them.
    linkSet(this.#rtnl, link, { up: true, addrGenMode: 'none', alias })
    if (datapath === 'netdev') readyForUserspace(link, ifname, netns.fd, this.#nodeNsFd)
    using rtnl = openRtnl({ nsFd: netns.fd })
    // By itself: of what one message asks for, the kernel sets the link up first.
    if (mac === undefined) linkSet(rtnl, ifname, { addrGenMode: 'none' })
    linkSet(rtnl, ifname, { up: true })
  }

  /**
   * Settles the pod's MAC address: the one given, else the one it has; and answers which. Only now does it make itself a
   * link-local address, which is made of it.
   */
  settleMac(ifname: string, { fd: nsFd }: PodNetns, mac?: Mac): Mac {
    using rtnl = openRtnl({ nsFd })
    if (mac !== undefined) linkSet(rtnl, ifname, { mac })
    const key = ['net', 'ipv6', 'conf', ifname, 'addr_gen_mode']
    if (sysctlGet(key, nsFd) === NO_ADDRESSES) sysctlSet(key, generationMode(nsFd), nsFd)
    return macOf(linkGet(rtnl, ifname), ifname)
  }

  /** The node's end; undefined when it is gone or about to go. */
  nodeEnd(link: string): Link | undefined {
    const found = linkFind(this.#rtnl, link)
    return found === undefined || !this.#veths.isOurs(found) || this.#veths.isDoomed(found) ? undefined : found
  }

  /** Sets the node's end up again: a port of the same name that Open vSwitch was closing may have set it down. */
  raise(link: string): void {
    linkSet(this.#rtnl, link, { up: true })
  }

  /** Marks a pair of ours for deletion; any other, and none, is left alone. */
  doom(link: string): void {
    this.#veths.doom(link)
  }

  /** Deletes what is doomed. */
  sweep(): Promise<void> {
    return this.#veths.sweep()
  }

  /** Deletes the pair of a port that ovs-cni made: it marks its links by nothing but the port. */
  async removeOfOvsCni(link: string): Promise<void> {
    const found = linkFind(this.#rtnl, link)
    if (found?.kind !== 'veth') return
    try {
      await linkDel(this.#rtnl, found.index)
    } catch (error) {
      // It went with its namespace in between.
      if (!hasErrno(error, 'ENODEV')) throw error
    }
  }
}

/** The value of sysctl `addr_gen_mode` for links that make themselves no addresses. */
const NO_ADDRESSES = '1'
const EUI64 = '0'

/** How links of this namespace usually make their link-local address. */
function generationMode(nsFd: number): string {
  const usual = sysctlGet(['net', 'ipv6', 'conf', 'default', 'addr_gen_mode'], nsFd)
  return usual === NO_ADDRESSES ? EUI64 : usual
}

function macOf({ mac }: Link, ifname: string): Mac {
  if (mac === undefined) throw cniError('link-failed', { ifname, reason: 'it has no MAC address' })
  return mac as Mac
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T }
}
