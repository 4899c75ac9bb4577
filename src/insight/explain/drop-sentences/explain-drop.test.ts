import { describe, expect, test } from 'bun:test'
import { DROPS, type DropName } from '../../../network/pipeline/drops.ts'
import { droppedBy } from '../../trace/sentence.ts'
import { droppedFor } from '../testing/dropped-packets.ts'
import { explainDrop } from './explain-drop.ts'
import { SHARED } from './place.ts'

const REASONS = Object.keys(DROPS) as DropName[]

/** What is said of a packet that really ends for the reason, where nothing but the flow's object is known. */
const SENTENCES: Readonly<Record<DropName, string>> = {
  'unknown-port': 'it came in on a port of node1 that no attached pod has, or whose pod is still being attached',
  'vlan-tagged': 'its sender sent it with a VLAN tag, and the overlay has no VLANs',
  'unknown-peer': 'it came through the tunnel from an address that is no node’s and no external host’s',
  'tunnel-source':
    'it came through the tunnel with an inner source that lies in no range of the machine that sent it (a flow of address 192.0.2.19 of balancer)',
  probe: 'it only asks whether the tunnel carries, and ends at node1',
  'direct-source':
    'the network stack of node1 let it in as a packet of another node’s pod, and no such node has a range for its source',
  'direct-chatter':
    'the network stack of node1 looks for neighbours on the link to other nodes’ pods, where there are none',
  'no-way':
    'node1 has no way to the node of its receiver without a tunnel, and the cluster refuses the tunnel (a flow of node node3)',
  'unknown-remote-pod':
    'node1 knows no pod that the tenant of its sender may talk to at its receiver, on a node that is reached without a tunnel',
  'gateway-source': 'the network stack of node1 sent it with the address of a pod that does not live there',
  'gateway-ethertype': 'the network stack of node1 sent something into the overlay that is neither ARP nor IP',
  'spoofed-mac': 'pod shop/web sent it with a MAC address that is not its own',
  'spoofed-arp': 'pod shop/web claims by ARP an IPv4 or MAC address that is not its own',
  'spoofed-ipv4': 'pod shop/web sent it with an IPv4 source address that is not its own',
  'spoofed-ipv6': 'pod shop/web sent it with an IPv6 source address that is not its own',
  unaddressed: 'pod shop/web has no source address yet: a DHCP request, or the first words of its IPv6 stack',
  ethertype: 'pod shop/web sent a frame that is neither ARP nor IP',
  'spoofed-nd': 'its sender names an address or a MAC address in a neighbour message that is not its own',
  'rogue-ra': 'its sender sent a router advertisement, and only routers may: pods are none',
  'rogue-redirect': 'its sender sent an ICMP redirect, and only routers may: pods are none',
  'rogue-dhcp': 'its sender answers DHCP clients, and only the agent gives out addresses',
  multicast: 'its sender sent it to a multicast or broadcast address, and node1 copies to nobody',
  'link-local': 'its sender uses a link-local address, and nobody else is on its link to node1',
  'own-neighbour': 'pod shop/web asks for or announces its own address, which nobody has to know',
  'unanswered-neighbour':
    'its sender asks for the MAC address of somebody outside the pod networks, or tells one unasked',
  'no-such-endpoint': 'no pod on node1 is at its receiver, though its range is there',
  'no-such-node': 'no node that node1 knows has a range for its receiver',
  'wrong-node': 'its sender reached node1 through the tunnel for its receiver, which does not live there',
  'gateway-loop': 'the network stack of node1 sent it into the overlay, and the overlay would hand it straight back',
  'tunnel-port': 'its sender made a tunnel packet for its receiver: with it, it could enter any tenant',
  'tenant-isolation': 'its sender and its receiver belong to different tenants, and neither is global',
  'too-big': 'it is larger than the overlay’s MTU on node1; its sender was told to send smaller ones',
  'no-endpoint-port': 'node1 does not know the port that its receiver is behind',
  'unfinished-advertisement': 'node1 could not complete the neighbour advertisement that its sender asked for',
  'error-to-node':
    'it is an ICMP error of its sender for node1 or the outside, where it could break others’ connections',
  'error-to-global':
    'it is an ICMP error of its sender for a global pod, where it could break other tenants’ connections',
  loopback: 'its sender sent it to a loopback address over its interface to node1',
  'no-such-service': 'no service has the address and port that its sender asks for: this connection of its receiver',
  'no-service-endpoint': 'service shop/empty has no endpoint that node1 could lead its sender to',
  'invalid-connection':
    'the connection tracking of node1 can make nothing of what its sender sent: a broken checksum, or an answer to nobody',
  'held-fragment': 'it is the spare copy of a fragment whose datagram went on',
  'sctp-untracked': 'the Open vSwitch of node1 works in user space, where it tracks SCTP without ports',
  'unfinished-datagram': 'node1 waited 15 seconds for the other fragments of a datagram of its sender, in vain',
  'unknown-turn': 'it answers a connection of its sender with itself that the connection tracking of node1 forgot',
  'unasked-answer':
    'it answers a connection from its receiver to its sender that policies do not allow, or do not any more',
  'egress-denied':
    'AdminNetworkPolicy tenants, spec.egress[0] (nobody) denies its sender to open this connection of its receiver',
  'egress-isolated':
    'no rule lets its sender open this connection of its receiver, and the isolation of pods by NetworkPolicy shop/out (egress) ends what no rule allows',
  'ingress-denied':
    'AdminNetworkPolicy tenants, spec.ingress[0] (nobody) denies that its sender opens this connection of its receiver',
  'ingress-isolated':
    'no rule lets its receiver take this connection from its sender, and the isolation of pods by NetworkPolicy shop/in (ingress) ends what no rule allows',
  'firewall-denied':
    'EgressNetworkPolicy shop/default, spec.egress[0] denies what its sender sends to its receiver outside the cluster',
  'firewall-ambiguous':
    'the namespace of its sender has more than one egress firewall, so nothing of it may leave: EgressNetworkPolicy shop/a and EgressNetworkPolicy shop/b',
  'firewall-unresolved':
    'EgressNetworkPolicy shop/default, spec.egress[0] denies a DNS name that node1 could not resolve, and its receiver may be what it stands for',
  'policy-pending':
    'node1 does not know yet which policies its new pod is subject to, and lets nothing through before: pods under the cluster’s policies (ingress)',
}

describe('every reason has a packet that ends for it, and a sentence', () => {
  test.each(REASONS)('%s', (reason) => {
    const walk = droppedFor(reason)
    expect(walk?.verdict).toMatchObject({ kind: 'drop', drop: reason })
    if (walk === undefined) return
    const { says, because } = explainDrop(reason, { object: droppedBy(walk), node: walk.verdict.node })
    expect(because).toBe(SENTENCES[reason])
    expect(says).toBe(`${walk.verdict.node} drops it because ${because} (${reason}).`)
  })
})

test('each sentence is the reason’s own, and names object and place', () => {
  for (const reason of REASONS) {
    const { says, because } = explainDrop(reason, { object: 'object that did it', node: 'node7' })
    expect(says).toContain('node7')
    expect(because).toContain('object that did it')
    expect(because).not.toBe(DROPS[reason].because)
  }
  const all = REASONS.map((reason) => explainDrop(reason, { object: SHARED, node: 'node7' }).because)
  expect(new Set(all).size).toBe(REASONS.length)
})

test('ends that are known are named, and advice can be typed', () => {
  const place = { object: 'x', node: 'node1', from: 'shop/web', to: 'bank/vault', what: 'tcp port 80', port: 80 }
  const { because, remedy } = explainDrop('ingress-isolated', place)
  expect(because).toContain('lets bank/vault take tcp port 80 from shop/web')
  expect(remedy).toBe('See which policies: weft explain shop/web bank/vault --port 80')
  // Of an answer the sender is the server.
  expect(explainDrop('unasked-answer', place).remedy).toEndWith('weft explain bank/vault shop/web --port 80')
  expect(explainDrop('tenant-isolation', place).remedy).toBe('To let them talk: weft tenant join shop --to bank')
  expect(explainDrop('firewall-ambiguous', place).remedy).toEndWith('-n shop')
  for (const reason of REASONS) expect(explainDrop(reason, place).remedy).not.toContain('<from>')
})
