/**
 * Every way a packet can end without arriving. A drop has a name, a sentence and advice; its flow's counter is
 * `weft drops`.
 * @module
 */
import { DIRECT_DROPS } from './direct-drops.ts'
import { POLICY_DROPS } from './policy-drops.ts'
import type { StageName } from './stages.ts'

/** One reason. `code` is part of a cookie and never changes its meaning. */
export interface Drop {
  readonly code: number
  readonly stage: StageName
  /** Completes “dropped because …”. */
  readonly because: string
  readonly remedy: string
  /** Ordinary noise: nothing is wrong when this counts up. */
  readonly benign?: true
}

/** Every reason, by name. */
export const DROPS = {
  'unknown-port': {
    code: 1,
    stage: 'classify',
    because: 'it came in on a port that Weft did not attach, or is still attaching',
    remedy: 'A few are a starting pod’s first words; if they go on, look for a port without a lease: weft audit',
  },
  'vlan-tagged': {
    code: 2,
    stage: 'classify',
    because: 'it carries a VLAN tag, and the overlay has none',
    remedy: 'Send untagged frames',
  },
  'unknown-peer': {
    code: 3,
    stage: 'tunnel',
    because: 'it came through the tunnel from an address that is no node of this cluster',
    remedy: 'Check the node’s addresses: weft status --nodes',
  },
  'tunnel-source': {
    code: 4,
    stage: 'tunnel',
    because: 'its inner source address does not belong to the node that sent it',
    remedy: 'The sending node uses addresses outside its ranges: compare weft status on both nodes',
  },
  probe: {
    code: 5,
    stage: 'probe',
    because: 'it is a probe, which asks whether the tunnel carries and keeps it warm',
    remedy: 'Nothing to do',
    benign: true,
  },
  'gateway-source': {
    code: 6,
    stage: 'gateway',
    because: 'the node’s stack sent it with the address of a pod that is not on this node',
    remedy: 'A packet with a pod’s address reached the node from outside: check the fabric’s source filtering',
  },
  'gateway-ethertype': {
    code: 7,
    stage: 'gateway',
    because: 'the node’s stack sent something that is neither ARP nor IP',
    remedy: 'Nothing to do unless a protocol other than IP is expected to work',
    benign: true,
  },
  'spoofed-mac': {
    code: 8,
    stage: 'guard',
    because: 'its source MAC address is not the pod’s',
    remedy: 'The pod forges addresses, or bridges for others: neither works in the overlay',
  },
  'spoofed-arp': {
    code: 9,
    stage: 'guard',
    because: 'the ARP message speaks for an address that is not the pod’s',
    remedy: 'The pod forges ARP, or runs a failover protocol that needs an underlay network',
  },
  'spoofed-ipv4': {
    code: 10,
    stage: 'guard',
    because: 'its IPv4 source address is not the pod’s',
    remedy: 'The pod forges addresses or routes for others: masquerade inside the pod',
  },
  'spoofed-ipv6': {
    code: 11,
    stage: 'guard',
    because: 'its IPv6 source address is not the pod’s',
    remedy: 'The pod forges addresses or routes for others: masquerade inside the pod',
  },
  unaddressed: {
    code: 12,
    stage: 'guard',
    because: 'it has no source address: a DHCP request or the first words of a starting IPv6 stack',
    remedy: 'Nothing to do: pods get their addresses from Weft',
    benign: true,
  },
  ethertype: {
    code: 13,
    stage: 'guard',
    because: 'it is neither ARP nor IPv4 nor IPv6',
    remedy: 'The overlay carries IP only',
  },
  'spoofed-nd': {
    code: 14,
    stage: 'manners',
    because: 'the neighbour message speaks for an address or MAC that is not the pod’s',
    remedy: 'The pod forges neighbour discovery',
  },
  'rogue-ra': {
    code: 15,
    stage: 'manners',
    because: 'it is a router advertisement, and pods are no routers',
    remedy: 'Stop the router daemon in the pod',
  },
  'rogue-redirect': {
    code: 16,
    stage: 'manners',
    because: 'it is a redirect, and pods are no routers',
    remedy: 'Set net.ipv4.conf.all.send_redirects=0 in the pod',
  },
  'rogue-dhcp': {
    code: 17,
    stage: 'manners',
    because: 'it is addressed to DHCP clients, and pods are no DHCP servers',
    remedy: 'Stop the DHCP server in the pod',
  },
  multicast: {
    code: 18,
    stage: 'manners',
    because: 'it is multicast or broadcast, which the overlay does not carry',
    remedy: 'Nothing to do unless an application relies on multicast',
    benign: true,
  },
  'link-local': {
    code: 19,
    stage: 'manners',
    because: 'it uses a link-local address, and every pod is a link of its own',
    remedy: 'Use the pod’s routable address',
  },
  'own-neighbour': {
    code: 20,
    stage: 'neighbour',
    because: 'the pod announced or probed its own address, which nobody needs to hear',
    remedy: 'Nothing to do',
    benign: true,
  },
  'unanswered-neighbour': {
    code: 21,
    stage: 'neighbour',
    because: 'it asks for a neighbour outside the pod networks, or answers a question nobody asked',
    remedy: 'Check the pod’s routes: everything outside goes through its gateway',
  },
  'no-such-endpoint': {
    code: 22,
    stage: 'route',
    because: 'no pod on this node has the destination address',
    remedy: 'The pod is gone, or its address is stale: weft audit',
  },
  'no-such-node': {
    code: 23,
    stage: 'route',
    because: 'no node owns the range of the destination address',
    remedy: 'Check the nodes’ ranges: weft status --nodes',
  },
  'wrong-node': {
    code: 24,
    stage: 'route',
    because: 'it came through the tunnel for a pod that belongs to another node',
    remedy: 'Two nodes disagree about their ranges: compare weft status on both',
  },
  'gateway-loop': {
    code: 25,
    stage: 'route',
    because: 'the node’s stack sent a packet into the overlay that would leave it again at once',
    remedy: 'Check the node’s routes: only pod and service networks point at the overlay',
  },
  'tunnel-port': {
    code: 26,
    stage: 'node',
    because: 'it is a tunnel packet made by a pod: it could enter any tenant',
    remedy: 'Pods cannot speak the overlay’s own encapsulation to nodes',
  },
  'tenant-isolation': {
    code: 27,
    stage: 'tenant',
    because: 'sender and receiver belong to different tenants, and neither is global',
    remedy: 'To let them talk: weft tenant join <namespace> --to <namespace>',
  },
  'too-big': {
    code: 28,
    stage: 'fit',
    because: 'it is larger than the overlay’s MTU; the sender was told',
    remedy: 'Nothing to do if it happens now and then; else check the pod’s interface MTU',
  },
  'no-endpoint-port': {
    code: 29,
    stage: 'deliver',
    because: 'the receiving pod’s port is unknown',
    remedy: 'This is a defect of Weft: please report it with the output of weft trace',
  },
  'unfinished-advertisement': {
    code: 30,
    stage: 'advertise',
    because: 'the neighbour advertisement could not be completed',
    remedy: 'This is a defect of Weft: please report it with the output of weft trace',
  },
  'error-to-node': {
    code: 31,
    stage: 'node',
    because: 'it is an ICMP error of a pod for the node or the world outside, where it could break others’ connections',
    remedy: 'Nothing to do: whoever waits for an answer of the pod gets none instead of an error',
    benign: true,
  },
  'error-to-global': {
    code: 32,
    stage: 'tenant',
    because: 'it is an ICMP error of a tenant’s pod for a global one, where it could break other tenants’ connections',
    remedy: 'Nothing to do: the global pod gets no answer instead of an error',
    benign: true,
  },
  loopback: {
    code: 33,
    stage: 'manners',
    because: 'it is for a loopback address, which is nobody’s but the sender’s own',
    remedy: 'Stop the program that sends to 127.0.0.0/8 or ::1 over the pod’s interface',
  },
  'no-such-service': {
    code: 34,
    stage: 'balance',
    because: 'no service has this address and port',
    remedy: 'Compare address, port and protocol with the service: kubectl get services -A',
  },
  'no-service-endpoint': {
    code: 35,
    stage: 'balance',
    because: 'the service has no endpoint that could answer (none is ready, or none on this node under policy Local)',
    remedy: 'See which pods are ready: kubectl get endpointslices -A',
  },
  'invalid-connection': {
    code: 36,
    stage: 'balance',
    because: 'connection tracking can make nothing of it: a broken checksum, or an answer to nobody',
    remedy: 'Check that the pod’s interface does not leave checksums to hardware: ethtool -K eth0 tx off',
  },
  'held-fragment': {
    code: 38,
    stage: 'balance',
    because: 'it is the spare copy of a fragment that goes on with its datagram',
    remedy: 'Nothing to do',
    benign: true,
  },
  'sctp-untracked': {
    code: 39,
    stage: 'balance',
    because:
      'Open vSwitch in user space tracks SCTP by addresses without ports, so it cannot lead it to a service’s endpoint',
    remedy: 'Use the kernel’s datapath, or the endpoints’ own addresses (a headless service)',
  },
  'unfinished-datagram': {
    code: 40,
    stage: 'deliver',
    because: 'it is a fragment whose other fragments did not come within 15 seconds',
    remedy: 'Look for what loses the other fragments: an MTU that differs on the way, or a full link',
  },
  'unknown-turn': {
    code: 37,
    stage: 'route',
    because: 'it answers a connection of a pod or node with itself that the switch does not know any more',
    remedy: 'Nothing to do if it happens once after a restart of Open vSwitch: clients connect again',
  },
  ...DIRECT_DROPS,
  ...POLICY_DROPS,
} as const satisfies Record<string, Drop>

/** The name of a reason. */
export type DropName = keyof typeof DROPS

const NAMES_BY_CODE: ReadonlyMap<number, DropName> = new Map(
  (Object.keys(DROPS) as DropName[]).map((name) => [DROPS[name].code, name]),
)

/** The reason with this code, or undefined. */
export function dropByCode(code: number): DropName | undefined {
  return NAMES_BY_CODE.get(code)
}
