/**
 * The fabric in a line, for `weft status`.
 * @module
 */
import type { WayName } from '../../network/fabric/way.ts'
import type { ClusterView } from '../view.ts'
import { countWays, type FabricWay, fabricView, inForceWords } from './fabric.ts'

/** The ways between the nodes of a cluster, in short: `weft fabric show` tells all. */
export interface FabricSummary {
  /** For people: `direct routes for 8 of 12 ways, vxlan over IPv4 for 4`. */
  readonly inForce: string
  /** How many there are of each: one from every node to every other, in each family. */
  readonly ways: Readonly<Partial<Record<WayName, number>>>
}

/** The summary, and what is wrong with it. Without one where no agent tells. */
export function fabricSummary(view: ClusterView): {
  readonly fabric?: FabricSummary
  readonly problems: readonly string[]
} {
  const [first] = view.nodes
  const ways = waysBetweenNodes(view)
  const problems = refusedWays(ways)
  if (first === undefined) return { problems }
  return {
    fabric: { inForce: inForceWords(first.cluster, ways), ways: Object.fromEntries(countWays(ways)) },
    problems,
  }
}

/** Hosts outside are reached by the tunnel in every fabric. */
function waysBetweenNodes(view: ClusterView): readonly FabricWay[] {
  const hosts = new Set(
    view.registry?.networks.filter(({ machine }) => machine.kind === 'external').map(({ node }) => node),
  )
  return fabricView(view).ways.filter(({ node, peer }) => !hosts.has(node) && !hosts.has(peer))
}

/** One line however many there are. */
function refusedWays(ways: readonly FabricWay[]): readonly string[] {
  const refused = ways.filter(({ way }) => way === 'none')
  const [first] = refused
  if (first === undefined) return []
  const { node, peer, family, why = 'there is no way' } = first
  const which = `${refused.length} of ${ways.length} ways between nodes`
  return [`${which} are refused, such as that of ${node} to ${peer} over IPv${family}: ${why} → weft fabric show`]
}
