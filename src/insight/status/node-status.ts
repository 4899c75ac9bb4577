/**
 * What is told of one machine: by its agent, by what it last reported, or by nobody.
 * @module
 */
import type { AgentStatus } from '../../agent/control/facts.ts'
import type { Cidr } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { SilentAgent } from '../view.ts'
import type { NodeStatus } from './status.ts'

/** What an agent says of its machine; `wired`: how many pods it has on the physical network alone. */
export function answeringNode(
  status: AgentStatus,
  names: ReadonlySet<string>,
  network: NodeNetwork | undefined,
  wired: number,
): Omit<NodeStatus, 'guardedBridges'> {
  const peers = status.peers.map(({ node }) => node)
  return {
    node: status.node,
    externalVni: externalVniOf(network),
    state: status.ready ? 'ready' : 'waiting',
    problems: [...status.waitingFor.map((what) => `waiting for ${what}`), ...status.problems],
    ranges: status.ranges,
    mtu: status.mtu,
    uplinkMtu: status.uplinkMtu,
    peers,
    tunnels: Object.fromEntries(
      status.peers.flatMap(({ node, tunnel }) => (tunnel === undefined ? [] : [[node, tunnel]])),
    ),
    missingPeers: [...names].filter((name) => name !== status.node && !peers.includes(name)),
    pods: status.endpoints + wired,
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

/** A machine whose agent was asked and does not answer. */
export function silentNode({ name, cause, remedy }: SilentAgent, network: NodeNetwork | undefined): NodeStatus {
  const reason = network?.status?.reason === undefined ? [] : [`it last said: ${network.status.reason}`]
  return { ...unaskedNode(name, network), state: 'silent', problems: [`${cause} → ${remedy}`, ...reason] }
}

/** A machine whose agent is elsewhere: what it last reported stands. */
export function reportedNode(network: NodeNetwork): NodeStatus {
  const { node, machine, status, silence } = network
  const said = unaskedNode(node, network)
  if (silence !== undefined) return { ...said, state: 'silent', problems: [silence] }
  if (status !== undefined) {
    const problems = status.reason === undefined ? [] : [status.reason]
    return { ...said, state: status.ready ? 'ready' : 'waiting', problems }
  }
  if (machine.kind === 'external') return { ...said, state: 'unmanaged', problems: [] }
  return { ...said, state: 'silent', problems: [`its agent has not reported yet → look at its log on ${node}`] }
}

function unaskedNode(node: string, network: NodeNetwork | undefined) {
  return {
    node,
    externalVni: externalVniOf(network),
    ranges: network?.ranges.map((range) => reportedRange(range, network)) ?? [],
    mtu: undefined,
    uplinkMtu: network?.status?.uplinkMtu,
    peers: [],
    tunnels: {},
    missingPeers: [],
    pods: 0,
    flows: 0,
    addresses: network?.addresses ?? [],
    guardedBridges: [],
    agent: undefined,
  } satisfies Omit<NodeStatus, 'state' | 'problems'>
}

function reportedRange(range: Cidr, { closing = [] }: NodeNetwork): NodeStatus['ranges'][number] {
  return closing.some((one) => one.range === range) ? { range, closing: true } : { range }
}

function externalVniOf(network: NodeNetwork | undefined): number | undefined {
  return network?.machine.kind === 'external' ? network.machine.vni : undefined
}
