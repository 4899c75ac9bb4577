/**
 * The cluster at a glance.
 * @module
 */
import type { AgentStatus, NodeFacts, RangeFact } from '../../agent/control/facts.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { nameOf } from '../trace/party.ts'
import type { ClusterView, SilentAgent } from '../view.ts'

/** What `weft status --json` prints. */
export interface ClusterStatus {
  /** Every node answers, is ready, and nobody reports a problem. */
  readonly ready: boolean
  readonly cluster: Cluster | undefined
  readonly nodes: readonly NodeStatus[]
  readonly tenants: readonly TenantStatus[]
  /** What the controller says is wrong with namespaces and nodes, and why the registry did not answer. */
  readonly problems: readonly string[]
}

/** A node: what its agent says, or that it says nothing. */
export interface NodeStatus {
  readonly node: string
  readonly state: 'ready' | 'waiting' | 'silent'
  /** What it waits for, what goes wrong, or why nothing is known. */
  readonly problems: readonly string[]
  readonly ranges: readonly RangeFact[]
  readonly mtu: number | undefined
  readonly uplinkMtu: number | undefined
  readonly peers: readonly string[]
  /** Nodes of the cluster that it should have as peers and has not. */
  readonly missingPeers: readonly string[]
  readonly pods: number
  readonly flows: number
  readonly addresses: readonly Ip[]
  /** Undefined for a silent node. */
  readonly agent: AgentIdentity | undefined
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

/** The cluster at a glance. */
export function clusterStatus(view: ClusterView): ClusterStatus {
  const names = new Set([
    ...view.nodes.map(({ status }) => status.node),
    ...(view.registry?.networks.map(({ node }) => node) ?? []),
  ])
  const answering = [...view.nodes, ...view.silent].flatMap(({ status }) =>
    status === undefined ? [] : [answeringNode(status, names)],
  )
  const known = new Set([...answering.map(({ node }) => node), ...view.silent.map(({ name }) => name)])
  const missing = [...names].filter((name) => !known.has(name)).map((name) => silentNode(notFound(name), view))
  const silent = view.silent.filter(({ status }) => status === undefined).map((agent) => silentNode(agent, view))
  const nodes = [...answering, ...silent, ...missing].sort((a, b) => (a.node < b.node ? -1 : 1))
  const problems = sharedProblems(view)
  return {
    ready: problems.length === 0 && nodes.every((one) => one.state === 'ready' && one.problems.length === 0),
    cluster: view.nodes[0]?.cluster,
    nodes,
    tenants: tenantsOf(view),
    problems,
  }
}

function answeringNode(status: AgentStatus, names: ReadonlySet<string>): NodeStatus {
  const peers = status.peers.map(({ node }) => node)
  return {
    node: status.node,
    state: status.ready ? 'ready' : 'waiting',
    problems: [...status.waitingFor.map((what) => `waiting for ${what}`), ...status.problems],
    ranges: status.ranges,
    mtu: status.mtu,
    uplinkMtu: status.uplinkMtu,
    peers,
    missingPeers: [...names].filter((name) => name !== status.node && !peers.includes(name)),
    pods: status.endpoints,
    flows: status.flows,
    addresses: status.addresses,
    agent: {
      version: status.version,
      pid: status.pid,
      ovsVersion: status.ovsVersion,
      datapath: status.datapath,
      startedAt: status.startedAt,
      fullSyncs: status.fullSyncs,
    },
  }
}

function silentNode({ name, cause, remedy }: SilentAgent, view: ClusterView): NodeStatus {
  const listed = view.registry?.networks.find(({ node }) => node === name)
  const reason = listed?.status?.reason === undefined ? [] : [`it last said: ${listed.status.reason}`]
  return {
    node: name,
    state: 'silent',
    problems: [`${cause} → ${remedy}`, ...reason],
    ranges: [],
    mtu: undefined,
    uplinkMtu: listed?.status?.uplinkMtu,
    peers: [],
    missingPeers: [],
    pods: 0,
    flows: 0,
    addresses: listed?.addresses ?? [],
    agent: undefined,
  }
}

function notFound(name: string): SilentAgent {
  return { name, cause: 'no agent of it was found here', remedy: 'ask on that node, or name its folder: --run-dir' }
}

function sharedProblems({ registry, registryProblem }: ClusterView): string[] {
  const namespaces = registry?.namespaces ?? []
  const networks = registry?.networks ?? []
  return [
    ...namespaces.flatMap(({ name, problem }) => (problem === undefined ? [] : [`namespace ${name}: ${problem}`])),
    ...networks.flatMap(({ node, problem }) => (problem === undefined ? [] : [`node ${node}: ${problem}`])),
    ...(registryProblem === undefined ? [] : [`registry: ${registryProblem}`]),
  ]
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

function podStatus(node: string, lease: NodeFacts['leases'][number]): PodStatus {
  return { pod: nameOf(lease), node, addresses: lease.endpoint.addresses }
}
