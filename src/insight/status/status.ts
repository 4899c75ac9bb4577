/**
 * The cluster at a glance.
 * @module
 */

import type { NodeFacts, RangeFact, TunnelFact, UnderlayFact } from '../../agent/control/facts.ts'
import { REFUSED_FIELDS } from '../../compat/calico/policy/policy.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import type { Policy } from '../../network/model/policy.ts'
import { limitRows } from '../bandwidth/bandwidth.ts'
import { limitProblems } from '../bandwidth/print.ts'
import { type FabricSummary, fabricSummary } from '../fabric/summary.ts'
import { nameOf } from '../trace/party.ts'
import type { ClusterView } from '../view.ts'
import { answeringNode, reportedNode, silentNode } from './node-status.ts'

/** What `weft status --json` prints. */
export interface ClusterStatus {
  /** Every node answers, is ready, and nobody reports a problem. */
  readonly ready: boolean
  readonly cluster: Cluster | undefined
  /** By which ways packets of pods go between its nodes. Absent: no agent tells. */
  readonly fabric?: FabricSummary
  readonly nodes: readonly NodeStatus[]
  readonly tenants: readonly TenantStatus[]
  /** What the controller says is wrong with namespaces and nodes, and why the registry did not answer. */
  readonly problems: readonly string[]
  /** Pods' interfaces on the physical network. */
  readonly underlay: readonly UnderlayStatus[]
  /** This machine's part of a mesh of Docker hosts, beside the cluster or without one. Absent: it has none. */
  readonly mesh?: MeshSummary
  /** Limits of pods that are not as somebody asked for. The network is as ready as ever. */
  readonly limits: readonly string[]
  /** What Calico has and nobody does here. The network is as ready as ever. */
  readonly refused: readonly string[]
}

/**
 * A machine of the overlay: what its agent says when asked, else what it last reported to the registry, else that it says
 * nothing. `unmanaged`: a host outside the cluster of which no agent ever reported, such as a device of another make.
 */
export interface NodeStatus {
  readonly node: string
  /** The VNI of a host outside the cluster; undefined for a node. */
  readonly externalVni: number | undefined
  readonly state: 'ready' | 'waiting' | 'silent' | 'unmanaged'
  /** What it waits for, what goes wrong, or why nothing is known. */
  readonly problems: readonly string[]
  /** How full each is, where its agent was asked. */
  readonly ranges: readonly (RangeFact | Pick<RangeFact, 'range' | 'closing'>)[]
  readonly mtu: number | undefined
  readonly uplinkMtu: number | undefined
  readonly peers: readonly string[]
  /** Of those of them that tunnels lead to, whether they carry; by name. */
  readonly tunnels: Readonly<Record<string, TunnelFact>>
  /** Nodes of the cluster that it should have as peers and has not. */
  readonly missingPeers: readonly string[]
  /** On the overlay, on the physical network, or on both. */
  readonly pods: number
  readonly flows: number
  readonly addresses: readonly Ip[]
  /** Bridges of ours on the physical network, where pods are guarded. */
  readonly guardedBridges: readonly string[]
  /** Undefined where no agent was asked. */
  readonly agent: AgentIdentity | undefined
}

/** This machine's part of a mesh, in short: `weft mesh status` tells all. */
export interface MeshSummary {
  /** Its name in the mesh's list. */
  readonly host: string
  /** How many other machines there are, and how many of them answer. */
  readonly peers: number
  readonly up: number
  /** Nothing is in its way. */
  readonly isWhole: boolean
}

/** A pod's interface on a bridge of the physical network. */
export interface UnderlayStatus {
  readonly pod: string
  readonly ifname: string
  readonly node: string
  readonly bridge: string
  /** For people: `100`, `trunk 1-9`; empty: of no VLAN. */
  readonly vlan: string
  readonly addresses: readonly Ip[]
  /** Whether spoof guard and policies hold there. `missing`: they should. */
  readonly guard: UnderlayFact['guard']
  readonly problem: string | undefined
}

/** Which program on which switch. */
export interface AgentIdentity {
  readonly version: string
  readonly pid: number
  readonly ovsVersion: string
  readonly datapath: 'system' | 'netdev'
  /** Seconds since the epoch. */
  readonly startedAt: number
  readonly fullSyncs: number
}

/** A virtual network, the namespaces that share it, and their pods. */
export interface TenantStatus {
  readonly vni: number
  readonly namespaces: readonly string[]
  readonly pods: readonly PodStatus[]
}

/** A pod that a node has attached. */
export interface PodStatus {
  readonly pod: string
  readonly node: string
  readonly addresses: readonly Ip[]
}

/** The cluster at a glance, and the mesh of the machine that is asked. */
export function clusterStatus(view: ClusterView, mesh?: MeshSummary): ClusterStatus {
  const names = new Set([
    ...view.nodes.map(({ status }) => status.node),
    ...(view.registry?.networks.map(({ node }) => node) ?? []),
  ])
  const networks = new Map(view.registry?.networks.map((network) => [network.node, network]))
  const bridges = new Map(view.nodes.map(({ status: { node }, wires }) => [node, wires.map(({ bridge }) => bridge)]))
  const wired = new Map(view.nodes.map((facts) => [facts.status.node, wiredOnly(facts)]))
  const answering = [...view.nodes, ...view.silent].flatMap(({ status }) =>
    status === undefined
      ? []
      : [
          {
            ...answeringNode(status, names, networks.get(status.node), wired.get(status.node) ?? 0),
            guardedBridges: bridges.get(status.node) ?? [],
          },
        ],
  )
  const known = new Set([...answering.map(({ node }) => node), ...view.silent.map(({ name }) => name)])
  const missing = [...networks.values()].filter(({ node }) => !known.has(node)).map(reportedNode)
  const silent = view.silent
    .filter(({ status }) => status === undefined)
    .map((agent) => silentNode(agent, networks.get(agent.name)))
  const nodes = [...answering, ...silent, ...missing].sort((a, b) => (a.node < b.node ? -1 : 1))
  const { fabric, problems: refused } = fabricSummary(view)
  const problems = [...sharedProblems(view), ...refused]
  return {
    ready:
      problems.length === 0 &&
      mesh?.isWhole !== false &&
      nodes.every((one) => STATES_OF_HEALTH.has(one.state) && one.problems.length === 0),
    cluster: view.nodes[0]?.cluster,
    ...(fabric === undefined ? {} : { fabric }),
    nodes,
    tenants: tenantsOf(view),
    problems,
    underlay: view.nodes.flatMap(underlayOf),
    ...(mesh === undefined ? {} : { mesh }),
    limits: limitProblems(limitRows(view.nodes.map(({ status: { node }, limits }) => ({ node, now: limits })))),
    refused: [...(view.registry?.refused ?? []), ...(view.registry?.policies ?? []).flatMap(refusedPolicy)],
  }
}

const STATES_OF_HEALTH: ReadonlySet<NodeStatus['state']> = new Set(['ready', 'unmanaged'])

function sharedProblems({ registry, registryProblem }: ClusterView): string[] {
  const namespaces = registry?.namespaces ?? []
  const networks = registry?.networks ?? []
  return [
    ...namespaces.flatMap(({ name, problem }) => (problem === undefined ? [] : [`namespace ${name}: ${problem}`])),
    ...networks.flatMap(({ node, machine, problem }) =>
      problem === undefined ? [] : [`${machine.kind === 'node' ? 'node' : 'host'} ${node}: ${problem}`],
    ),
    ...(registryProblem === undefined ? [] : [`registry: ${registryProblem}`]),
    ...(registry?.unreadable ?? []),
  ]
}

/** A policy for interfaces of hosts, or of a tier that nobody judges, in the words of its problems. */
function refusedPolicy(policy: Policy): readonly string[] {
  const { kind, namespace, name, problems = [] } = policy
  const about = `${kind === 'CalicoNetworkPolicy' ? 'NetworkPolicy' : kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
  return problems
    .filter(({ field }) => REFUSED_FIELDS.has(field))
    .map(({ field, reason }) => `${about}: ${field}: ${reason}`)
}

function tenantsOf(view: ClusterView): TenantStatus[] {
  const vnis = new Map(view.nodes.flatMap(({ tenants }) => tenants))
  for (const { namespace, vni } of view.registry?.tenants ?? []) vnis.set(namespace, vni)
  const pods = view.nodes.flatMap(({ status, leases }) =>
    leases.map((lease) => ({ namespace: lease.endpoint.namespace, status: podStatus(status.node, lease) })),
  )
  return [...new Set(vnis.values())]
    .sort((a, b) => a - b)
    .map((vni) => {
      const namespaces = [...vnis].flatMap(([namespace, its]) => (its === vni ? [namespace] : [])).sort()
      return {
        vni,
        namespaces,
        pods: pods.filter(({ namespace }) => namespaces.includes(namespace)).map(({ status }) => status),
      }
    })
}

/** How many pods of a node are on the physical network and not on the overlay. */
function wiredOnly(facts: NodeFacts): number {
  const overlay = new Set(facts.leases.map(nameOf))
  return new Set(underlayOf(facts).flatMap(({ pod }) => (overlay.has(pod) ? [] : [pod]))).size
}

function underlayOf({ status: { node }, underlay }: NodeFacts): readonly UnderlayStatus[] {
  return underlay.map(({ id, namespace, pod, ifname, bridge, vlan, addresses, guard, problem }) => ({
    pod: pod === '' ? id : `${namespace}/${pod}`,
    ifname,
    node,
    bridge,
    vlan,
    addresses,
    guard,
    problem,
  }))
}

function podStatus(node: string, lease: NodeFacts['leases'][number]): PodStatus {
  return { pod: nameOf(lease), node, addresses: lease.endpoint.addresses }
}
