/**
 * What a node's own network stack should look like: pure data, applied by the agent.
 *
 * The node reaches every pod through one next hop on the gateway port, whose MAC is fixed: the node needs no neighbour
 * entry per pod, however many pods there are.
 * @module
 */
import { calledNetworks, type NodeContext, podNetworks } from './context.ts'
import { DIRECT, DIRECT_MAC, type DirectPlan, directPlan, type Known } from './fabric/direct.ts'
import { overlayMtu, type TunnelInterface, tunnelInterface, tunnelOverhead } from './fabric/encapsulation.ts'
import { fabricOf, isDirect } from './fabric/way.ts'
import { type ForeignAcceptance, forwardAcceptance } from './firewall/acceptance.ts'
import type { Traffic } from './firewall/judge.ts'
import { neededTraffic } from './firewall/traffic.ts'
import { hostFilter, NFT_FAMILY } from './host-filter.ts'
import { GATEWAY, NEXT_HOP } from './host-names.ts'
import { type Cidr, type Family, hostCidr, type Ip, type Mac } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { IpRange } from './model/ip-range.ts'
import { DIRECT_PORT, GATEWAY_PORT, TUNNEL_PORT } from './pipeline/stages.ts'
import type { NodePort } from './service/catalogue.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from './virtual-addresses.ts'

export {
  BRIDGE,
  DOOMED_GROUP,
  ENDPOINT_GROUP,
  GATEWAY,
  HIJACKED,
  NEXT_HOP,
  NEXT_HOP_MAC,
  NFT_TABLE,
  OUTSIDE_HOP,
  OUTSIDE_HOP_MAC,
  ROUTE_PROTOCOL,
  TUNNEL,
  UNDERLAY_GROUP,
  WIRE_OWNER,
} from './host-names.ts'

/** A route of the node's main table. */
export interface HostRoute {
  readonly to: Cidr
  readonly via: Ip
  readonly source: Ip
}

/** What the bridge and its two own ports should be. */
export interface BridgePlan {
  /** The way to and from other nodes' pods without a tunnel; absent where there is none. */
  readonly direct?: { readonly ofport: number; readonly mac: Mac; readonly mtu: number }
  readonly tunnel: TunnelInterface & { readonly ofport: number }
  readonly gateway: { readonly ofport: number; readonly mac: Mac; readonly mtu: number }
}

/** What the node's own stack should be. */
export interface HostPlan {
  readonly bridge: BridgePlan
  /** Host addresses (/32, /128) of the gateway port. */
  readonly addresses: readonly Ip[]
  readonly routes: readonly HostRoute[]
  /** What packets between pods of different nodes need without a tunnel; absent where they all take one. */
  readonly direct?: DirectPlan
  readonly sysctls: readonly (readonly [key: string, value: string])[]
  /** An nftables ruleset that replaces our table as a whole. */
  readonly nftables: string
  /** What of pods has to be accepted in filters of others as well. */
  readonly acceptance: readonly ForeignAcceptance[]
  /** What filters of others must let through for the network to work. */
  readonly traffic: readonly Traffic[]
}

/** What a node's own stack publishes. */
export interface Publication {
  readonly ports: readonly NodePort[]
  /** Addresses of the other nodes, which publish the same. */
  readonly peers: readonly Ip[]
  /** The other machines, with what the kernel knows of ways to them. Absent: none. */
  readonly machines?: readonly Known[]
  /** Services' addresses of which endpoints of this node alone answer those outside, and see who calls. Absent: none. */
  readonly localServices?: readonly Ip[]
  /** Networks outside that this node learned by BGP. Absent: none. */
  readonly outside?: readonly Cidr[]
  /** Whom the node's BGP daemon watches by BFD: nobody else has a word to say there. Absent: nobody. */
  readonly watched?: readonly Ip[]
}

const NOTHING: Publication = { ports: [], peers: [] }

/**
 * The plan for a node's own stack. `hijacked`: where an administrator leads guests of the overlay by way of their node, besides
 * overlay and services.
 */
export function hostPlan(context: NodeContext, publication: Publication, hijacked: readonly IpRange[] = []): HostPlan {
  const { cluster, ranges, routerMac, mtu } = context
  const families = ranges.map(({ family }) => family)
  const direct = directPlan(context, publication.machines ?? [], GATEWAY)
  const links = direct === undefined ? [GATEWAY] : [GATEWAY, DIRECT]
  return {
    bridge: {
      tunnel: { ...tunnelInterface(cluster.encapsulation, cluster.underlay), ofport: TUNNEL_PORT },
      gateway: { ofport: GATEWAY_PORT, mac: routerMac, mtu },
      ...(direct === undefined ? {} : { direct: { ofport: DIRECT_PORT, mac: DIRECT_MAC, mtu } }),
    },
    addresses: ranges.map(({ gateway }) => gateway),
    routes: ranges.flatMap(({ family, gateway: source }) =>
      [...podNetworks(cluster, family), ...serviceDestinations(context, family)].map((to) => ({
        to,
        via: NEXT_HOP[family],
        source,
      })),
    ),
    ...(direct === undefined ? {} : { direct }),
    sysctls: families.flatMap((family) => [
      ...SYSCTLS[family],
      ...(direct === undefined ? [] : DIRECT_SYSCTLS[family]),
    ]),
    nftables: hostFilter(
      context,
      cluster.services === 'weft' ? publication : { ...NOTHING, peers: publication.peers },
      {
        hijacked,
        direct,
        outside: publication.outside ?? [],
        watched: publication.watched ?? [],
      },
    ),
    acceptance: families.map((family) => forwardAcceptance(NFT_FAMILY[family], links)),
    traffic: neededTraffic(cluster, families, GATEWAY),
  }
}

/** The MTU of pod interfaces, and the largest packet that fits into the tunnel, in bytes. */
export interface Mtus {
  readonly pods: number
  readonly tunnel: number
}

/**
 * What is configured, else what fits the smallest uplink: with a tunnel around it, unless no packet of a pod for another takes
 * one.
 */
export function mtusOf(cluster: Cluster, uplinkMtus: readonly number[]): Mtus {
  const uplink = Math.min(...uplinkMtus)
  const inTunnel = overlayMtu(cluster.encapsulation, cluster.underlay, uplink)
  const pods = cluster.mtu ?? (needsTunnel(cluster) ? inTunnel : uplink)
  return { pods, tunnel: needsTunnel(cluster) ? pods : Math.min(pods, inTunnel) }
}

function needsTunnel(cluster: Cluster): boolean {
  return !isDirect(cluster) || fabricOf(cluster).otherwise === 'tunnel'
}

/** Why a configured MTU cannot work with this uplink, or undefined. */
export function mtuProblem(cluster: Cluster, uplinkMtu: number): string | undefined {
  if (cluster.mtu === undefined) return undefined
  const overhead = needsTunnel(cluster) ? tunnelOverhead(cluster.encapsulation, cluster.underlay) : 0
  const needed = cluster.mtu + overhead
  if (uplinkMtu >= needed) return undefined
  const where = overhead === 0 ? '' : ' in the tunnel'
  return `the uplink's MTU of ${uplinkMtu} is too small: pods' MTU ${cluster.mtu} needs ${needed}${where}`
}

/** What else than pods the switch can be asked for by the node. */
function serviceDestinations(context: NodeContext, family: Family): readonly Cidr[] {
  const { cluster, self } = context
  // A host outside the cluster asked for pods: services would be a surprise there, and it knows none.
  if (cluster.services !== 'weft' || self.machine.kind === 'external') return []
  return [...calledNetworks(context, family), hostCidr(NODE_PORT_ADDRESS[family]), hostCidr(TURN_ADDRESS[family])]
}

const SYSCTLS: { readonly [F in Family]: HostPlan['sysctls'] } = {
  4: [['net.ipv4.ip_forward', '1']],
  6: [
    ['net.ipv6.conf.all.forwarding', '1'],
    [`net.ipv6.conf.${GATEWAY}.accept_ra`, '0'],
    // Nobody else has its addresses, and nobody hears the question.
    [`net.ipv6.conf.${GATEWAY}.accept_dad`, '0'],
  ],
}

/** Pods' packets have sources here to which the node itself would answer by the gateway port. */
const DIRECT_SYSCTLS: { readonly [F in Family]: HostPlan['sysctls'] } = {
  4: [[`net.ipv4.conf.${DIRECT}.rp_filter`, '2']],
  6: [
    [`net.ipv6.conf.${DIRECT}.accept_ra`, '0'],
    [`net.ipv6.conf.${DIRECT}.accept_dad`, '0'],
  ],
}
