/**
 * A pod's interface on a bridge of ours on the physical network: what it may send. How packets reach it is the bridge's
 * own business.
 * @module
 */
import type { Flow, Match } from '../../flow/flow.ts'
import { endpointKey, type Fragment } from '../fragments/fragment.ts'
import { familyOf, type Ip, linkLocalFromMac } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  type FlowMaker,
  flowsOf,
  goto,
  icmpv6,
  ipPacket,
  load,
} from '../pipeline/build.ts'
import { ORIGIN } from '../pipeline/stages.ts'
import { policerOf } from '../qos/shaping.ts'

/** The fragment of an endpoint. One without addresses, which gets them from somebody on the wire, is held to its MAC. */
export function wireEndpointFragment(endpoint: Endpoint): Fragment {
  const key = endpointKey(endpoint.id)
  const make = flowsOf(key)
  const flows = [
    ...classify(make, endpoint),
    ...(endpoint.addresses.length === 0 ? anyAddress(make, endpoint) : ownAddresses(make, endpoint)),
    make.drop('spoofed-mac', 10, { in_port: endpoint.ofport }),
  ]
  return { key, title: `pod ${endpoint.namespace}/${endpoint.pod} on the physical network`, flows, groups: [] }
}

function classify({ flow }: FlowMaker, endpoint: Endpoint): Flow[] {
  const policer = policerOf(endpoint)
  return [
    flow('classify', 100, { in_port: endpoint.ofport }, [
      ...(policer === undefined ? [] : [{ op: 'meter', meter: policer.id } as const]),
      load('origin', ORIGIN.pod),
      goto('guard'),
    ]),
  ]
}

function ownAddresses({ flow, drop }: FlowMaker, endpoint: Endpoint): Flow[] {
  const { mac, addresses } = endpoint
  const own: Match = { in_port: endpoint.ofport, eth_src: mac }
  const sixes = addresses.filter((address) => familyOf(address) === 6)
  const sources = sixes.length === 0 ? addresses : [...addresses, linkLocalFromMac(mac)]
  return [
    ...sources.map((from) => flow('guard', 300, { ...own, ...ipPacket(familyOf(from), { from }) }, [goto('manners')])),
    ...addresses
      .filter((address) => familyOf(address) === 4)
      .flatMap((address) => arp({ flow }, own, endpoint, address)),
    ...(sixes.length === 0 ? [] : neighbours({ flow }, own, endpoint, [...sixes, linkLocalFromMac(mac)])),
    drop('unaddressed', 200, { ...own, eth_type: ETH_IPV4, ipv4_src: '0.0.0.0' }),
    drop('unaddressed', 200, { ...own, eth_type: ETH_IPV6, ipv6_src: '::' }),
    drop('spoofed-ipv4', 100, { ...own, eth_type: ETH_IPV4 }),
    drop('spoofed-ipv6', 100, { ...own, eth_type: ETH_IPV6 }),
    drop('spoofed-arp', 100, { ...own, eth_type: ETH_ARP }),
    drop('ethertype', 50, own),
  ]
}

/** Says its own address, and asks whether somebody has it (RFC 5227). */
function arp({ flow }: Pick<FlowMaker, 'flow'>, own: Match, { mac }: Endpoint, address: Ip): Flow[] {
  const message: Match = { ...own, eth_type: ETH_ARP, arp_sha: mac }
  return [
    flow('guard', 300, { ...message, arp_spa: address }, [goto('deliver')]),
    flow('guard', 300, { ...message, arp_spa: '0.0.0.0', arp_tpa: address }, [goto('deliver')]),
  ]
}

/** True neighbour messages, and the first words of an IPv6 stack: duplicate address detection and group membership. */
function neighbours(
  { flow }: Pick<FlowMaker, 'flow'>,
  own: Match,
  { mac, ofport }: Endpoint,
  addresses: readonly Ip[],
): Flow[] {
  const port: Match = { in_port: ofport }
  const unaddressed: Match = { ...own, ipv6_src: '::' }
  return [
    flow('manners', 300, { ...port, ...icmpv6(135), nd_sll: mac }, [goto('deliver')]),
    flow('manners', 300, { ...port, ...icmpv6(135), nd_sll: NO_MAC }, [goto('deliver')]),
    flow('guard', 300, { ...unaddressed, ...icmpv6(143) }, [goto('deliver')]),
    ...addresses.flatMap((target) => [
      flow('guard', 300, { ...unaddressed, ...icmpv6(135), nd_target: target }, [goto('deliver')]),
      flow('manners', 300, { ...port, ...icmpv6(136), nd_target: target, nd_tll: mac }, [goto('deliver')]),
      // Whoever asks it directly knows its MAC address, and is not told it (RFC 4861 section 4.4).
      flow('manners', 300, { ...port, ...icmpv6(136), nd_target: target, nd_tll: NO_MAC }, [goto('deliver')]),
    ]),
  ]
}

/** What Open vSwitch has of a message without the option. */
const NO_MAC = '00:00:00:00:00:00'

/** Whatever comes from its MAC: nobody here knows its addresses. It is no router and no server all the same. */
function anyAddress({ flow, drop }: FlowMaker, endpoint: Endpoint): Flow[] {
  const own: Match = { in_port: endpoint.ofport, eth_src: endpoint.mac }
  return [
    flow('guard', 300, { ...own, eth_type: ETH_ARP, arp_sha: endpoint.mac }, [goto('deliver')]),
    drop('spoofed-arp', 100, { ...own, eth_type: ETH_ARP }),
    flow('guard', 100, { ...own, eth_type: ETH_IPV4 }, [goto('manners')]),
    flow('guard', 100, { ...own, eth_type: ETH_IPV6 }, [goto('manners')]),
    ...[135, 136].map((type) => flow('manners', 300, { in_port: endpoint.ofport, ...icmpv6(type) }, [goto('deliver')])),
    drop('ethertype', 50, own),
  ]
}
