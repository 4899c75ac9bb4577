/**
 * What a cluster's network configuration must be. The rules are OpenShift SDN's for its ClusterNetwork, for both
 * families, and those that k8s-ovs left out: networks must not overlap, ports and the MTU have bounds.
 * @module
 */
import { BITS, type Cidr, contains, familyOf, type Ip, ipValue, overlaps, prefixLength } from './address.ts'
import type { Cluster, ClusterNetwork, Encapsulation, Fabric } from './cluster.ts'
import { type At, below, type Decode, type Decoded, decodeWith, type Problem, reject } from './decode.ts'
import { checked, integer, list, literal, network, optional, record, variant } from './decoders.ts'
import { fabricWay } from './fabric-way.ts'

/** A subnet of fewer than four addresses has none left for pods after network, gateway and broadcast. */
const MIN_HOST_BITS = 2
const MAX_NETWORKS = 64
/** The smallest MTU that every IPv4 host accepts (RFC 791), and every IPv6 link must carry (RFC 8200). */
const MIN_MTU = { 4: 576, 6: 1280 } as const
const MAX_MTU = 65535

const port = integer(1, 65535)

const clusterNetwork: Decode<ClusterNetwork> = checked(
  record<ClusterNetwork>({ cidr: network, hostBits: integer(MIN_HOST_BITS, BITS[6]) }),
  checkHostBits,
)

const encapsulation: Decode<Encapsulation> = variant<Encapsulation>('type', [
  ['vxlan', record({ type: literal('vxlan'), port })],
  ['geneve', record({ type: literal('geneve'), port })],
  ['gre', record({ type: literal('gre') })],
])

const fabric: Decode<Fabric> = record<Fabric>({
  way: fabricWay,
  otherwise: literal('tunnel', 'refuse'),
})

const tenancy: Decode<Cluster['tenancy']> = (input, at) =>
  input === 'networkpolicy'
    ? reject(
        at,
        'there is no tenancy of that name: network policies are followed in each',
        'choose subnet, where nothing else tells namespaces apart, or multitenant',
      )
    : literal('multitenant', 'subnet')(input, at)

const cluster: Decode<Cluster> = checked(
  record<Cluster>({
    networks: list(clusterNetwork, MAX_NETWORKS),
    serviceNetworks: list(network, MAX_NETWORKS),
    tenancy,
    encapsulation,
    fabric: optional(fabric),
    underlay: literal(4, 6),
    services: literal('weft', 'kube-proxy'),
    mtu: optional(integer(MIN_MTU[4], MAX_MTU)),
  }),
  checkCluster,
)

/** The cluster's configuration in this input, or what is wrong with it. */
export function decodeCluster(input: unknown): Decoded<Cluster> {
  return decodeWith(cluster, input)
}

/**
 * Why a node with these addresses cannot be part of the cluster: an address that is nobody's, or one inside a pod or
 * service network, which would be unreachable once those networks are routed into the overlay.
 */
export function nodeAddressProblems(cluster: Cluster, addresses: readonly Ip[]): readonly Problem[] {
  const problems: Problem[] = []
  for (const [index, address] of addresses.entries()) {
    const at = below({ path: 'addresses', problems }, index)
    for (const { cidr } of cluster.networks) refuseInside(at, address, cidr, 'pod network')
    for (const cidr of cluster.serviceNetworks) refuseInside(at, address, cidr, 'service network')
  }
  return problems
}

function refuseInside(at: At, address: Ip, cidr: Cidr, what: string): void {
  if (contains(cidr, address)) {
    reject(at, `node address ${address} lies inside the ${what} ${cidr}`, `renumber the node or choose another ${what}`)
  }
}

function checkHostBits({ cidr, hostBits }: ClusterNetwork, at: At): void {
  const most = BITS[familyOf(cidr)] - prefixLength(cidr)
  if (hostBits <= most) return
  reject(below(at, 'hostBits'), `${hostBits} host bits are more than ${cidr} has`, `give ${MIN_HOST_BITS} to ${most}`)
}

function checkCluster({ networks, serviceNetworks, mtu }: Cluster, at: At): void {
  if (networks.length === 0) reject(below(at, 'networks'), 'there is no pod network', 'add one with cidr and hostBits')
  const all = [
    ...networks.map(({ cidr }, i) => ({ cidr, at: below(below(below(at, 'networks'), i), 'cidr') })),
    ...serviceNetworks.map((cidr, i) => ({ cidr, at: below(below(at, 'serviceNetworks'), i) })),
  ]
  checkUsable(all)
  checkOverlaps(all)
  if (mtu !== undefined && mtu < MIN_MTU[6] && networks.some(({ cidr }) => familyOf(cidr) === 6)) {
    reject(
      below(at, 'mtu'),
      `an MTU of ${mtu} is too small for IPv6`,
      `give at least ${MIN_MTU[6]}, or no IPv6 network`,
    )
  }
}

/** Networks that no unicast packet between machines can carry. */
const UNUSABLE = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '::/127',
  'fe80::/10',
  'ff00::/8',
] as readonly string[] as readonly Cidr[]

interface Placed {
  readonly cidr: Cidr
  readonly at: At
}

function checkUsable(all: readonly Placed[]): void {
  for (const one of all) {
    const unusable = UNUSABLE.find((reserved) => overlaps(reserved, one.cidr))
    if (unusable !== undefined)
      reject(one.at, `${one.cidr} overlaps with ${unusable}, which no host can use`, 'choose another network')
  }
}

function checkOverlaps(all: readonly Placed[]): void {
  for (const [index, one] of all.entries()) {
    const other = all.slice(0, index).find((earlier) => overlaps(earlier.cidr, one.cidr))
    if (other !== undefined) {
      reject(
        one.at,
        `${one.cidr} overlaps with ${other.cidr} of ${other.at.path}`,
        'choose networks that share no address',
      )
    }
  }
}

/** Whether an address can be a machine's: not unspecified, loopback, multicast, broadcast or link-local IPv6. */
export function isHostAddress(address: Ip): boolean {
  if (UNUSABLE.some((reserved) => contains(reserved, address))) return false
  return familyOf(address) === 6 ? !isMapped(address) : ipValue(address) !== 0xffffffffn
}

/** `::ffff:a.b.c.d` is IPv4 in disguise. */
function isMapped(address: Ip): boolean {
  return ipValue(address) >> 32n === 0xffffn
}
