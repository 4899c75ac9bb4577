/**
 * What the objects say, as far as it counts for a verdict.
 * @module
 */

import { type Policy, policyKey } from '../../network/model/policy.ts'
import type { PolicyWorld } from '../../network/policy/verdict.ts'
import { type ClusterView, clusterOf, nodeOf, registryOf } from '../view.ts'

/** All that policies are judged by, with the names as a node resolved them, and what it keeps of policies that cannot be read now. Throws `INSIGHT_REGISTRY_UNREACHABLE`, and `INSIGHT_AGENT_UNREACHABLE`. */
export function worldOf(view: ClusterView, node: string): PolicyWorld {
  const { policies, namespaces, pods, networks, sets = [] } = registryOf(view)
  const kept = new Map(nodeOf(view, node)?.keptPolicies?.map((policy) => [policyKey(policy), policy]))
  return {
    policies: kept.size === 0 ? policies : policies.map((policy) => inForce(policy, kept.get(policyKey(policy)))),
    sets,
    namespaces,
    pods,
    nodes: networks,
    podNetworks: clusterOf(view).networks.map(({ cidr }) => cidr),
    names: new Map(nodeOf(view, node)?.names),
  }
}

/** Since the agent was asked somebody may have corrected it. */
function inForce(policy: Policy, kept: Policy | undefined): Policy {
  return policy.isUnread === true && kept !== undefined ? kept : policy
}
