/**
 * What a node's own network stack should look like: pure data, applied by the agent.
 *
 * The node reaches every pod through one next hop on the gateway port, whose MAC is fixed: the node needs no neighbour
 * entry per pod, however many pods there are.
 * @module
 */
import { type NodeContext, podNetworks, serviceNetworks } from './context.ts'
import { DIRECT, DIRECT_MAC, type DirectPlan, directPlan, type Known } from './fabric/direct.ts'
import { overlayMtu, type TunnelInterface, tunnelInterface, tunnelOverhead } from './fabric/encapsulation.ts'
import { fabricOf, isDirect } from './fabric/way.ts'
import { type ForeignAcceptance, forwardAcceptance } from './firewall/acceptance.ts'
import type { Traffic } from './firewall/judge.ts'
import { neededTraffic } from './firewall/traffic.ts'
import { GUEST_GROUP } from './guests.ts'
import { type Cidr, type Family, familyOf, hostCidr, type Ip, ip, type Mac } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { IpRange } from './model/ip-range.ts'
import { addressSet, nodePortSet, rangeSet } from './nft-sets.ts'
import { DIRECT_PORT, GATEWAY_PORT, TUNNEL_PORT } from './pipeline/stages.ts'
import type { NodePort } from './service/catalogue.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from './virtual-addresses.ts'

/** Names of what Weft makes on a node. */
export const BRIDGE = 'br-weft'
export const GATEWAY = 'weft0'
export const TUNNEL = 'weft-tunnel'
/** In the `external_ids` of bridges on the physical network that `weft bridge create` made: there the agent guards pods. */
export const WIRE_OWNER = { key: 'weft-owner', value: 'weft-bridge' } as const
/** The nftables table that is ours, and its sets of what guests of the overlay are led to by an administrator. */
export const NFT_TABLE = 'weft'
export const HIJACKED: { readonly [F in Family]: string } = { 4: 'hijacked4', 6: 'hijacked6' }
/**
 * The link group of the node's ends of pods' veth pairs: of those on our bridge, of those on other bridges, and of those about
 * to be deleted.
 */
export const ENDPOINT_GROUP = 0x5745
export const UNDERLAY_GROUP = 0x5755
export const DOOMED_GROUP = 0x5744
/** The routing protocol number that marks our routes (see rtnetlink(7); 255 is the last, 77 is nobody's). */
export const ROUTE_PROTOCOL = 77

/** The next hop for every pod, one per family, and its MAC. Pods' addresses are behind it, nothing answers for it. */
export const NEXT_HOP: { readonly [F in Family]: Ip } = { 4: ip('169.254.77.1'), 6: ip('fe80::77:1') }
export const NEXT_HOP_MAC = '0a:58:a9:fe:4d:01' as Mac

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
    nftables: nftables(context, cluster.services === 'weft' ? publication : NOTHING, { hijacked, direct }),
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
function serviceDestinations({ cluster, self }: NodeContext, family: Family): readonly Cidr[] {
  // A host outside the cluster asked for pods: services would be a surprise there, and it knows none.
  if (cluster.services !== 'weft' || self.machine.kind === 'external') return []
  return [...serviceNetworks(cluster, family), hostCidr(NODE_PORT_ADDRESS[family]), hostCidr(TURN_ADDRESS[family])]
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

/**
 * What a pod sends belongs to the switch alone. The userspace datapath only listens on the node's end of a pod's link: the
 * node's own stack hears the same frames, would answer ARP there and forward what is addressed to that link's MAC, past
 * every stage. So it is deaf on these links, which it tells by their group from the moment they are born.
 *
 * Beyond that: source translation for what leaves the cluster, and the guards that the pipeline cannot give: nobody outside borrows
 * a pod's address, or reaches a pod by way of a node unless the node itself published it by address translation; what
 * connection tracking cannot translate does not leave with a pod's address; and no tunnel packet of a pod gets out by
 * way of an address translation on the node. Whom the node would not answer by a guest's link has no business to come by it:
 * the kernel's own filter for that (rp_filter) is for IPv4 alone.
 *
 * What arrives for a node port goes to the switch under the node-port address, which chooses the endpoint. Where endpoints
 * of other nodes may serve it gets the node's own address, or their answers would go another way. Only the addresses that
 * every switch knows as this node's publish: a pod's own switch leads it to a node port, in its tenant's name, and what of a
 * pod still arrives here for another node's (in fragments, or by way of a service) would look like an outsider there. Redirects would tell
 * pods to go around the node that kube-proxy needs them to pass.
 *
 * Pods on the physical network come to the overlay by their node's stack, as guests (guests.ts): with its address, so that answers
 * find back, and by the next hop of their tenant alone. By the node's own they would be the node, which is everybody's. What
 * kube-proxy leads elsewhere gets the node's address, too: an endpoint on the wire would answer past the translation. Beyond that
 * the node leads them to what an administrator hijacked, and answers the way that questions came; not to one another, and to
 * nothing else it knows a way to: what they send by the wire is within their VLANs, policies and limits, and this is not.
 *
 * What a pod publishes by itself (`hostPort`, by rules of others) takes neither a service's node port nor the tunnel's packets: who got
 * those would be in every tenant. Translating an address to itself is final, so both are decided before the others' rules.
 */
function nftables(
  context: NodeContext,
  { ports: nodePorts, peers }: Publication,
  { hijacked, direct }: { readonly hijacked: readonly IpRange[]; readonly direct: DirectPlan | undefined },
): string {
  const { cluster } = context
  const networks = cluster.networks.map(({ cidr }) => cidr)
  const guards = tunnelGuards(cluster).flatMap((guard) =>
    [`iifname "${GATEWAY}"`, `iifgroup ${GUEST_GROUP}`].map((pods) => `${pods} ${guard} counter drop`),
  )
  const ports = `iifgroup { ${DOOMED_GROUP}, ${ENDPOINT_GROUP}, ${UNDERLAY_GROUP} }`
  return `table arp ${NFT_TABLE}
delete table arp ${NFT_TABLE}
table arp ${NFT_TABLE} {
  chain ports {
    type filter hook input priority 0; policy accept;
    ${ports} counter drop
  }
}
table inet ${NFT_TABLE}
delete table inet ${NFT_TABLE}
table inet ${NFT_TABLE} {
${nodePortSet('node_ports', nodePorts)}
${nodePortSet(
  'any_node_ports',
  nodePorts.filter(({ anyNode }) => anyNode),
)}
${FAMILIES.map((family) => addressSet(`own_addresses${family}`, family, context.self.addresses)).join('\n')}
${FAMILIES.map((family) => addressSet(`nodes${family}`, family, peers)).join('\n')}
${FAMILIES.map((family) => rangeSet(HIJACKED[family], family, hijacked)).join('\n')}
  chain ports {
    type filter hook prerouting priority -310; policy accept;
    ${ports} counter drop
  }
  chain outsiders {
    type filter hook prerouting priority -300; policy accept;
    iifgroup ${GUEST_GROUP} fib saddr . iif oif missing counter drop
${lines(direct === undefined ? [] : [`iifname "${DIRECT}" notrack`, ...arrivals(direct)])}
${networks.map((cidr) => `    iifname != { "${GATEWAY}", "${DIRECT}", "lo" } ${nftFamily(cidr)} saddr ${cidr} counter drop`).join('\n')}
  }
  chain publish {
    type nat hook prerouting priority ${BEFORE_OTHERS}; policy accept;
${FAMILIES.flatMap((family) => keepTunnels(cluster, family).map((rule) => `    ${rule}`)).join('\n')}
${FAMILIES.map((family) => `    iifname != "${GATEWAY}" ${NFT_FAMILY[family]} daddr @own_addresses${family} meta l4proto . th dport @node_ports goto to_service`).join('\n')}
  }
  chain publish_to_self {
    type nat hook output priority ${BEFORE_OTHERS}; policy accept;
${FAMILIES.map((family) => `    ${NFT_FAMILY[family]} daddr @own_addresses${family} meta l4proto . th dport @node_ports goto to_service`).join('\n')}
  }
  chain to_service {
    meta nfproto ipv4 dnat ip to ${NODE_PORT_ADDRESS[4]}
    meta nfproto ipv6 dnat ip6 to ${NODE_PORT_ADDRESS[6]}
  }
  chain guests {
    ct state invalid counter drop
${FAMILIES.map((family) => `    rt ${NFT_FAMILY[family]} nexthop ${NEXT_HOP[family]} counter drop`).join('\n')}
  }
  chain guests_elsewhere {
    ct direction reply return
    ct status & dnat != 0 return
${FAMILIES.map((family) => `    oifgroup != ${GUEST_GROUP} ${NFT_FAMILY[family]} daddr @${HIJACKED[family]} return`).join('\n')}
    counter drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "${GATEWAY}" ct state invalid counter drop
    iifgroup ${GUEST_GROUP} oifname "${GATEWAY}" goto guests
    iifgroup ${GUEST_GROUP} jump guests_elsewhere
${lines(direct === undefined ? [] : onlyBetween(direct))}
    oifname "${GATEWAY}" iifname != { "${GATEWAY}", "${DIRECT}" } ct state new ct status & dnat == 0 counter drop
${FAMILIES.map((family) => `    iifname "${GATEWAY}" ${NFT_FAMILY[family]} daddr @nodes${family} meta l4proto . th dport @node_ports counter drop`).join('\n')}
${guards.map((guard) => `    ${guard}`).join('\n')}
  }
  chain input {
    type filter hook input priority 0; policy accept;
${guards.map((guard) => `    ${guard}`).join('\n')}
  }
  chain output {
    type filter hook output priority 0; policy accept;
    oifname "${GATEWAY}" icmp type redirect drop
    oifname "${GATEWAY}" icmpv6 type nd-redirect drop
  }
  chain leave {
    type nat hook postrouting priority 100; policy accept;
    iifgroup ${GUEST_GROUP} oifname "${GATEWAY}" counter masquerade
    iifgroup ${GUEST_GROUP} ct status & dnat != 0 counter masquerade
${networks.map((cidr) => `    oifname != "${GATEWAY}" ${nftFamily(cidr)} saddr ${cidr} ${nftFamily(cidr)} daddr != ${insideOf(cluster, familyOf(cidr))} counter masquerade`).join('\n')}
${FAMILIES.map((family) => `    oifname != "${GATEWAY}" ${NFT_FAMILY[family]} saddr ${TURN_ADDRESS[family]} counter masquerade`).join('\n')}
${context.ranges.map(({ family, gateway }) => `    oifname "${GATEWAY}" ${NFT_FAMILY[family]} daddr ${NODE_PORT_ADDRESS[family]} meta l4proto . th dport @any_node_ports snat ${NFT_FAMILY[family]} to ${gateway}`).join('\n')}
  }
}
`
}

/**
 * Packets of other nodes' pods are let in by the links that those nodes are on, for pods of this one. The node's own stack keeps
 * no record of them, as of those that leave: the switch has one. Of a connection whose other direction goes by the tunnel the node would
 * see half, which filters of others drop as invalid; and what a kube-proxy of this node translated comes back translated
 * from the switch alone.
 */
function arrivals({ segments, own }: DirectPlan): readonly string[] {
  return segments.flatMap(({ link, ranges }) =>
    FAMILIES.flatMap((family) => {
      const from = ranges.filter((range) => familyOf(range) === family)
      const to = own.filter((one) => one.family === family).map(({ range }) => range)
      if (from.length === 0 || to.length === 0) return []
      const ip = NFT_FAMILY[family]
      return [`iifname "${link}" ${ip} saddr { ${from.join(', ')} } ${ip} daddr { ${to.join(', ')} } notrack accept`]
    }),
  )
}

/** From there to the switch and back, and where a way is lost by way of the gateway port to the tunnel; nowhere else. */
function onlyBetween({ segments }: DirectPlan): readonly string[] {
  const links = segments.map(({ link }) => `"${link}"`)
  return [
    `iifname "${DIRECT}" oifname != { ${[`"${GATEWAY}"`, ...links].join(', ')} } counter drop`,
    `oifname "${DIRECT}" ${links.length === 0 ? '' : `iifname != { ${links.join(', ')} } `}counter drop`,
  ]
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `    ${rule}`).join('\n')
}

/** Just before the place where iptables, Docker and kube-proxy translate destinations. */
const BEFORE_OTHERS = -101

function keepTunnels(cluster: Cluster, family: Family): readonly string[] {
  const to = `${NFT_FAMILY[family]} daddr`
  return tunnelGuards(cluster).map(
    (guard) => `${to} @own_addresses${family} ${guard} dnat ${NFT_FAMILY[family]} to ${to}`,
  )
}

function tunnelGuards({ encapsulation }: Cluster): readonly string[] {
  if (encapsulation.type === 'gre') return ['meta l4proto gre']
  return [`udp dport ${encapsulation.port}`]
}

function insideOf(cluster: Cluster, family: Family): string {
  return `{ ${podNetworks(cluster, family).join(', ')} }`
}

const FAMILIES: readonly Family[] = [4, 6]
const NFT_FAMILY = { 4: 'ip', 6: 'ip6' } as const satisfies { readonly [F in Family]: string }

function nftFamily(cidr: Cidr): string {
  return NFT_FAMILY[familyOf(cidr)]
}
