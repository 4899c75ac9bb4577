/**
 * What the objects say, as far as it counts for a verdict.
 * @module
 */
import type { PolicyWorld } from '../../network/policy/verdict.ts'
import { type ClusterView, clusterOf, nodeOf, registryOf } from '../view.ts'

/** All that policies are judged by, with the names as a node resolved them. Throws `INSIGHT_REGISTRY_UNREACHABLE`, and `INSIGHT_AGENT_UNREACHABLE`. */
export function worldOf(view: ClusterView, node: string): PolicyWorld {
  const { policies, namespaces, pods, networks, sets = [] } = registryOf(view)
  return {
    policies,
    sets,
    namespaces,
    pods,
    nodes: networks,
    podNetworks: clusterOf(view).networks.map(({ cidr }) => cidr),
    names: new Map(nodeOf(view, node)?.names),
  }
}
