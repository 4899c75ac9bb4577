/**
 * Veth pairs between pods and the node: one end in the pod, born there, the other on the node as an OVS port. Links of ours
 * carry a link group; what is to go is moved to another group and deleted in one sweep, because deleting links one by one
 * costs a grace period of the kernel each.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import {
  disableOffloads,
  hasErrno,
  type Link,
  type LinkSpec,
  linkAdd,
  linkDelGroup,
  linkFind,
  linkSet,
  type RtnlSocket,
  sysctlSet,
} from '../../linux/index.ts'
import { DOOMED_GROUP } from '../../network/host.ts'

/** Doomed links are collected this long before they are swept, in milliseconds. */
const SWEEP_DELAY_MS = 1_000

/** A pair to be made. */
export type VethSpec = Extract<LinkSpec, { readonly kind: 'veth' }> & { readonly nsFd?: never }

/** The node's ends of veth pairs, of one group, and how they go. */
export class Veths implements Disposable {
  readonly #rtnl: RtnlSocket
  readonly #group: number
  readonly #swept: (failure?: { readonly error: unknown }) => void
  #sweep: ReturnType<typeof setTimeout> | undefined
  #isOver = false
  /** Indexes of links to be marked and deleted at the next sweep. */
  readonly #doomed = new Set<number>()

  /** `swept` hears how each sweep that nobody waits for ended: without an error, or with what it met. */
  constructor(rtnl: RtnlSocket, group: number, swept: (failure?: { readonly error: unknown }) => void) {
    this.#rtnl = rtnl
    this.#group = group
    this.#swept = swept
  }

  /** No sweep begins any more; what is doomed yet is one of ours without a record, which the next agent sweeps. */
  [Symbol.dispose](): void {
    clearTimeout(this.#sweep)
    this.#isOver = true
  }

  /** Makes a pair of the group. What an interrupted ADD left, or a DEL just now, under one of its names is swept before. */
  async create(pair: Omit<VethSpec, 'kind' | 'group'>): Promise<void> {
    const spec: VethSpec = { ...pair, kind: 'veth', group: this.#group }
    try {
      linkAdd(this.#rtnl, spec)
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error
      this.doom(spec.name)
      await this.sweep()
      addAnew(this.#rtnl, spec)
    }
  }

  /** Marks a link of ours for deletion; any other, and none, is left alone. */
  doom(name: string): void {
    const found = linkFind(this.#rtnl, name)
    if (found === undefined || !this.isOurs(found)) return
    // Marked at the sweep, all at once: every notification of a link has ovs-vswitchd look at all its ports again. After a
    // crash before that, the link is one of ours without a lease.
    this.#doomed.add(found.index)
    if (!this.#isOver) this.#sweep ??= setTimeout(() => this.sweepUnwatched(), SWEEP_DELAY_MS)
  }

  /** Deletes what is doomed; how that ended is told to whoever was named at the beginning. */
  sweepUnwatched(): void {
    this.sweep().then(
      () => this.#swept(),
      (error: unknown) => this.#swept({ error }),
    )
  }

  /** Deletes what is doomed. */
  async sweep(): Promise<void> {
    clearTimeout(this.#sweep)
    this.#sweep = undefined
    for (const index of this.#doomed) this.#mark(index)
    this.#doomed.clear()
    await linkDelGroup(this.#rtnl, DOOMED_GROUP)
  }

  /** Whether a link is of the group, or was until it was doomed. */
  isOurs({ group, kind }: Link): boolean {
    return kind === 'veth' && (group === this.#group || group === DOOMED_GROUP)
  }

  /** Whether a link is about to go. */
  isDoomed({ group, index }: Link): boolean {
    return group === DOOMED_GROUP || this.#doomed.has(index)
  }

  #mark(index: number): void {
    try {
      linkSet(this.#rtnl, index, { group: DOOMED_GROUP })
    } catch (error) {
      // It went with its namespace in between.
      if (!hasErrno(error, 'ENODEV')) throw error
    }
  }
}

/** The second try: what is in the way now is not ours. */
function addAnew(rtnl: RtnlSocket, spec: VethSpec): void {
  try {
    linkAdd(rtnl, spec)
  } catch (error) {
    throw hasErrno(error, 'EEXIST') ? cniError('interface-exists', { ifname: spec.peer.name }) : error
  }
}

/**
 * Readies a pair for the userspace datapath, which reads frames off the link as they are: checksums must be in them, and
 * segments of wire size. The node's own stack hears the same frames and must not take part; should our nftables rules be
 * gone, this still holds. The node's end is in this program's namespace unless said otherwise.
 */
export function readyForUserspace(link: string, ifname: string, nsFd: number, nodeNsFd?: number): void {
  sysctlSet(['net', 'ipv4', 'conf', link, 'arp_ignore'], '8', nodeNsFd)
  sysctlSet(['net', 'ipv4', 'conf', link, 'forwarding'], '0', nodeNsFd)
  sysctlSet(['net', 'ipv6', 'conf', link, 'disable_ipv6'], '1', nodeNsFd)
  disableOffloads(link, nodeNsFd)
  disableOffloads(ifname, nsFd)
}
