/**
 * Who may connect to whom, as users write it. NetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy,
 * ClusterNetworkPolicy, EgressNetworkPolicy and Calico's two kinds are one model: rules of a tier, for the connections of
 * some pods.
 *
 * What an object says and nobody understands is here as what fails closed: an allow for nobody, a deny for everybody,
 * with a {@link PolicyProblem} that names the field.
 * @module
 */
import type { Cidr, Family } from './address.ts'
import type { Condition } from './condition.ts'
import type { Protocol } from './service.ts'

/** Labels of a pod, a namespace or a node. */
export type Labels = Readonly<Record<string, string>>

/** One demand on labels. `NotIn` also holds where the label is absent. */
export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  /** Of `In` and `NotIn`, one or more; else empty. */
  readonly values: readonly string[]
}

/** All of these demands; none: everything. */
export type Selector = readonly Requirement[]

/** Some namespaces: one by its name, or those with such labels. */
export type Namespaces = { readonly name: string } | { readonly labels: Selector }

/** Some pods of some namespaces. Pods on their node's own network are in no such set. */
export interface PodSet {
  readonly namespaces: Namespaces
  readonly pods: Selector
  /** What else they must meet. */
  readonly where?: Condition
}

/** Addresses. Every exception lies inside the range. */
export interface AddressRange {
  readonly range: Cidr
  readonly except: readonly Cidr[]
}

/** Whom a rule speaks of. */
export type Peer =
  | ({ readonly type: 'pods'; readonly within?: readonly AddressRange[] } & PodSet)
  /** What network sets hold whose labels, or those of their namespace, are so. `within`: as much of it as is in there. */
  | { readonly type: 'sets'; readonly where: Condition; readonly within?: readonly AddressRange[] }
  /** Addresses, pods' too. */
  | ({ readonly type: 'range' } & AddressRange)
  /** What a DNS name stands for; `*.` at its beginning: any name below. */
  | { readonly type: 'name'; readonly name: string }

/** Which connections a rule speaks of, by where they go to. */
export type PortMatch =
  /** Every port of the protocol. */
  | { readonly type: 'protocol'; readonly protocol: Protocol }
  | { readonly type: 'numbers'; readonly protocol: Protocol; readonly from: number; readonly to: number }
  /** The port that the destination pod has by this name; without a protocol: by whichever. */
  | { readonly type: 'named'; readonly name: string; readonly protocol?: Protocol }
  /** ICMP, or ICMPv6: messages of every type, of one, or of one with one code. */
  | { readonly type: 'icmp'; readonly family: Family; readonly icmpType?: number; readonly code?: number }
  /** Another protocol by its number. */
  | { readonly type: 'ip'; readonly number: number }

/** What a protocol with ports is asked for; of other protocols Calico's policies alone speak. */
export type PlainPort = Exclude<PortMatch, { readonly type: 'icmp' | 'ip' }>

/** Ports by their numbers, from one up to another. */
export interface PortSpan {
  readonly from: number
  readonly to: number
}

/** `pass`: what the rest of the tier says does not count. */
export type PolicyAction = 'allow' | 'deny' | 'pass'

/** One rule. */
export interface PolicyRule {
  readonly action: PolicyAction
  /** As the policy's author calls it. */
  readonly name?: string
  /** Absent: whoever it is. Empty: nobody. */
  readonly peers?: readonly Peer[]
  /** Absent: every port of every protocol. Empty: none. */
  readonly ports?: readonly PortMatch[]
  /** What the pod's own address must be in. Absent: whichever it is. */
  readonly own?: readonly AddressRange[]
  /** Ports that it must come from; only where every one of `ports` is of TCP, UDP or SCTP. Absent: whichever. */
  readonly sourcePorts?: readonly PortSpan[]
  /** Agents log what it drops, whatever the policy says. */
  readonly log?: true
  /** Where in the object each peer stands, such as `spec.egress[0].to[1].networks[0]`. Absent: each is an item of its list. */
  readonly peerFields?: readonly string[]
  /** The same of ports. */
  readonly portFields?: readonly string[]
}

/** The kinds of objects that hold policies. */
export const POLICY_KINDS = [
  'NetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
  'EgressNetworkPolicy',
  'CalicoNetworkPolicy',
  'GlobalNetworkPolicy',
] as const

/** The kind of an object that holds a policy. `CalicoNetworkPolicy` is Calico's NetworkPolicy. */
export type PolicyKind = (typeof POLICY_KINDS)[number]

/**
 * Which policies count first. `admin`: ordered rules, the first that matches decides. `namespace`: ordered rules, of which
 * NetworkPolicies' only allow; what none of them decides about a pod that some policy isolates is denied. `baseline`:
 * ordered rules, for pods that none isolates and for what a rule of the namespace's tier passed on. `firewall`: ordered rules beside all of these, for connections that leave the cluster.
 */
export type Tier = 'admin' | 'namespace' | 'baseline' | 'firewall'

/** The way of a connection, as its pod sees it. */
export type Direction = 'ingress' | 'egress'

/** Both ways. */
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress']

/** What an object says and nobody understands, or nobody can do. */
export interface PolicyProblem {
  /** Such as `spec.ingress[0].from[1]`. */
  readonly field: string
  readonly reason: string
}

/** What names a policy. */
export interface PolicyRef {
  readonly kind: PolicyKind
  /** Absent for kinds of the whole cluster. */
  readonly namespace?: string
  readonly name: string
}

/** A policy. */
export interface Policy extends PolicyRef {
  readonly uid?: string
  readonly tier: Tier
  /** Within `admin` and `baseline`: 0–1000, the lowest counts first. Else 0. */
  readonly priority: number
  /** Within `namespace`: the lowest counts first. Absent: of a NetworkPolicy 1000, of others after all that have one. */
  readonly order?: number
  /** Whose connections it speaks of. */
  readonly subject: PodSet
  /** Absent: nothing is said of connections to its pods. */
  readonly ingress?: readonly PolicyRule[]
  /** Absent: nothing is said of connections of its pods. */
  readonly egress?: readonly PolicyRule[]
  /** Agents log what it drops, a few packets a second. */
  readonly log?: true
  readonly problems?: readonly PolicyProblem[]
  /** A selector of it cannot be read: this is closed, and whoever knows what it said before goes on with that. */
  readonly isUnread?: true
}

/** Tells a policy from every other: `NetworkPolicy/shop/deny-all`, `ClusterNetworkPolicy/tenants`. */
export function policyKey({ kind, namespace, name }: PolicyRef): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`
}

/**
 * Which of two policies of a tier counts first. Kubernetes leaves equal priorities open; here the names decide. Of equal
 * orders they do in Calico, where a NetworkPolicy is called `knp.default.<name>`.
 */
export function comparePolicies(a: Policy, b: Policy): number {
  return (
    a.priority - b.priority ||
    compare(orderOf(a), orderOf(b)) ||
    compare(rankName(a), rankName(b)) ||
    compare(policyKey(a), policyKey(b))
  )
}

/** The order that NetworkPolicies have among Calico's policies. */
const ORDER_OF_NETWORK_POLICIES = 1000
const NETWORK_POLICIES = 'knp.default.'

function orderOf({ kind, order = Number.POSITIVE_INFINITY }: Policy): number {
  return kind === 'NetworkPolicy' ? ORDER_OF_NETWORK_POLICIES : order
}

function rankName({ kind, name, tier }: Policy): string {
  if (tier !== 'namespace') return ''
  if (kind === 'NetworkPolicy') return NETWORK_POLICIES
  // Nobody comes between NetworkPolicies: their rules count alike.
  return name.startsWith(NETWORK_POLICIES) ? `${name}~` : name
}

function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
