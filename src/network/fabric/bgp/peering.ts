/**
 * By which peering a node speaks with another one: what was asked for goes before the mesh, what names a node before what
 * selects some, and what a node has of its own before what it has because the other side has it.
 * @module
 */
import type { Family } from '../../model/address.ts'
import type { BgpCluster, BgpNode, BgpPeer } from './model.ts'

/** A node's side of a pair. */
export type Side = { readonly by: 'mesh' } | { readonly by: 'peer'; readonly peer: BgpPeer; readonly isOwn: boolean }

/** The sides of every pair of a cluster's nodes. */
export interface Peerings {
  /** The side of `node` towards `other`; undefined where nothing joins them. */
  side(node: BgpNode, other: BgpNode, family: Family): Side | undefined
  /** Whether a node has a peering. */
  has(peer: BgpPeer, node: string): boolean
  /** What may join a node to addresses. */
  readonly addressPeers: readonly BgpPeer[]
}

/** The peerings of a cluster, looked up once. */
export function peeringsOf(cluster: BgpCluster): Peerings {
  const members = new Map(cluster.peers.map((peer) => [peer, membersOf(peer)]))
  const ordered = cluster.peers.toSorted((a, b) => RANK[a.on.kind] - RANK[b.on.kind] || compare(a.name, b.name))
  const has = (peer: BgpPeer, node: string): boolean => members.get(peer)?.on?.has(node) ?? true
  const reaches = (peer: BgpPeer, node: BgpNode, family: Family): boolean => {
    if (peer.to.kind === 'nodes') return members.get(peer)?.to.has(node.name) ?? false
    const { address, port } = peer.to
    return address === node.addresses[family] && (port === undefined || port === cluster.port)
  }
  const isMutual = ({ to }: BgpPeer): boolean => to.kind === 'nodes' && to.isMutual
  return {
    has,
    addressPeers: ordered.filter(({ to }) => to.kind === 'address'),
    side(node, other, family) {
      const own = ordered.find((peer) => has(peer, node.name) && reaches(peer, other, family))
      if (own !== undefined) return { by: 'peer', peer: own, isOwn: true }
      const back = ordered.find((peer) => isMutual(peer) && has(peer, other.name) && reaches(peer, node, family))
      if (back !== undefined) return { by: 'peer', peer: back, isOwn: false }
      return cluster.mesh !== undefined && isMeshed(node) && isMeshed(other) ? { by: 'mesh' } : undefined
    },
  }
}

/** The AS number a node goes by towards another. */
export function localAsOf(cluster: BgpCluster, node: BgpNode, side: Side): number {
  const own = side.by === 'peer' && side.isOwn ? side.peer.localAs : undefined
  return own ?? node.asNumber ?? cluster.asNumber
}

const RANK = { node: 0, selected: 1, all: 2 } as const

function membersOf({ on, to }: BgpPeer): { readonly on?: ReadonlySet<string>; readonly to: ReadonlySet<string> } {
  const targets = new Set(to.kind === 'nodes' ? to.nodes : [])
  if (on.kind === 'all') return { to: targets }
  return { on: new Set(on.kind === 'node' ? [on.node] : on.nodes), to: targets }
}

function isMeshed({ clusterId }: BgpNode): boolean {
  return clusterId === undefined
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
