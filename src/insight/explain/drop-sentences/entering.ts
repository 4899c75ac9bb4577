/**
 * Drops of the stages that a packet enters by: who sent it, and whether a pod may say this.
 * @module
 */
import type { DropName } from '../../../network/pipeline/drops.ts'
import { type Clause, flowOf, receiver, sender } from './place.ts'

export const ENTERING = {
  'unknown-port': (p) =>
    `it came in on a port of ${p.node} that no attached pod has, or whose pod is still being attached${flowOf(p)}`,
  'vlan-tagged': (p) => `${sender(p)} sent it with a VLAN tag, and the overlay has no VLANs${flowOf(p)}`,
  'unknown-peer': (p) =>
    `it came through the tunnel from an address that is no node’s and no external host’s${flowOf(p)}`,
  'tunnel-source': (p) =>
    `it came through the tunnel with an inner source that lies in no range of the machine that sent it${flowOf(p)}`,
  probe: (p) => `it only asks whether the tunnel carries, and ends at ${p.node}${flowOf(p)}`,
  'direct-source': (p) =>
    `the network stack of ${p.node} let it in as a packet of another node’s pod, and no such node has a range for its source${flowOf(p)}`,
  'direct-chatter': (p) =>
    `the network stack of ${p.node} looks for neighbours on the link to other nodes’ pods, where there are none${flowOf(p)}`,
  'gateway-source': (p) =>
    `the network stack of ${p.node} sent it with the address of a pod that does not live there${flowOf(p)}`,
  'gateway-ethertype': (p) =>
    `the network stack of ${p.node} sent something into the overlay that is neither ARP nor IP${flowOf(p)}`,
  'spoofed-mac': (p) => `${sender(p)} sent it with a MAC address that is not its own${flowOf(p)}`,
  'spoofed-arp': (p) => `${sender(p)} claims by ARP an IPv4 or MAC address that is not its own${flowOf(p)}`,
  'spoofed-ipv4': (p) => `${sender(p)} sent it with an IPv4 source address that is not its own${flowOf(p)}`,
  'spoofed-ipv6': (p) => `${sender(p)} sent it with an IPv6 source address that is not its own${flowOf(p)}`,
  unaddressed: (p) =>
    `${sender(p)} has no source address yet: a DHCP request, or the first words of its IPv6 stack${flowOf(p)}`,
  ethertype: (p) => `${sender(p)} sent a frame that is neither ARP nor IP${flowOf(p)}`,
  'spoofed-nd': (p) =>
    `${sender(p)} names an address or a MAC address in a neighbour message that is not its own${flowOf(p)}`,
  'rogue-ra': (p) => `${sender(p)} sent a router advertisement, and only routers may: pods are none${flowOf(p)}`,
  'rogue-redirect': (p) => `${sender(p)} sent an ICMP redirect, and only routers may: pods are none${flowOf(p)}`,
  'rogue-dhcp': (p) => `${sender(p)} answers DHCP clients, and only the agent gives out addresses${flowOf(p)}`,
  multicast: (p) =>
    `${sender(p)} sent it to a multicast or broadcast address, and ${p.node} copies to nobody${flowOf(p)}`,
  'link-local': (p) =>
    `${sender(p)} uses a link-local address, and nobody else is on its link to ${p.node}${flowOf(p)}`,
  loopback: (p) => `${sender(p)} sent it to a loopback address over its interface to ${p.node}${flowOf(p)}`,
  'own-neighbour': (p) => `${sender(p)} asks for or announces its own address, which nobody has to know${flowOf(p)}`,
  'unanswered-neighbour': (p) =>
    `${sender(p)} asks for the MAC address of somebody outside the pod networks, or tells one unasked${flowOf(p)}`,
  'unfinished-advertisement': (p) =>
    `${p.node} could not complete the neighbour advertisement that ${sender(p)} asked for${flowOf(p)}`,
  'unasked-answer': (p) =>
    `it answers a connection from ${receiver(p)} to ${sender(p)} that policies do not allow, or do not any more${flowOf(p)}`,
} as const satisfies Partial<Record<DropName, Clause>>
