/**
 * The cluster at a glance, for people.
 * @module
 */
import type { Cluster } from '../../network/model/cluster.ts'
import { duration } from '../../text/duration.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, grouped, marked, printable, wrap } from '../../text/words.ts'
import { inForceWords } from '../fabric/fabric.ts'
import type { ClusterStatus, MeshSummary, NodeStatus, TenantStatus, UnderlayStatus } from './status.ts'

/** Pods printed per tenant; the rest is counted. */
const MANY_PODS = 20

/** The lines of `weft status`; `now` in seconds since the epoch. `details` tells all about each node. */
export function printStatus(status: ClusterStatus, details: boolean, now: number, look: Look): string[] {
  const { mesh, nodes } = status
  if (mesh === undefined) return clusterLines(status, details, now, look)
  // A machine of a mesh need not be one of a cluster.
  return nodes.length === 0
    ? meshLines(mesh, look)
    : [...meshLines(mesh, look), '', ...clusterLines(status, details, now, look)]
}

function meshLines({ host, peers, up, isWhole }: MeshSummary, look: Look): string[] {
  const text = `mesh of Docker hosts: ${host} and ${count(peers, 'other machine', look)}, ${up} up → weft mesh status`
  return isWhole ? wrap(text, look.width).map(look.good) : marked(text, look)
}

function clusterLines(status: ClusterStatus, details: boolean, now: number, look: Look): string[] {
  const { cluster, fabric, nodes, tenants, problems, limits, refused, underlay } = status
  return [
    ...(cluster === undefined ? [] : [...wrap(clusterLine(cluster, fabric), look.width), '']),
    ...table(
      NODE_COLUMNS,
      nodes.map((node) => nodeRow(node, look)),
      look,
    ),
    ...problemLines(nodes, [...problems, ...limits, ...refused, ...underlay.flatMap(underlayProblem)], look),
    ...(details ? nodes.flatMap((node) => ['', ...detailLines(node, now, look)]) : ['', ...tenantLines(tenants, look)]),
    ...(details || underlay.length === 0 ? [] : ['', ...underlayLines(underlay, look)]),
    '',
    summary(status, look),
  ]
}

const NODE_COLUMNS: readonly Column[] = [
  { head: 'NODE' },
  { head: 'STATE', paint: paintState },
  { head: 'RANGES' },
  { head: 'IN USE', align: 'right' },
  { head: 'MTU', align: 'right' },
  { head: 'PEERS', align: 'right' },
  { head: 'PODS', align: 'right' },
  { head: 'FLOWS', align: 'right' },
]

function clusterLine(cluster: Cluster, fabric: ClusterStatus['fabric']): string {
  const { networks, tenancy } = cluster
  const inForce = fabric?.inForce ?? inForceWords(cluster, [])
  return `${inForce}, ${tenancy}, pods in ${networks.map(({ cidr }) => cidr).join(' and ')}`
}

function nodeRow(status: NodeStatus, look: Look): (string | string[])[] {
  const { state, ranges, mtu, peers, missingPeers, pods, flows, agent } = status
  const node = status.externalVni === undefined ? status.node : [status.node, `(outside, VNI ${status.externalVni})`]
  if (agent === undefined) {
    return [node, state, ranges.length === 0 ? '-' : ranges.map(rangeCell), '-', '-', '-', '-', '-']
  }
  const all = peers.length + missingPeers.length
  return [
    node,
    state,
    ranges.length === 0 ? '-' : ranges.map(rangeCell),
    ranges.length === 0 ? '-' : ranges.map((fact) => fullness(fact, look)),
    `${mtu ?? '-'}`,
    missingPeers.length === 0 ? `${peers.length}` : `${peers.length} of ${all}`,
    grouped(pods, look),
    grouped(flows, look),
  ]
}

/** One that is to be taken back has pods perhaps, and gets no more. */
function rangeCell({ range, closing }: NodeStatus['ranges'][number]): string {
  return closing === true ? `${range} closing` : range
}

/** `7 of 509 (1%)`; of an IPv6 range only what is used: it does not fill up. */
function fullness(fact: NodeStatus['ranges'][number], look: Look): string {
  if (!('used' in fact)) return '-'
  const { used, capacity } = fact
  if (!/^\d+$/.test(used) || !/^\d+$/.test(capacity)) return '-'
  const [taken, all] = [BigInt(used), BigInt(capacity)]
  if (all === 0n || all > 0xffffffffn) return grouped(taken, look)
  return `${grouped(taken, look)} of ${grouped(all, look)} (${(taken * 100n) / all}%)`
}

function paintState(text: string, look: Look): string {
  if (text.startsWith('unmanaged')) return look.quiet(text)
  return text.startsWith('ready') ? look.good(text) : look.bad(text)
}

function problemLines(nodes: readonly NodeStatus[], shared: readonly string[], look: Look): string[] {
  const problems = [
    ...nodes.flatMap(({ node, problems: own }) => own.map((problem) => `${node}: ${problem}`)),
    ...nodes.flatMap(({ node, missingPeers }) => missingPeers.map((peer) => `${node}: does not know node ${peer}`)),
    ...shared,
  ]
  if (problems.length === 0) return []
  return ['', ...problems.flatMap((problem) => marked(problem, look))]
}

function tenantLines(tenants: readonly TenantStatus[], look: Look): string[] {
  const columns: readonly Column[] = [{ head: 'VNI', align: 'right' }, { head: 'NAMESPACES' }, { head: 'PODS' }]
  return table(
    columns,
    tenants.map((tenant) => tenantRow(tenant, look)),
    look,
  )
}

/** Of each bridge's pods so many are told; the rest is counted. */
function underlayLines(underlay: readonly UnderlayStatus[], look: Look): string[] {
  const shown = underlay.slice(0, MANY_WIRED)
  const more = underlay.length - shown.length
  const rows = shown.map(({ pod, ifname, node, bridge, vlan, addresses, guard }) => [
    printable(pod),
    ifname,
    node,
    guard === 'others' ? bridge : `${bridge} (guarded)`,
    vlan === '' ? '-' : vlan,
    addresses.length === 0 ? '-' : [...addresses],
  ])
  return [
    look.title('On the physical network:'),
    ...table(UNDERLAY_COLUMNS, rows, look),
    ...(more === 0 ? [] : [look.quiet(`and ${grouped(more, look)} more: --json`)]),
  ]
}

const MANY_WIRED = 100
const UNDERLAY_COLUMNS: readonly Column[] = [
  { head: 'POD' },
  { head: 'INTERFACE' },
  { head: 'NODE' },
  { head: 'BRIDGE' },
  { head: 'VLAN' },
  { head: 'ADDRESSES' },
]

function underlayProblem({ pod, ifname, node, bridge, guard, problem }: UnderlayStatus): readonly string[] {
  const what = `${node}: ${ifname} of ${pod} on bridge ${bridge}`
  if (problem !== undefined) return [`${what}: ${problem}`]
  return guard === 'missing' ? [`${what} is not guarded yet`] : []
}

function tenantRow({ vni, namespaces, pods }: TenantStatus, look: Look): (string | string[])[] {
  const shown = pods.slice(0, MANY_PODS).map(({ pod, node, addresses }) => `${pod} on ${node}: ${addresses.join(' ')}`)
  const more = pods.length > MANY_PODS ? [`and ${grouped(pods.length - MANY_PODS, look)} more`] : []
  const names = namespaces.flatMap((name, i) => (i < MANY_PODS ? [name] : i === MANY_PODS ? ['…'] : []))
  return [vni === 0 ? '0 (global)' : `${vni}`, names, pods.length === 0 ? '-' : [...shown, ...more]]
}

function detailLines(node: NodeStatus, now: number, look: Look): string[] {
  const { agent } = node
  const lines: (readonly [string, string])[] = [['addresses', node.addresses.join(', ') || 'none']]
  if (agent !== undefined) {
    lines.push(
      ['agent', `weft ${agent.version}, pid ${agent.pid}, up ${duration(now - agent.startedAt, look)}`],
      ['switch', `Open vSwitch ${agent.ovsVersion}, ${agent.datapath} datapath, ${count(node.flows, 'flow', look)}`],
      ['synchronised', `as a whole ${count(agent.fullSyncs, 'time', look)} since the agent started`],
      ['MTU', `${node.mtu ?? 'not known'} for pods, ${node.uplinkMtu ?? 'not known'} on the uplink`],
      ['peers', node.peers.join(', ') || 'none'],
      ...(node.peers.length === 0 ? [] : [['tunnels', tunnelsLine(node, now, look)] as const]),
      ...(node.guardedBridges.length === 0 ? [] : [['guarded', node.guardedBridges.join(', ')] as const]),
      ...node.ranges.map((fact) => ['range', rangeLine(fact, look)] as const),
    )
  }
  return [
    look.title(printable(node.node)),
    ...lines.flatMap(([name, text]) =>
      wrap(printable(text), look.width - 16).map((line, i) => `  ${(i === 0 ? name : '').padEnd(13)} ${line}`),
    ),
  ]
}

/** How many carry, how fast, and who does not answer. */
function tunnelsLine({ tunnels }: NodeStatus, now: number, look: Look): string {
  const all = Object.entries(tunnels)
  const up = all.filter(([, { state }]) => state === 'up')
  const trips = up.flatMap(([, { roundTripMs }]) => (roundTripMs === undefined ? [] : [roundTripMs]))
  const slowest = trips.length === 0 ? '' : `, the slowest answers in ${Math.max(...trips).toFixed(1)} ms`
  const others = all.filter(([, { state }]) => state === 'down' || state === 'never')
  const shown = others.slice(0, MANY_PODS).map(([node, { since }]) => `${node} not for ${duration(now - since, look)}`)
  const more = others.length > MANY_PODS ? [`and ${others.length - MANY_PODS} more`] : []
  return [`${up.length} of ${all.length} answer${slowest}`, ...shown, ...more].join('; ')
}

function rangeLine(fact: NodeStatus['ranges'][number], look: Look): string {
  const closing = fact.closing === true ? ', closing: no more pods, taken back when it is empty' : ''
  if (!('used' in fact)) return `${fact.range}${closing}`
  return `${fact.range}, the node is ${fact.gateway}, in use: ${fullness(fact, look)}${closing}`
}

function summary({ nodes: machines, tenants, underlay, ready }: ClusterStatus, look: Look): string {
  const nodes = machines.filter(({ externalVni }) => externalVni === undefined)
  const outside = machines.length - nodes.length
  const up = nodes.filter(({ state }) => state === 'ready').length
  const wired = new Set(underlay.map(({ pod }) => pod))
  const pods = new Set([...tenants.flatMap((tenant) => tenant.pods.map(({ pod }) => pod)), ...wired])
  const parts = [
    `${up} of ${count(nodes.length, 'node', look)} ready`,
    ...(outside === 0 ? [] : [`${count(outside, 'host', look)} outside`]),
    count(tenants.length, 'virtual network', look),
    `${count(pods.size, 'pod', look)}${ofWhom(nodes, look)}`,
    ...(wired.size === 0 ? [] : [`${grouped(wired.size, look)} of them on the physical network`]),
  ]
  return ready ? look.good(parts.join(', ')) : look.bad(parts.join(', '))
}

/** Pods are known where agents were asked. */
function ofWhom(nodes: readonly NodeStatus[], look: Look): string {
  const asked = nodes.filter(({ agent }) => agent !== undefined)
  const [one] = asked
  if (asked.length === nodes.length || one === undefined) return ''
  return asked.length === 1 ? ` of ${printable(one.node)} only` : ` of ${count(asked.length, 'node', look)} only`
}
