/**
 * Where in an object something stands, in the words of the object's kind.
 * @module
 */
import type { Direction, Peer, PodSet, Policy, PolicyKind, PolicyRule, PortMatch } from '../../network/model/policy.ts'
import type { RuleRef } from '../../network/policy/verdict.ts'

/** A rule's place in a policy, as a verdict names it. */
export type Place = Pick<RuleRef, 'direction' | 'index' | 'peer' | 'port'>

/** The rule, and where in it what matched stands. Full paths; absent where the rule has no such list. */
export interface RuleFields {
  /** `spec.ingress[0]`. */
  readonly rule: string
  /** `spec.ingress[0].from[1].namespaceSelector`. */
  readonly peer?: string
  /** `spec.ingress[0].ports[0]`. */
  readonly port?: string
}

/**
 * The field that decides: the peer that matched, else the port, else the rule: `spec.ingress[0].from[1].podSelector`,
 * `spec.egress[2].protocols[0].tcp.destinationPort.number`.
 */
export function fieldOf(policy: Policy, place: Place): string {
  const { rule, peer, port } = ruleFields(policy, place)
  return peer ?? port ?? rule
}

/** All fields of a rule that had a part in a match. */
export function ruleFields(policy: Policy, { direction, index, peer, port }: Place): RuleFields {
  const path = `spec.${direction}[${index}]`
  const rule = policy[direction]?.[index]
  return {
    rule: path,
    ...(peer === undefined
      ? {}
      : { peer: rule?.peerFields?.[peer] ?? `${path}.${peerField(policy.kind, direction, rule, peer)}` }),
    ...(port === undefined
      ? {}
      : { port: rule?.portFields?.[port] ?? `${path}.${portField(policy.kind, rule, port)}` }),
  }
}

/** The list of a rule's peers: `spec.egress[0].to`. */
export function peersField({ kind }: Policy, direction: Direction, index: number): string {
  if (isCalicos(kind)) return `spec.${direction}[${index}].${ENTITIES[direction]}`
  return `spec.${direction}[${index}].${PEER_LISTS[direction]}${kind === 'EgressNetworkPolicy' ? '.cidrSelector' : ''}`
}

/** The list of a rule's ports: `spec.ingress[0].ports`, `spec.ingress[0].protocols`. */
export function portsField({ kind }: Policy, direction: Direction, index: number): string {
  return `spec.${direction}[${index}].${PORT_LISTS[kind]}`
}

/** What says whose connections a policy speaks of: `spec.podSelector`, `spec.subject.namespaces`. */
export function subjectField({ kind, subject }: Policy): string {
  if (kind === 'NetworkPolicy') return 'spec.podSelector'
  if (kind === 'EgressNetworkPolicy') return 'metadata.namespace'
  if (isCalicos(kind)) return 'spec.selector'
  return subject.pods.length === 0 ? 'spec.subject.namespaces' : 'spec.subject.pods'
}

/** Calico's rules have no lists of peers, but demands on one. */
const ENTITIES: Readonly<Record<Direction, string>> = { ingress: 'source', egress: 'destination' }

function isCalicos(kind: PolicyKind): boolean {
  return kind === 'CalicoNetworkPolicy' || kind === 'GlobalNetworkPolicy'
}

const PEER_LISTS: Readonly<Record<Direction, string>> = { ingress: 'from', egress: 'to' }

const PORT_LISTS: Readonly<Record<PolicyKind, string>> = {
  NetworkPolicy: 'ports',
  AdminNetworkPolicy: 'ports',
  BaselineAdminNetworkPolicy: 'ports',
  ClusterNetworkPolicy: 'protocols',
  EgressNetworkPolicy: 'ports',
  CalicoNetworkPolicy: 'destination.ports',
  GlobalNetworkPolicy: 'destination.ports',
}

function peerField(kind: PolicyKind, direction: Direction, rule: PolicyRule | undefined, at: number): string {
  if (isCalicos(kind)) return ENTITIES[direction]
  const list = PEER_LISTS[direction]
  const peer = rule?.peers?.[at]
  if (peer === undefined) return `${list}[${at}]`
  // An egress firewall's rule has one destination, and no list.
  if (kind === 'EgressNetworkPolicy') return `${list}.${peer.type === 'name' ? 'dnsName' : 'cidrSelector'}`
  const words = kind === 'NetworkPolicy' ? selectorsOf(peer) : kindsOf(peer)
  return words === '' ? `${list}[${at}]` : `${list}[${at}].${words}`
}

/** Of a NetworkPolicy's peer; empty where two selectors have a part in it. */
function selectorsOf(peer: Peer): string {
  if (peer.type !== 'pods') return 'ipBlock'
  return onlyOne(peer)
}

function onlyOne({ namespaces, pods }: PodSet): string {
  if ('name' in namespaces) return 'podSelector'
  return pods.length === 0 ? 'namespaceSelector' : ''
}

/** Of the kinds of the whole cluster. */
function kindsOf(peer: Peer): string {
  if (peer.type === 'name') return 'domainNames[0]'
  if (peer.type === 'range') return 'networks[0]'
  if (peer.type === 'sets') return ''
  return peer.pods.length === 0 ? 'namespaces' : 'pods'
}

function portField(kind: PolicyKind, rule: PolicyRule | undefined, at: number): string {
  const match = rule?.ports?.[at]
  if (isCalicos(kind)) return match?.type === 'numbers' || match?.type === 'named' ? PORT_LISTS[kind] : 'protocol'
  const entry = `${PORT_LISTS[kind]}[${at}]`
  if (match === undefined) return entry
  if (kind === 'AdminNetworkPolicy' || kind === 'BaselineAdminNetworkPolicy') return `${entry}.${portWord(match)}`
  return kind === 'ClusterNetworkPolicy' ? `${entry}.${protocolWord(match)}` : entry
}

function portWord(match: PortMatch): string {
  if (match.type === 'named') return 'namedPort'
  return match.type === 'numbers' && match.from === match.to ? 'portNumber' : 'portRange'
}

function protocolWord(match: PortMatch): string {
  if (match.type === 'named') return 'destinationNamedPort'
  if (match.type === 'icmp' || match.type === 'ip') return 'icmp'
  const protocol = match.protocol.toLowerCase()
  if (match.type === 'protocol') return protocol
  return `${protocol}.destinationPort.${match.from === match.to ? 'number' : 'range'}`
}
