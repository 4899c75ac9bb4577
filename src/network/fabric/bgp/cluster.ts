/**
 * What a cluster's nodes speak about where nobody says anything else: every two of them have a session, all are of one
 * autonomous system, and of each the others learn its range.
 * @module
 */
import { type Cidr, contains, type Family, familyOf, type Ip } from '../../model/address.ts'
import type { Cluster } from '../../model/cluster.ts'
import type { NodeNetwork } from '../../model/node.ts'
import { BGP_PORT, type BgpCluster, type BgpNode, DEFAULT_AS, DEFAULT_BFD, DEFAULT_METRIC, FAMILIES } from './model.ts'

/** A full mesh of a cluster's nodes. Hosts outside it are no part of it. */
export function fullMesh(
  { networks, fabric }: Pick<Cluster, 'networks' | 'fabric'>,
  machines: Iterable<NodeNetwork>,
): BgpCluster {
  return {
    asNumber: DEFAULT_AS,
    port: BGP_PORT,
    isStrictlyBound: false,
    hasTunnels: fabric?.otherwise !== 'refuse',
    mesh: { bfd: false },
    bfd: DEFAULT_BFD,
    nodes: [...machines].flatMap((machine) => (machine.machine.kind === 'node' ? [nodeOf(machine)] : [])),
    peers: [],
    filters: [],
    pools: networks.map(({ cidr }) => ({ cidr, isHidden: false, encapsulated: 'never' })),
    services: [],
    communities: [],
    metric: { 4: DEFAULT_METRIC, 6: DEFAULT_METRIC },
    ignoredInterfaces: [],
  }
}

/** A cluster one of whose nodes knows what networks its own addresses are of. */
export function withNetworks(cluster: BgpCluster, name: string, known: readonly Cidr[]): BgpCluster {
  const nodes = cluster.nodes.map((node): BgpNode => {
    if (node.name !== name) return node
    const found = FAMILIES.flatMap((family) => {
      const address = node.addresses[family]
      const network = known.find((one) => address !== undefined && contains(one, address))
      return network === undefined ? [] : [[family, network] as const]
    })
    return { ...node, networks: { ...Object.fromEntries(found), ...node.networks } }
  })
  return { ...cluster, nodes }
}

function nodeOf({ node, addresses, ranges }: NodeNetwork): BgpNode {
  const of = (family: Family): readonly (readonly [Family, Ip])[] =>
    addresses
      .filter((address) => familyOf(address) === family)
      .flatMap((address, i) => (i === 0 ? [[family, address]] : []))
  return { name: node, addresses: Object.fromEntries(FAMILIES.flatMap(of)), networks: {}, ranges }
}
