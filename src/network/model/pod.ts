/**
 * A pod as the cluster knows it: what the agent, `weft audit` and `weft trace` compare with.
 * @module
 */
import type { Ip } from './address.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Labels } from './policy.ts'
import type { PodOwner } from './pool.ts'
import type { Protocol } from './service.ts'

/** A port of the node that is to lead to a pod, whichever address of the node. */
export interface HostPort {
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
}

/** A port of a pod that policies can name. */
export interface NamedPort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
}

/** A pod as the cluster knows it. */
export interface Pod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly addresses: readonly Ip[]
  /** Absent: no limit was asked for. */
  readonly bandwidth?: Bandwidth
  /** Ports of its node that it asks for, the first few. Absent: none, or it has ended. */
  readonly hostPorts?: readonly HostPort[]
  /** Absent: none. */
  readonly labels?: Labels
  /** Ports that its containers have names for. Absent: none. */
  readonly namedPorts?: readonly NamedPort[]
  /** Annotations by which it asks for networks and addresses, as its owner wrote them. Absent: none. */
  readonly wishes?: Readonly<Record<string, string>>
  /** The object that manages it, its ReplicaSet for one. Absent: nobody. */
  readonly controller?: PodOwner
  /** It is being deleted, or has run to its end. Absent: neither. */
  readonly isEnding?: true
}

/** Annotations by which pods ask for networks and addresses. */
export const WISHES = [
  'k8s.v1.cni.cncf.io/networks',
  'v1.multus-cni.io/default-network',
  'ipam.spidernet.io/ippool',
  'ipam.spidernet.io/ippools',
  'ipam.spidernet.io/routes',
  'ipam.spidernet.io/subnet',
  'ipam.spidernet.io/subnets',
  'ipam.spidernet.io/ippool-ip-number',
  'ipam.spidernet.io/ippool-reclaim',
  'ipam.spidernet.io/default-route-nic',
  'weft.dev/security-groups',
] as const

/** The most characters of one pod's wishes, keys included. */
export const MAX_WISHES = 65_536

/** Stands where a pod's wish was too long to be kept. No wish can be this text: whoever reads it refuses the pod. */
export const WISH_TOO_LONG = '"what was asked for here is longer than anybody reads"'

/** Every namespace has this label, with its name; nobody can change it. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name'

/** A namespace as the cluster knows it. */
export interface Namespace {
  readonly name: string
  readonly uid: string
  /** Why its pods cannot be attached, for people; written by the controller. */
  readonly problem?: string
  /** What all its pods on a node together may send and receive. Absent: nothing was asked for. */
  readonly totals?: Bandwidth
  /** Absent: none but `kubernetes.io/metadata.name`, which every namespace has. */
  readonly labels?: Labels
  /** Annotations that name default pools for its pods, as they are written. Absent: none. */
  readonly defaultPools?: { readonly ipv4?: string; readonly ipv6?: string }
  /** The annotation with security groups for its pods on networks of OpenStack, as it is written. Absent: none. */
  readonly securityGroups?: string
}
