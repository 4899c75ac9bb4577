/**
 * A cluster of many nodes that reach each other in one of three ways, as one of them sees it.
 * @module
 */
import { type NodeContext, nodeContext } from '../../src/network/context.ts'
import { fullMesh } from '../../src/network/fabric/bgp/cluster.ts'
import type { BgpCluster, BgpSelf } from '../../src/network/fabric/bgp/model.ts'
import type { PeerPlace } from '../../src/network/fabric/direct.ts'
import {
  type Cidr,
  cidr,
  type Family,
  familyOf,
  formatIp,
  type Ip,
  ip,
  ipValue,
} from '../../src/network/model/address.ts'
import type { Cluster, Fabric } from '../../src/network/model/cluster.ts'
import type { NodeNetwork } from '../../src/network/model/node.ts'
import type { Pod } from '../../src/network/model/pod.ts'

export const TENANTS = 100
export const PODS_EACH = 10
/** The link that all nodes are on. */
export const UPLINK = 'eth0'

const NETWORKS: Cluster['networks'] = [
  { cidr: cidr('10.128.0.0/12'), hostBits: 8 },
  { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
]
const FIRST_V4 = ipValue(ip('10.128.0.0'))
const FIRST_NODE: { readonly [F in Family]: bigint } = { 4: ipValue(ip('198.18.0.0')), 6: ipValue(ip('2001:db8::')) }

/** The first node of the cluster. */
export function fabricContext(way: Fabric['way']): NodeContext {
  const cluster: Cluster = {
    networks: NETWORKS,
    serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd00:172:30::/112')],
    tenancy: 'multitenant',
    encapsulation: { type: 'vxlan', port: 4789 },
    fabric: { way, otherwise: 'tunnel' },
    underlay: 4,
    services: 'weft',
  }
  const context = nodeContext(cluster, machineOf(1), 1450)
  if (context === undefined) throw new Error('a node with ranges has a context')
  return context
}

/** Node number `n`, from 1: a /24 and a /64, an address of either family on one segment. */
export function machineOf(n: number): NodeNetwork {
  return {
    node: `node${n}`,
    machine: { kind: 'node', uid: `uid-node${n}` },
    addresses: [nodeAddress(n, 4), nodeAddress(n, 6)],
    ranges: [rangeOf(n, 4), rangeOf(n, 6)],
    status: { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true },
  }
}

/** A node's own address. */
export function nodeAddress(n: number, family: Family): Ip {
  return formatIp(family, FIRST_NODE[family] + BigInt(n))
}

/** A node's range. */
export function rangeOf(n: number, family: Family): Cidr {
  if (family === 6) return cidr(`fd00:10:128:${n.toString(16)}::/64`)
  return cidr(`${formatIp(4, FIRST_V4 + (BigInt(n) << 8n))}/24`)
}

/** Where the kernel finds a node in such a fabric. */
export function placeOf(n: number): PeerPlace {
  const at = (family: Family) => ({ link: UPLINK, address: nodeAddress(n, family) })
  return { reach: { 4: 'open', 6: 'open' }, places: { 4: at(4), 6: at(6) } }
}

/** The tenant of a pod, by its number. */
export function tenantOf(pod: number): string {
  return `tenant-${pod % TENANTS}`
}

/** A node's pod number `k`, from 0. */
export function remotePod(n: number, k: number): Pod {
  const [v4, v6] = machineOf(n).ranges.map((range) => hostOf(range, k + 2))
  const name = `pod-${n}-${k}`
  const addresses = [v4, v6].flatMap((one) => one ?? [])
  return { namespace: tenantOf(n * PODS_EACH + k), name, uid: name, node: `node${n}`, addresses }
}

function hostOf(range: Cidr, host: number): Ip {
  const first = ip(range.slice(0, range.indexOf('/')))
  return formatIp(familyOf(range), ipValue(first) + BigInt(host))
}

/** Every two nodes have a session; with reflectors, the last two, every other one has sessions with those. */
export function bgpCluster(nodes: number, kind: 'mesh' | 'reflectors'): BgpCluster {
  const all = Array.from({ length: nodes }, (_, i) => machineOf(i + 1))
  const mesh = fullMesh({ networks: NETWORKS }, all)
  if (kind === 'mesh') return mesh
  const reflectors = [`node${nodes - 1}`, `node${nodes}`]
  const { mesh: _, ...rest } = mesh
  return {
    ...rest,
    nodes: mesh.nodes.map((node) =>
      reflectors.includes(node.name) ? { ...node, clusterId: ip('198.51.100.1') } : node,
    ),
    peers: [
      {
        name: 'to-reflectors',
        on: { kind: 'all' },
        to: { kind: 'nodes', nodes: reflectors, isMutual: true },
        nextHop: 'auto',
        bfd: false,
        source: 'node',
        filters: [],
      },
    ],
  }
}

/** What a node knows of itself. */
export function bgpSelf(n: number): BgpSelf {
  const { node, ranges } = machineOf(n)
  return { name: node, ranges: ranges.map((range) => ({ cidr: range, isConfirmed: true })), services: [] }
}
