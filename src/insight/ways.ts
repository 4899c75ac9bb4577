/**
 * The way between two nodes, as the agent of the sender's node has it, and what it is called.
 * @module
 */
import type { NodeFacts, RouteFact } from '../agent/control/facts.ts'
import type { WayName } from '../network/fabric/way.ts'
import { contains, familyOf, type Ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'

/** The way that packets of pods of a node take to an address of another machine's. Undefined: its agent does not tell. */
export function wayOf({ status }: NodeFacts, peer: string, to: Ip): RouteFact | undefined {
  const known = status.peers.find(({ node }) => node === peer)
  const way = known?.ways?.find(({ family }) => family === familyOf(to))
  return way?.ranges?.find(({ range }) => contains(range, to)) ?? way
}

/** `vxlan over IPv4`. */
export function tunnelName({ encapsulation, underlay }: Pick<Cluster, 'encapsulation' | 'underlay'>): string {
  return `${encapsulation.type} over IPv${underlay}`
}

/** What carries packets, to stand behind a preposition: `the vxlan tunnel`, `the direct route`. */
export function carrierWords(way: Exclude<WayName, 'none'>, { encapsulation }: Pick<Cluster, 'encapsulation'>): string {
  if (way === 'tunnel') return `the ${encapsulation.type} tunnel`
  return way === 'direct' ? 'the direct route' : 'the route that BGP told'
}

/** `by the direct route over 198.18.77.12 on eth0`, `through the vxlan tunnel, as node2 is on another segment`. */
export function wayWords({ way, why, via, link }: RouteFact, cluster: Pick<Cluster, 'encapsulation'>): string {
  const cause = why === undefined ? '' : `, as ${why}`
  if (way === 'none') return `there is no way${cause}`
  const carrier = carrierWords(way, cluster)
  if (way === 'tunnel') return `through ${carrier}${cause}`
  return `by ${carrier}${via === undefined ? '' : ` over ${via}${link === undefined ? '' : ` on ${link}`}`}`
}
