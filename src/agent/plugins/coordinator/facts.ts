/**
 * What a coordination starts from: the pod's links, addresses and routes, and the node's addresses. Links are told by
 * their names.
 * @module
 */
import type { Cidr, Ip, Mac } from '../../../network/model/address.ts'

/** An address of a pod's interface that packets can come from; no link-local ones. */
export interface PodAddressFact {
  readonly link: string
  readonly address: Ip
}

/** One way of a route; one with several ways is several of these. */
export interface RouteFact {
  readonly table: number
  readonly destination: Cidr
  readonly link: string
  readonly gateway?: Ip
  readonly source?: Ip
  /** The gateway is on the link, whatever routes say. */
  readonly onlink: boolean
  /** Lower is asked first. */
  readonly priority: number
  /** Who made it. */
  readonly protocol: number
}

/** A pod, as it is. */
export interface PodFacts {
  readonly links: ReadonlyMap<string, { readonly mac: Mac; readonly up: boolean }>
  readonly addresses: readonly PodAddressFact[]
  /** Of unicast, in any table but `local`. */
  readonly routes: readonly RouteFact[]
}

/** A node, as it is. */
export interface HostFacts {
  /** What it can be reached at, the one that is nearest to the pod first in each family. */
  readonly addresses: readonly Ip[]
  /** The node's end of the pod's first interface, where that is another's overlay: the way to the pod. */
  readonly peer?: string
}
