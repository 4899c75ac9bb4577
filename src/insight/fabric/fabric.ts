/**
 * How nodes reach each other's pods: what every agent says of its ways to the others.
 * @module
 */
import type { BgpSessionFact, TunnelFact, WayFact } from '../../agent/control/facts.ts'
import { fabricOf, isRoute, type WayName } from '../../network/fabric/way.ts'
import { ROUTES, wantedWords } from '../../network/fabric/words.ts'
import type { Cluster, Fabric } from '../../network/model/cluster.ts'
import type { ClusterView } from '../view.ts'
import { tunnelName } from '../ways.ts'

/** A way from a node to the pods of another machine, in one family. */
export interface FabricWay extends WayFact {
  readonly node: string
  readonly peer: string
  /** Largest packet of a pod in bytes. */
  readonly mtu: number | undefined
  /** What the tunnel is, of a way through it. */
  readonly tunnel?: string
}

/** The tunnel from a node to another machine, as the node's agent finds it. */
export interface FabricTunnel extends TunnelFact {
  readonly node: string
  readonly peer: string
}

/** A BGP session as one of its two sides has it. */
export interface FabricSession extends Omit<BgpSessionFact, 'node'> {
  readonly node: string
  /** The other side, where it is a node of the cluster. */
  readonly remote?: string
}

/** A node's BGP daemon that does not do what it should. */
export interface FabricTrouble {
  readonly node: string
  readonly problem: string
}

/** The fabric as its nodes see it. */
export interface FabricView {
  /** What the cluster wants; absent when no agent knows. */
  readonly wanted?: Fabric
  readonly ways: readonly FabricWay[]
  /** Of every fabric: what is not from pod to pod takes the tunnel. */
  readonly tunnels: readonly FabricTunnel[]
  readonly sessions: readonly FabricSession[]
  readonly troubles: readonly FabricTrouble[]
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
    tunnels: view.nodes.flatMap(({ status }) =>
      status.peers.flatMap(({ node: peer, tunnel }) =>
        tunnel === undefined ? [] : [{ node: status.node, peer, ...tunnel }],
      ),
    ),
    sessions: view.nodes.flatMap(({ status }) =>
      (status.bgp?.sessions ?? []).map(({ node: remote, ...session }) => ({
        ...session,
        node: status.node,
        ...(remote === undefined ? {} : { remote }),
      })),
    ),
    troubles: view.nodes.flatMap(({ status: { node, bgp } }) => {
      const problem = bgp?.problem ?? (bgp?.isRunning === false ? 'BIRD does not run' : undefined)
      return problem === undefined ? [] : [{ node, problem }]
    }),
    silent: view.silent.map(({ name }) => name),
  }
}

const NAMES: readonly WayName[] = ['direct', 'bgp', 'tunnel', 'none']

/** How many there are of each, those that there are. */
export function countWays(ways: readonly Pick<FabricWay, 'way'>[]): ReadonlyMap<WayName, number> {
  const counts = NAMES.map((name) => [name, ways.filter(({ way }) => way === name).length] as const)
  return new Map(counts.filter(([, count]) => count > 0))
}

/** What is in force between nodes of the cluster: `direct routes`, `direct routes for 8 of 12 ways, vxlan over IPv4 for 4`. */
export function inForceWords(cluster: Cluster, ways: readonly Pick<FabricWay, 'way'>[]): string {
  const tunnel = tunnelName(cluster)
  const { way } = fabricOf(cluster)
  const [first, ...more] = [...countWays(ways)]
  if (way === 'tunnel' || first === undefined) return wantedWords(cluster, tunnel)
  const names = { ...ROUTES, tunnel, none: 'none' } as const
  const [name, some] = first
  if (more.length > 0) {
    const rest = more.map(([other, few]) => `${names[other]} for ${few}`)
    return [`${names[name]} for ${some} of ${ways.length} ways`, ...rest].join(', ')
  }
  if (isRoute(name)) return names[name]
  return `${name === 'none' ? 'no way between nodes' : tunnel} for want of ${ROUTES[way]}`
}

/** Whether every way is as the cluster wants it, every session up, and every tunnel carries. */
export function isWhole({ wanted, ways, tunnels, sessions, troubles, silent }: FabricView): boolean {
  if (silent.length > 0 || troubles.length > 0 || sessions.some(({ isUp }) => !isUp)) return false
  if (tunnels.some(({ problem }) => problem !== undefined)) return false
  const isWanted = ({ way, why }: FabricWay): boolean =>
    way !== 'none' && (wanted?.otherwise === 'tunnel' || why === undefined)
  return ways.every(isWanted)
}
