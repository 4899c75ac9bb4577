/**
 * How nodes reach each other's pods: what every agent says of its ways to the others.
 * @module
 */
import type { WayFact } from '../../agent/control/facts.ts'
import { fabricOf } from '../../network/fabric/way.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import type { ClusterView } from '../view.ts'

/** A way from a node to the pods of another machine, in one family. */
export interface FabricWay extends WayFact {
  readonly node: string
  readonly peer: string
  /** Largest packet of a pod in bytes. */
  readonly mtu: number | undefined
  /** What the tunnel is, of a way through it. */
  readonly tunnel?: string
}

/** The fabric as its nodes see it. */
export interface FabricView {
  /** What the cluster wants; absent when no agent knows. */
  readonly wanted?: Fabric
  readonly ways: readonly FabricWay[]
  /** Agents that do not answer, by node. */
  readonly silent: readonly string[]
}

/** The fabric of a cluster. */
export function fabricView(view: ClusterView): FabricView {
  const [first] = view.nodes
  const ways = view.nodes.flatMap(({ status, cluster }) =>
    status.peers.flatMap((peer) =>
      (peer.ways ?? []).map((way): FabricWay => {
        const tunnel = way.way === 'tunnel' ? { tunnel: `${cluster.encapsulation.type} to ${peer.address ?? '?'}` } : {}
        return { node: status.node, peer: peer.node, mtu: status.mtu, ...way, ...tunnel }
      }),
    ),
  )
  return {
    ...(first === undefined ? {} : { wanted: fabricOf(first.cluster) }),
    ways,
    silent: view.silent.map(({ name }) => name),
  }
}

/** Whether every way is as the cluster wants it. */
export function isWhole({ wanted, ways, silent }: FabricView): boolean {
  if (silent.length > 0) return false
  const isWanted = ({ way, why }: FabricWay): boolean =>
    way !== 'none' && (wanted?.otherwise === 'tunnel' || why === undefined)
  return ways.every(isWanted)
}
