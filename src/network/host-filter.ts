/**
 * The nftables ruleset of a node's own stack.
 * @module
 */
import { type NodeContext, podNetworks } from './context.ts'
import { DIRECT, type DirectPlan } from './fabric/direct.ts'
import { GUEST_GROUP } from './guests.ts'
import {
  DOOMED_GROUP,
  ENDPOINT_GROUP,
  GATEWAY,
  HIJACKED,
  NEXT_HOP,
  NFT_TABLE,
  OUTSIDE_HOP,
  UNDERLAY_GROUP,
} from './host-names.ts'
import { type Cidr, contains, type Family, familyOf, firstIp, type Ip, prefixLength } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import { type IpRange, rangeOf } from './model/ip-range.ts'
import { addressSet, nodePortSet, rangeSet } from './nft-sets.ts'
import type { NodePort } from './service/catalogue.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from './virtual-addresses.ts'

/** What the node's own stack publishes; see `Publication`. */
interface Published {
  readonly ports: readonly NodePort[]
  readonly peers: readonly Ip[]
  readonly localServices?: readonly Ip[]
}

/** Where it leads: guests to what an administrator hijacked, pods to other nodes' without a tunnel, and to networks outside as they are. */
interface Led {
  readonly hijacked: readonly IpRange[]
  readonly direct: DirectPlan | undefined
  readonly outside: readonly Cidr[]
  /** Whom a BGP daemon watches by BFD. */
  readonly watched: readonly Ip[]
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
export function hostFilter(
  context: NodeContext,
  { ports: nodePorts, peers, localServices = [] }: Published,
  { hijacked, direct, outside, watched }: Led,
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
${outsideSets(outside, localServices)}
${FAMILIES.map((family) => addressSet(`watched${family}`, family, watched)).join('\n')}
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
  chain from_outside {
${lines(fromOutside(context))}
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "${GATEWAY}" ct state invalid counter drop
    iifgroup ${GUEST_GROUP} oifname "${GATEWAY}" goto guests
    iifgroup ${GUEST_GROUP} jump guests_elsewhere
${lines(direct === undefined ? [] : onlyBetween(direct))}
    oifname "${GATEWAY}" iifname != { "${GATEWAY}", "${DIRECT}" } ct state new ct status & dnat == 0 goto from_outside
${FAMILIES.map((family) => `    iifname "${GATEWAY}" ${NFT_FAMILY[family]} daddr @nodes${family} meta l4proto . th dport @node_ports counter drop`).join('\n')}
${guards.map((guard) => `    ${guard}`).join('\n')}
  }
  chain input {
    type filter hook input priority 0; policy accept;
${lines(watched.length === 0 ? [] : FAMILIES.map((family) => `udp dport { 3784, 4784 } ${NFT_FAMILY[family]} saddr != @watched${family} counter drop`))}
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
${lines(untranslatedRanges(context).map((range) => `oifname != "${GATEWAY}" ${nftFamily(range)} saddr ${range} return`))}
${networks.map((cidr) => `    oifname != "${GATEWAY}" ${nftFamily(cidr)} saddr ${cidr} ${nftFamily(cidr)} daddr != ${insideOf(cluster, familyOf(cidr))} ${nftFamily(cidr)} daddr != @outside${familyOf(cidr)} counter masquerade`).join('\n')}
${FAMILIES.map((family) => `    oifname != "${GATEWAY}" ${NFT_FAMILY[family]} saddr ${TURN_ADDRESS[family]} counter masquerade`).join('\n')}
${context.ranges.map(({ family, gateway }) => `    oifname "${GATEWAY}" ${NFT_FAMILY[family]} daddr ${NODE_PORT_ADDRESS[family]} meta l4proto . th dport @any_node_ports snat ${NFT_FAMILY[family]} to ${gateway}`).join('\n')}
${lines(context.ranges.map(({ family, gateway }) => `oifname "${GATEWAY}" rt ${NFT_FAMILY[family]} nexthop ${OUTSIDE_HOP[family]} ${NFT_FAMILY[family]} daddr != @local_services${family} snat ${NFT_FAMILY[family]} to ${gateway}`))}
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

function outsideSets(outside: readonly Cidr[], localServices: readonly Ip[]): string {
  const networks = outside.map(rangeOf)
  return FAMILIES.flatMap((family) => [
    rangeSet(`outside${family}`, family, networks),
    addressSet(`local_services${family}`, family, localServices),
  ]).join('\n')
}

/**
 * What opens a connection from outside, past all that the node itself published. Services that routers were told of, and pods
 * where their network is told to be called; for the rest whom BGP leads the pods' answers to. Nobody with a node's address.
 */
function fromOutside(context: NodeContext): readonly string[] {
  return [
    ...FAMILIES.flatMap((family) =>
      [`own_addresses${family}`, `nodes${family}`].map((set) => `${NFT_FAMILY[family]} saddr @${set} counter drop`),
    ),
    ...FAMILIES.map((family) => `rt ${NFT_FAMILY[family]} nexthop ${OUTSIDE_HOP[family]} counter accept`),
    ...untranslatedRanges(context).map((range) => `${nftFamily(range)} daddr ${range} counter accept`),
    ...context.ranges.map(({ family, range }) => {
      const ip = NFT_FAMILY[family]
      return `${ip} saddr @outside${family} ${ip} daddr ${range} counter accept`
    }),
    'counter drop',
  ]
}

/** This node's ranges whose pods have their own addresses outside. */
function untranslatedRanges({ ranges, outside }: NodeContext): readonly Cidr[] {
  return ranges
    .map(({ range }) => range)
    .filter((range) =>
      outside.untranslated.some((one) => contains(one, firstIp(range)) && prefixLength(one) <= prefixLength(range)),
    )
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
export const NFT_FAMILY = { 4: 'ip', 6: 'ip6' } as const satisfies { readonly [F in Family]: string }

function nftFamily(cidr: Cidr): string {
  return NFT_FAMILY[familyOf(cidr)]
}
