/**
 * What a cluster without a configuration gets: what the settings say, and for the rest what is found out.
 * @module
 */
import {
  BITS,
  type Cidr,
  cidr,
  contains,
  type Family,
  familyOf,
  type Ip,
  prefixLength,
} from '../network/model/address.ts'
import type { Cluster, ClusterNetwork, Encapsulation } from '../network/model/cluster.ts'
import { describeProblems } from '../network/model/decode.ts'
import { decodeCluster, nodeAddressProblems } from '../network/model/validate-cluster.ts'
import type { ClusterWish } from '../settings/cluster.ts'

/** What was found out about a cluster. */
export interface ClusterFacts {
  /** Where services get addresses from; empty when nobody tells. */
  readonly serviceNetworks: readonly Cidr[]
  /** Addresses of the service `kubernetes`, of which there is one in every cluster. */
  readonly kubernetes: readonly Ip[]
  /** What kubeadm was told; empty without kubeadm. */
  readonly podNetworks: readonly Cidr[]
  readonly nodeAddresses: readonly Ip[]
}

/** A configuration, or why there cannot be one. */
export type NewCluster =
  | { readonly is: 'made'; readonly cluster: Cluster }
  | { readonly is: 'impossible'; readonly why: string; readonly remedy: string }

/** OpenShift's, and a sibling of it for IPv6. */
const POD_NETWORKS: { readonly [F in Family]: ClusterNetwork } = {
  4: { cidr: cidr('10.128.0.0/14'), hostBits: 9 },
  6: { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
}
/** Node ranges of Kubernetes' own controller manager: /24 and /64. */
const HOST_BITS: { readonly [F in Family]: number } = { 4: 8, 6: 64 }
/** RFC 7348, RFC 8926. */
const PORTS = { vxlan: 4789, geneve: 6081 } as const

/** The configuration of a cluster that has none. */
export function newCluster(wish: ClusterWish, facts: ClusterFacts): NewCluster {
  const serviceNetworks = wish.serviceNetworks ?? facts.serviceNetworks
  if (serviceNetworks.length === 0) return impossible('nobody tells where services get addresses from', SET_SERVICES)
  const stranger = facts.kubernetes.find((address) => !serviceNetworks.some((network) => contains(network, address)))
  if (stranger !== undefined) {
    const networks = serviceNetworks.join(', ')
    return impossible(`the service kubernetes has ${stranger}, which is not in ${networks}`, SET_SERVICES)
  }
  const decoded = decodeCluster({
    networks: wish.podNetworks ?? podNetworks(facts, serviceNetworks),
    serviceNetworks,
    tenancy: wish.tenancy ?? 'multitenant',
    encapsulation: encapsulation(wish),
    ...(wish.fabric === undefined ? {} : { fabric: { way: wish.fabric, otherwise: wish.withoutWay ?? 'tunnel' } }),
    ...(wish.rangesPerNode === undefined ? {} : { rangesPerNode: wish.rangesPerNode }),
    underlay: wish.underlay ?? underlayOf(facts.nodeAddresses),
    services: wish.services ?? 'weft',
    ...(wish.mtu === undefined ? {} : { mtu: wish.mtu }),
  })
  if (!decoded.ok) return impossible(describeProblems(decoded.problems), 'correct the section cluster of the settings')
  const [problem] = nodeAddressProblems(decoded.value, facts.nodeAddresses)
  return problem === undefined
    ? { is: 'made', cluster: decoded.value }
    : impossible(problem.problem, `${problem.remedy}: cluster.podNetworks in the settings`)
}

/** What the settings say otherwise than the cluster's configuration, one sentence each. */
export function differences(wish: ClusterWish, cluster: Cluster): readonly string[] {
  const { encapsulation: is } = cluster
  const actual: { readonly [K in keyof Required<ClusterWish>]: ClusterWish[K] } = {
    podNetworks: cluster.networks,
    serviceNetworks: cluster.serviceNetworks,
    tenancy: cluster.tenancy,
    encapsulation: is.type,
    fabric: cluster.fabric?.way ?? 'tunnel',
    withoutWay: cluster.fabric?.otherwise ?? 'tunnel',
    tunnelPort: is.type === 'gre' ? undefined : is.port,
    rangesPerNode: cluster.rangesPerNode ?? 1,
    underlay: cluster.underlay,
    services: cluster.services,
    mtu: cluster.mtu,
  }
  return Object.entries(wish).flatMap(([key, wanted]) => {
    const found = actual[key as keyof ClusterWish]
    if (JSON.stringify(wanted) === JSON.stringify(found)) return []
    return [`cluster.${key} is ${shown(wanted)} in the settings and ${shown(found)} in the ClusterNetwork`]
  })
}

const SET_SERVICES = "set cluster.serviceNetworks to the API server's --service-cluster-ip-range"

function podNetworks({ podNetworks: told }: ClusterFacts, serviceNetworks: readonly Cidr[]): readonly ClusterNetwork[] {
  if (told.length > 0) return told.map((network) => ({ cidr: network, hostBits: hostBitsOf(network) }))
  const families = new Set(serviceNetworks.map(familyOf))
  return ([4, 6] as const).filter((family) => families.has(family)).map((family) => POD_NETWORKS[family])
}

/** A network that is too small for Kubernetes' own ranges is one node's. */
function hostBitsOf(network: Cidr): number {
  const family = familyOf(network)
  return Math.min(HOST_BITS[family], BITS[family] - prefixLength(network))
}

function encapsulation({ encapsulation: type = 'vxlan', tunnelPort }: ClusterWish): Encapsulation {
  return type === 'gre' ? { type } : { type, port: tunnelPort ?? PORTS[type] }
}

function underlayOf(addresses: readonly Ip[]): Family {
  return addresses.length > 0 && addresses.every((address) => familyOf(address) === 6) ? 6 : 4
}

function impossible(why: string, remedy: string): NewCluster {
  return { is: 'impossible', why, remedy }
}

function shown(value: unknown): string {
  return value === undefined ? 'not given' : JSON.stringify(value)
}
