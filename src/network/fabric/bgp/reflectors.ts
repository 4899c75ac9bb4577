/**
 * Which nodes of a large mesh could reflect routes. A mesh of n nodes has n·(n−1)/2 sessions, n−1 on each of them; with r
 * reflectors every other node has r.
 * @module
 */
import type { Labels } from '../../model/policy.ts'
import { routerIdOf } from './identity.ts'
import { type BgpCluster, type BgpNode, FAMILIES } from './model.ts'
import { sessionsOf } from './sessions.ts'

/** More nodes than this are better not joined each to each: common advice of those who run such clusters. */
export const LARGE_MESH = 100
/** One may fail while another is being changed. */
const LEAST = 3
/** So many nodes per reflector beyond the first ones. */
const NODES_EACH = 500

/** What is known and asked. */
export interface ReflectorQuestion {
  readonly cluster: BgpCluster
  /** By nodes' names. */
  readonly labels: ReadonlyMap<string, Labels>
  /** A mesh of up to so many nodes stays one. */
  readonly above: number
  /** How many reflectors; absent: as many as the size of the cluster asks for. */
  readonly count?: number
}

/** A node that should reflect routes. */
export interface ProposedReflector {
  readonly node: string
  /**
   * A cluster of its own: reflectors of one cluster would not take each other's routes. The node's router id: any other would
   * begin its sessions anew.
   */
  readonly clusterId: string
  readonly zone?: string
}

/** Sessions of a cluster, both families counted. */
export interface SessionCount {
  readonly all: number
  /** On the node that has most. */
  readonly most: number
}

/** What is, and what is proposed. */
export interface ReflectorPlan {
  readonly nodes: number
  readonly isMeshed: boolean
  /** Nodes that reflect already. */
  readonly reflectors: readonly string[]
  readonly now: SessionCount
  /** Absent: it is fine as it is. */
  readonly proposal?: { readonly reflectors: readonly ProposedReflector[]; readonly after: SessionCount }
}

/** A plan. Nothing is changed by it; the same question has the same answer. */
export function reflectorPlan({ cluster, labels, above, count }: ReflectorQuestion): ReflectorPlan {
  const { nodes } = cluster
  const reflectors = nodes.flatMap(({ name, clusterId }) => (clusterId === undefined ? [] : [name])).toSorted()
  const isMeshed = cluster.mesh !== undefined
  const plan = { nodes: nodes.length, isMeshed, reflectors, now: countOf(cluster) }
  const meshed = nodes.length - reflectors.length
  if (!isMeshed || meshed <= above || reflectors.length > 1) return plan
  const wanted = Math.min(count ?? Math.max(LEAST, Math.ceil(nodes.length / NODES_EACH)), nodes.length)
  const chosen = chosenOf(nodes, labels, wanted)
  return { ...plan, proposal: { reflectors: chosen, after: countWith(nodes, new Set(chosen.map(({ node }) => node))) } }
}

const ZONE = 'topology.kubernetes.io/zone'
/** Nodes that come and go least, and that no workload takes the processor of. */
const STABLE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

/** From every zone in turn; those that reflect already and the most stable first. */
function chosenOf(
  nodes: readonly BgpNode[],
  labels: ReadonlyMap<string, Labels>,
  count: number,
): readonly ProposedReflector[] {
  const zones = new Map<string, BgpNode[]>()
  const rank = ({ name, clusterId }: BgpNode): number => {
    if (clusterId !== undefined) return 0
    return STABLE.some((key) => Object.hasOwn(labels.get(name) ?? {}, key)) ? 1 : 2
  }
  const ordered = nodes.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  for (const node of ordered) {
    const zone = labels.get(node.name)?.[ZONE] ?? ''
    zones.set(zone, [...(zones.get(zone) ?? []), node])
  }
  const turns = [...zones].flatMap(([zone, members]) => members.map((node, turn) => ({ node, zone, turn })))
  const inTurn = turns.toSorted((a, b) => a.turn - b.turn || ordered.indexOf(a.node) - ordered.indexOf(b.node))
  return inTurn.slice(0, count).map(({ node, zone }) => ({
    node: node.name,
    clusterId: node.clusterId ?? routerIdOf(node),
    ...(zone === '' ? {} : { zone }),
  }))
}

/** Of a large mesh by arithmetic: it is the same on every node. */
function countOf(cluster: BgpCluster): SessionCount {
  const { nodes } = cluster
  if (cluster.peers.length === 0 && cluster.mesh !== undefined) return countWith(nodes, undefined)
  const each = nodes.map(({ name }) => sessionsOf(cluster, name).sessions)
  const ends = each.flat()
  const inner = ends.filter(({ kind }) => kind === 'node').length
  return { all: inner / 2 + ends.length - inner, most: Math.max(0, ...each.map((sessions) => sessions.length)) }
}

/** Without reflectors every two have a session, else every two of which one is a reflector. */
function countWith(nodes: readonly BgpNode[], reflectors: ReadonlySet<string> | undefined): SessionCount {
  const perFamily = FAMILIES.map((family) => {
    const members = nodes.filter(({ addresses }) => addresses[family] !== undefined)
    const some = members.filter(({ name }) => reflectors?.has(name) ?? true).length
    const others = members.length - some
    return { all: (some * (some - 1)) / 2 + some * others, most: Math.max(0, members.length - 1) }
  })
  return { all: sum(perFamily.map(({ all }) => all)), most: sum(perFamily.map(({ most }) => most)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
