/**
 * The cluster that policies are tried on: namespaces x, y, z, in each of them pods a, b, c that serve ports 80 and 81 of
 * every protocol, spread over two nodes, in both families. And short words for policies.
 */
import { type Cidr, cidr, type Ip, ip } from '../../../src/network/model/address.ts'
import type { NodeNetwork } from '../../../src/network/model/node.ts'
import type { NamedPort, Namespace, Pod } from '../../../src/network/model/pod.ts'
import type {
  Labels,
  Peer,
  Policy,
  PolicyAction,
  PolicyKind,
  PolicyRule,
  PortMatch,
  Requirement,
  Selector,
  Tier,
} from '../../../src/network/model/policy.ts'
import type { Protocol } from '../../../src/network/model/service.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../sample-node.ts'

export const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP']
export const SERVED_PORTS = [80, 81] as const
export const NAMESPACE_NAMES = ['x', 'y', 'z'] as const
export const POD_NAMES = ['a', 'b', 'c'] as const

/** The two nodes. Ranges: 10.128.0.0/23 and fd00:10:128:1::/64, 10.129.0.0/23 and fd00:10:128:2::/64. */
export const NODES: readonly NodeNetwork[] = [1, 2].map((n) => ({
  ...sampleNode(n),
  status: { ready: true, uplinkMtu: 1500, datapath: 'system' },
}))

export const POD_NETWORKS: readonly Cidr[] = SAMPLE_CLUSTER.networks.map((network) => network.cidr)

/** Addresses of nobody in the cluster. */
export const OUTSIDE: readonly Ip[] = [
  '198.51.100.7',
  '198.51.100.200',
  '203.0.113.9',
  '2001:db8:100::7',
  '2001:db8:100::200',
  '2001:db8:200::9',
].map(ip)

/** A namespace labelled `ns=<name>`. */
export function namespace(name: string, labels: Labels = {}): Namespace {
  return { name, uid: `uid-${name}`, labels: { ns: name, ...labels } }
}

/** The n-th address of a node's range, of each family. */
export function addressesOf(node: number, n: number): readonly Ip[] {
  return [ip(`10.${127 + node}.0.${n}`), ip(`fd00:10:128:${node}::${n.toString(16)}`)]
}

/** Names as the e2e suite gives them: `serve-80-tcp`. */
export const SERVED: readonly NamedPort[] = SERVED_PORTS.flatMap((port) =>
  PROTOCOLS.map((protocol) => ({ name: `serve-${port}-${protocol.toLowerCase()}`, protocol, port })),
)

/** A pod labelled `pod=<name>`, on the n-th node with the host-th address. */
export function pod(where: string, name: string, node: number, host: number, change: Partial<Pod> = {}): Pod {
  const addresses = addressesOf(node, host)
  const fixed = { namespace: where, name, uid: `uid-${where}-${name}-${host}`, node: `node${node}`, addresses }
  return { ...fixed, labels: { pod: name }, namedPorts: SERVED, ...change }
}

export const NAMESPACES: readonly Namespace[] = NAMESPACE_NAMES.map((name) => namespace(name))

/** x/a on node1, x/b on node2, x/c on node1 and so on. */
export const PODS: readonly Pod[] = NAMESPACE_NAMES.flatMap((where, i) =>
  POD_NAMES.map((name, j) => pod(where, name, ((3 * i + j) % 2) + 1, 2 + 3 * i + j)),
)

/** These labels, all of them. */
export function labelled(labels: Labels): Selector {
  return Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] }))
}

/** One demand. */
export function demand(key: string, operator: Requirement['operator'], ...values: string[]): Selector {
  return [{ key, operator, values }]
}

/** Pods of a namespace by its name. */
export function podsIn(where: string, pods: Selector = []): Peer {
  return { type: 'pods', namespaces: { name: where }, pods }
}

/** Pods of namespaces with such labels. */
export function podsOf(namespaces: Selector, pods: Selector = []): Peer {
  return { type: 'pods', namespaces: { labels: namespaces }, pods }
}

/** Addresses. */
export function range(network: string, ...except: string[]): Peer {
  return { type: 'range', range: cidr(network), except: except.map((one) => cidr(one)) }
}

/** What a DNS name stands for. */
export function called(name: string): Peer {
  return { type: 'name', name }
}

/** A port, or as many as up to `to`. */
export function port(from: number, protocol: Protocol = 'TCP', to = from): PortMatch {
  return { type: 'numbers', protocol, from, to }
}

/** Every port of a protocol. */
export function everyPort(protocol: Protocol): PortMatch {
  return { type: 'protocol', protocol }
}

/** A port by its name at the destination. */
export function portCalled(name: string, protocol?: Protocol): PortMatch {
  return { type: 'named', name, ...(protocol === undefined ? {} : { protocol }) }
}

/** A rule. */
export function rule(action: PolicyAction, parts: Omit<PolicyRule, 'action'> = {}): PolicyRule {
  return { action, ...parts }
}

/** Allowed, from or to these. */
export function allow(peers?: readonly Peer[], ports?: readonly PortMatch[]): PolicyRule {
  return rule('allow', { ...(peers === undefined ? {} : { peers }), ...(ports === undefined ? {} : { ports }) })
}

interface Ways {
  readonly ingress?: readonly PolicyRule[]
  readonly egress?: readonly PolicyRule[]
}

/** A NetworkPolicy for these pods of its namespace. */
export function networkPolicy(where: string, name: string, pods: Selector, ways: Ways): Policy {
  const subject = { namespaces: { name: where }, pods }
  return { kind: 'NetworkPolicy', namespace: where, name, tier: 'namespace', priority: 0, subject, ...ways }
}

/** An EgressNetworkPolicy. */
export function firewall(where: string, name: string, egress: readonly PolicyRule[]): Policy {
  const subject = { namespaces: { name: where }, pods: [] }
  return { kind: 'EgressNetworkPolicy', namespace: where, name, tier: 'firewall', priority: 0, subject, egress }
}

/** A policy of the whole cluster. */
export function clusterPolicy(
  kind: PolicyKind,
  tier: Tier,
  name: string,
  priority: number,
  ways: Ways,
  namespaces: Selector = [],
  pods: Selector = [],
): Policy {
  return { kind, name, tier, priority, subject: { namespaces: { labels: namespaces }, pods }, ...ways }
}
