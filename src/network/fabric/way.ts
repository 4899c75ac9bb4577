/**
 * By which way packets of pods go to the pods of another machine. Every node decides for itself, by what all of them know and by
 * what its own kernel says; two need not come to the same, so both ways are open to what arrives.
 * @module
 */
import { type Cidr, type Family, familyOf } from '../model/address.ts'
import type { Cluster, Fabric } from '../model/cluster.ts'
import type { NodeNetwork } from '../model/node.ts'

/**
 * A tunnel, none, or a route of the kernel: `direct` over the machine's own address, `bgp` as BGP told it. `why`: what keeps packets from
 * such a route, for people; absent where none is wanted.
 */
export type Way =
  | { readonly is: 'direct' | 'bgp' }
  | { readonly is: 'tunnel'; readonly why?: string }
  | { readonly is: 'none'; readonly why: string }

/** What a way is called, wherever one is told of. */
export type WayName = Way['is']

/** Whether packets go this way without a tunnel. */
export function isRoute(name: WayName): name is 'direct' | 'bgp' {
  return name === 'direct' || name === 'bgp'
}

/** What a node's kernel knows of the ways to a machine without a tunnel, per family: a way, or why there is none. */
export type Reach = { readonly [F in Family]: 'open' | { readonly why: string } }

/** The same, where a machine has several ranges of a family. */
export interface KnownReach {
  readonly reach: Reach
  /** Ranges that there is no way to, although there is one to others of their family: why. Absent: none. */
  readonly without?: Readonly<Record<Cidr, string>>
}

/** Before the kernel was asked. */
export const UNKNOWN_REACH: Reach = {
  4: { why: 'this node has not looked for a way yet' },
  6: { why: 'this node has not looked for a way yet' },
}

const TUNNEL: Fabric = { way: 'tunnel', otherwise: 'tunnel' }

/** The cluster's fabric. */
export function fabricOf({ fabric = TUNNEL }: Pick<Cluster, 'fabric'>): Fabric {
  return fabric
}

/** Whether packets of pods go between nodes without a tunnel, where they can. */
export function isDirect(cluster: Pick<Cluster, 'fabric'>): boolean {
  return fabricOf(cluster).way !== 'tunnel'
}

/** The way to the pods of a machine. A host outside the cluster is of one tenant, which only the tunnel tells. */
export function wayTo(cluster: Pick<Cluster, 'fabric'>, peer: NodeNetwork, family: Family, reach: Reach): Way {
  const { way, otherwise } = fabricOf(cluster)
  if (way === 'tunnel' || peer.machine.kind === 'external') return { is: 'tunnel' }
  const why = obstacle(peer, reach[family])
  if (why === undefined) return { is: way }
  return otherwise === 'tunnel' ? { is: 'tunnel', why } : { is: 'none', why }
}

/** The way to the pods of one of its ranges: a new one may have none while others of its family have. */
export function wayToRange(
  cluster: Pick<Cluster, 'fabric'>,
  peer: NodeNetwork,
  range: Cidr,
  { reach, without = {} }: KnownReach,
): Way {
  const family = familyOf(range)
  const why = without[range]
  return wayTo(cluster, peer, family, why === undefined ? reach : { ...reach, [family]: { why } })
}

function obstacle({ node, status }: NodeNetwork, reach: Reach[Family]): string | undefined {
  if (status?.direct !== true) return `the agent of ${node} does not take packets without a tunnel`
  return reach === 'open' ? undefined : reach.why
}
