/**
 * The question that policies answer, and what an answer says.
 * @module
 */
import type { Cidr, Ip } from '../model/address.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { NodeNetwork } from '../model/node.ts'
import type { Namespace, Pod } from '../model/pod.ts'
import type { Direction, Policy, PolicyProblem, PolicyRef, Tier } from '../model/policy.ts'
import type { Protocol } from '../model/service.ts'

/** All that counts for a verdict. */
export interface PolicyWorld {
  readonly policies: Iterable<Policy>
  readonly namespaces: Iterable<Namespace>
  readonly pods: Iterable<Pod>
  readonly nodes: Iterable<NodeNetwork>
  /** The networks of pods: the firewall tier speaks of what is outside. */
  readonly podNetworks: readonly Cidr[]
  /** What DNS names stand for; empty where the answer is that there is none. Absent: nobody has answered (any more). */
  readonly names: ReadonlyMap<string, readonly Ip[]>
  /** Addresses with labels. Absent: none. */
  readonly sets?: Iterable<NetworkSet>
}

/** One end of a connection, by the address it uses. */
export type Party =
  | { readonly type: 'pod'; readonly pod: Pod; readonly address: Ip }
  /** A node's own stack, and pods on it. */
  | { readonly type: 'node'; readonly node: string; readonly address: Ip }
  | { readonly type: 'outside'; readonly address: Ip }

/** A connection as it arrives: the service it was opened to has been translated to an endpoint. */
export interface Connection {
  readonly source: Party
  readonly destination: Party
  /** ICMP and ICMPv6 have no ports: rules that name ports do not speak of them. */
  readonly protocol: Protocol | 'ICMP'
  /** Of the destination. 0 for ICMP. */
  readonly port: number
  /** Absent: some port that a system gives to callers, 40000 for one. */
  readonly sourcePort?: number
  /** Of ICMP and ICMPv6. Absent: an echo request. */
  readonly icmp?: { readonly type: number; readonly code: number }
}

/** The rule that decided. */
export interface RuleRef {
  readonly policy: PolicyRef
  readonly tier: Tier
  readonly direction: Direction
  /** Its place in the policy, from 0. */
  readonly index: number
  readonly name?: string
  /** The peer and the port of the rule that matched, from 0; absent where the rule has no such list. */
  readonly peer?: number
  readonly port?: number
}

/** Why one end lets a connection be, or not. */
export type Decision =
  /** Not a pod of this cluster: nobody's policies speak of it. */
  | { readonly allowed: true; readonly because: 'not-a-pod' }
  /** A pod and itself. */
  | { readonly allowed: true; readonly because: 'itself' }
  /** The destination's own node: it must be able to probe its pods. */
  | { readonly allowed: true; readonly because: 'own-node' }
  /** No policy speaks of it. */
  | { readonly allowed: true; readonly because: 'no-policy' }
  | { readonly allowed: boolean; readonly because: 'rule'; readonly rule: RuleRef }
  /** Policies isolate the pod, and none of their rules allows it. */
  | { readonly allowed: false; readonly because: 'isolated'; readonly by: readonly PolicyRef[] }
  /** The firewall tier: more than one policy in a namespace, or a denied name that nobody could resolve. */
  | {
      readonly allowed: false
      readonly because: 'firewall'
      readonly by: readonly PolicyRef[]
      readonly problem: PolicyProblem
    }

/** What becomes of a connection. */
export interface Verdict {
  readonly allowed: boolean
  /** What the policies of its source say. */
  readonly egress: Decision
  /** What the policies of its destination say. */
  readonly ingress: Decision
}
