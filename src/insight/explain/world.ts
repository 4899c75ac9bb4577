/**
 * What the objects say, as far as it counts for a verdict.
 * @module
 */
import type { PolicyWorld } from '../../network/policy/verdict.ts'
import { InsightError } from '../errors.ts'
import { type ClusterView, nodeOf, type RegistryView } from '../view.ts'

/** All that policies are judged by, with the names as a node resolved them. Throws `INSIGHT_REGISTRY_UNREACHABLE`, and `INSIGHT_AGENT_UNREACHABLE`. */
export function worldOf(view: ClusterView, node: string): PolicyWorld {
  const { policies, namespaces, pods, networks } = registryOf(view)
  return {
    policies,
    namespaces,
    pods,
    nodes: networks,
    podNetworks: clusterOf(view).networks.map(({ cidr }) => cidr),
    names: new Map(nodeOf(view, node)?.names),
  }
}

/** What the registry lists. Throws `INSIGHT_REGISTRY_UNREACHABLE`. */
export function registryOf({ registry, registryProblem }: ClusterView): RegistryView {
  if (registry !== undefined) return registry
  const cause = registryProblem ?? 'nothing says where the cluster’s objects are'
  throw new InsightError('INSIGHT_REGISTRY_UNREACHABLE', cause, 'name the cluster: --kubeconfig FILE')
}

/** The cluster's configuration, as every agent tells it. Throws `INSIGHT_AGENT_UNREACHABLE`. */
export function clusterOf({ nodes, silent }: ClusterView) {
  const [first] = nodes
  if (first !== undefined) return first.cluster
  const [one] = silent
  throw new InsightError('INSIGHT_AGENT_UNREACHABLE', one?.cause ?? 'no agent answers', one?.remedy ?? 'start one')
}
