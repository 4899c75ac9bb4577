/**
 * What is known of a cluster at one moment: what every agent that answers tells of its node, and what the registry
 * lists. Status, drops, trace and audit are functions of this.
 * @module
 */
import type { AgentStatus, NodeFacts } from '../agent/control/facts.ts'
import type { Fragment } from '../network/fragments/fragment.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { NetworkSet } from '../network/model/network-set.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Namespace, Pod } from '../network/model/pod.ts'
import type { Policy } from '../network/model/policy.ts'
import type { Tenant } from '../network/model/tenant.ts'
import { hashKey } from '../network/pipeline/cookie.ts'
import { InsightError } from './errors.ts'

/** The cluster at one moment. */
export interface ClusterView {
  /** One per agent that answered, by name. */
  readonly nodes: readonly NodeFacts[]
  readonly silent: readonly SilentAgent[]
  /** Undefined when the registry was not asked or did not answer. */
  readonly registry: RegistryView | undefined
  /** Why the registry did not answer. */
  readonly registryProblem?: string
}

/** An agent that did not tell its facts: it does not answer, or has none yet. */
export interface SilentAgent {
  /** The node's name where the folder tells, else the socket's path. */
  readonly name: string
  readonly cause: string
  readonly remedy: string
  /** What it says of itself, if it answers at all. */
  readonly status?: AgentStatus
}

/** The part of the registry that nodes are compared with. */
export interface RegistryView {
  readonly tenants: readonly Tenant[]
  readonly pods: readonly Pod[]
  readonly networks: readonly NodeNetwork[]
  readonly namespaces: readonly Namespace[]
  /** Of every kind. */
  readonly policies: readonly Policy[]
  /** Addresses with labels, which policies select. Absent: none. */
  readonly sets?: readonly NetworkSet[]
  /** What Calico has and nobody does here, a sentence each. Absent: nothing. */
  readonly refused?: readonly string[]
  /** What somebody wrote and nobody can read, a sentence each. */
  readonly unreadable?: readonly string[]
}

/** The node of this name, if its agent answered. */
export function nodeOf(view: ClusterView, name: string): NodeFacts | undefined {
  return view.nodes.find(({ status }) => status.node === name)
}

/** What the registry lists. Throws `INSIGHT_REGISTRY_UNREACHABLE`. */
export function registryOf({ registry, registryProblem }: ClusterView): RegistryView {
  if (registry !== undefined) return registry
  const cause = registryProblem ?? 'nothing says where the cluster’s objects are'
  throw new InsightError('INSIGHT_REGISTRY_UNREACHABLE', cause, 'name the cluster: --kubeconfig FILE')
}

/** The cluster's configuration, as every agent tells it. Throws `INSIGHT_AGENT_UNREACHABLE`. */
export function clusterOf({ nodes, silent }: ClusterView): Cluster {
  const [first] = nodes
  if (first !== undefined) return first.cluster
  const [one] = silent
  throw new InsightError('INSIGHT_AGENT_UNREACHABLE', one?.cause ?? 'no agent answers', one?.remedy ?? 'start one')
}

/** Titles of a node's fragments by the hash in their flows' cookies. */
export function titlesByHash(fragments: readonly Fragment[]): ReadonlyMap<bigint, string> {
  return new Map(fragments.map(({ key, title }) => [hashKey(key), title]))
}
