/**
 * What a hostile pod can put on its wire: every forged frame is dropped and counted under its name, and reaches nobody.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { linkFind, openPacketSocket, openRtnl } from '../../src/linux/index.ts'
import { linkLocalFromMac, parseMac } from '../../src/network/model/address.ts'
import type { DropName } from '../../src/network/pipeline/drops.ts'
import { type Capture, capture } from '../lab/capture.ts'
import {
  arp,
  ETH,
  ethernet,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  join,
  macBytes,
  ndOption,
  udp,
  vlanTag,
  vxlan,
} from '../lab/frames.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const ATTACKER = 'bank/ledger'
const VICTIM = 'shop/web'
const FRIEND = 'bank/teller'
const COPIES = 5
const UDP = 17
const FORGED_MAC = '0a:58:de:ad:be:ef'
const MARK = new TextEncoder().encode('weft-e2e-spoofed')

export const spoof: Scenario = {
  name: 'spoof',
  lab: {},
  steps: [
    { title: 'an honest frame from the same socket arrives', run: honest },
    { title: 'every forged frame is dropped under its name and reaches nobody', run: forged },
    { title: 'weft drops names them', run: named },
  ],
}

/** Who is who on the attacker's wire. */
interface Scene {
  readonly mac: string
  readonly router: string
  readonly own4: string
  readonly own6: string
  readonly link6: string
  readonly gateway4: string
  readonly gateway6: string
  readonly victim4: string
  readonly victim6: string
  readonly victimMac: string
  readonly victimVni: number
  readonly friend4: string
  readonly node1: string
  readonly node2: string
}

/** Every forgery, with the name of the drop. */
function forgeries(s: Scene): readonly (readonly [name: DropName, what: string, frame: Uint8Array])[] {
  const toVictim4 = { from: s.own4, to: s.victim4 }
  const asVictim4 = { from: s.victim4, to: s.friend4 }
  const gateway = { mac: s.mac, ip: s.gateway4 }
  const victim = { mac: s.victimMac, ip: s.victim4 }
  const mark = ndOption(253, MARK)
  const sll = (mac: string) => ndOption(1, macBytes(mac))
  const tll = (mac: string) => ndOption(2, macBytes(mac))
  const ip6 = (text: string) => ipv6({ from: text, to: text }, 59, new Uint8Array()).subarray(8, 24)
  const out = (type: number, payload: Uint8Array, from = s.mac) => ethernet(from, s.router, type, payload)
  const inner = ethernet(s.router, s.victimMac, ETH.ipv4, udp4({ from: s.friend4, to: s.victim4 }, 9, 9))
  const tunnel = (to: string, fragment = 0) => {
    const addresses = { from: s.own4, to }
    return ipv4(addresses, UDP, udp(addresses, { from: 50_000, to: 4789 }, vxlan(s.victimVni, inner)), fragment)
  }
  const tunnel6 = (to: string) => {
    const addresses = { from: s.own6, to }
    return ipv6(addresses, UDP, udp(addresses, { from: 50_000, to: 4789 }, vxlan(s.victimVni, inner)))
  }
  const dhcp6 = { from: s.own6, to: s.victim6 }
  const asVictim6 = { from: s.victim6, to: s.gateway6 }
  const nd = { from: s.own6, to: s.victim6 }
  return [
    ['spoofed-mac', 'a frame with another source MAC', out(ETH.ipv4, udp4(toVictim4, 9, 9), FORGED_MAC)],
    ['spoofed-mac', "a frame with the victim's source MAC", out(ETH.ipv4, udp4(asVictim4, 9, 9), s.victimMac)],
    [
      'spoofed-arp',
      'an ARP answer for the gateway',
      ethernet(s.mac, s.victimMac, ETH.arp, arp(2, gateway, victim, MARK)),
    ],
    [
      'spoofed-arp',
      'gratuitous ARP for the victim',
      broadcast(s, arp(1, { mac: s.mac, ip: s.victim4 }, { mac: ZERO, ip: s.victim4 }, MARK)),
    ],
    [
      'spoofed-arp',
      'ARP with another sender MAC inside',
      broadcast(s, arp(1, { mac: FORGED_MAC, ip: s.own4 }, victim, MARK)),
    ],
    ['spoofed-ipv4', "an IPv4 packet with the victim's source", out(ETH.ipv4, udp4(asVictim4, 9, 9))],
    [
      'spoofed-ipv4',
      "an IPv4 packet with the gateway's source",
      out(ETH.ipv4, udp4({ from: s.gateway4, to: s.victim4 }, 9, 9)),
    ],
    [
      'spoofed-ipv6',
      "an IPv6 packet with the victim's source",
      out(ETH.ipv6, ipv6(asVictim6, UDP, udp(asVictim6, { from: 9, to: 9 }, MARK))),
    ],
    [
      'spoofed-nd',
      'a neighbour solicitation with another MAC',
      out(ETH.ipv6, icmpv6(nd, 135, join([0, 0, 0, 0], ip6(s.victim6), sll(FORGED_MAC), mark))),
    ],
    [
      'spoofed-nd',
      'a neighbour advertisement for the victim',
      out(ETH.ipv6, icmpv6(nd, 136, join([0x60, 0, 0, 0], ip6(s.victim6), tll(s.mac), mark))),
    ],
    [
      'spoofed-nd',
      'an advertisement for itself with another MAC',
      out(ETH.ipv6, icmpv6(nd, 136, join([0x60, 0, 0, 0], ip6(s.own6), tll(FORGED_MAC), mark))),
    ],
    [
      'rogue-ra',
      'a router advertisement to all nodes',
      ethernet(
        s.mac,
        '33:33:00:00:00:01',
        ETH.ipv6,
        icmpv6({ from: s.link6, to: 'ff02::1' }, 134, join([64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0], mark)),
      ),
    ],
    [
      'rogue-ra',
      'a router advertisement to the victim',
      out(ETH.ipv6, icmpv6(nd, 134, join([64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0], mark))),
    ],
    ['rogue-redirect', 'an ICMP redirect', out(ETH.ipv4, ipv4(toVictim4, 1, icmp(5, 1, join([10, 0, 0, 1], MARK))))],
    [
      'rogue-redirect',
      'an ICMPv6 redirect',
      out(ETH.ipv6, icmpv6(nd, 137, join([0, 0, 0, 0], ip6(s.own6), ip6(s.victim6), mark))),
    ],
    ['rogue-dhcp', 'a DHCP answer', out(ETH.ipv4, udp4(toVictim4, 67, 68))],
    ['rogue-dhcp', 'a DHCPv6 answer', out(ETH.ipv6, ipv6(dhcp6, UDP, udp(dhcp6, { from: 547, to: 546 }, MARK)))],
    [
      'vlan-tagged',
      'a frame with a VLAN tag',
      out(ETH.vlan, vlanTag(77, ETH.ipv4, udp4({ from: s.own4, to: s.friend4 }, 9, 9))),
    ],
    ['tunnel-port', 'VXLAN to its own node', out(ETH.ipv4, tunnel(s.node1))],
    ['tunnel-port', 'VXLAN to another node', out(ETH.ipv4, tunnel(s.node2))],
    ['tunnel-port', 'VXLAN to the gateway', out(ETH.ipv4, tunnel(s.gateway4))],
    ['tunnel-port', 'VXLAN over IPv6 to the gateway', out(ETH.ipv6, tunnel6(s.gateway6))],
    ['tunnel-port', 'the first fragment of a VXLAN packet', out(ETH.ipv4, tunnel(s.node2, 0x2000))],
    ['ethertype', 'a frame that is neither ARP nor IP', out(0x88b5, MARK)],
    ['tenant-isolation', "an honest packet to another tenant's pod", out(ETH.ipv4, udp4(toVictim4, 9, 9))],
  ]
}

const ZERO = '00:00:00:00:00:00'

function broadcast(s: Scene, payload: Uint8Array): Uint8Array {
  return ethernet(s.mac, 'ff:ff:ff:ff:ff:ff', ETH.arp, payload)
}

function udp4(addresses: { readonly from: string; readonly to: string }, from: number, to: number): Uint8Array {
  return ipv4(addresses, UDP, udp(addresses, { from, to }, MARK))
}

async function honest({ lab, say }: StepContext): Promise<void> {
  const s = await scene(lab)
  const friend = capture(lab.fd(lab.netns(FRIEND)))
  const wire = openWire(lab)
  // The first packet between two nodes may be lost while the underlay learns addresses.
  await eventually('the frame arrives', () => {
    wire.send(ethernet(s.mac, s.router, ETH.ipv4, udp4({ from: s.own4, to: s.friend4 }, 9, 9)))
    return friend.frames.some(isMarked)
  })
  wire.close()
  friend.close()
  say(`${ATTACKER} → ${FRIEND}: a frame with the mark of this test arrives, and is seen`)
}

async function forged({ lab, say }: StepContext): Promise<void> {
  const s = await scene(lab)
  const victims = victimsOf(lab)
  const wire = openWire(lab)
  const seen = () => [...victims].flatMap(([place, { frames }]) => (frames.some(isMarked) ? [place] : []))
  for (const [name, what, frame] of forgeries(s)) {
    const before = (await lab.drops(1)).get(name) ?? 0n
    for (let n = 0; n < COPIES; n += 1) wire.send(frame)
    const counted = async () => ((await lab.drops(1)).get(name) ?? 0n) - before
    await eventually(`${what} is counted as ${name}`, async () => (await counted()) >= COPIES, 5000).catch(
      async (error) => {
        say(`${what}: drops are ${JSON.stringify([...(await lab.drops(1))].map(([key, value]) => `${key} ${value}`))}`)
        throw error
      },
    )
    say(`${what}: ${COPIES} sent, ${await counted()} counted as ${name}`)
    equal(seen().join(' '), '', `${what} arrived`)
  }
  await Bun.sleep(500)
  equal(seen().join(' '), '')
  wire.close()
  for (const each of victims.values()) each.close()
  say(`none of them was seen by ${[...victims.keys()].join(', ')}`)
}

async function named({ lab, say }: StepContext): Promise<void> {
  const { code, stdout, stderr } = await lab.weft('drops', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
  equal(code, 0, stderr)
  for (const name of new Set(forgeries(await scene(lab)).map(([each]) => each))) ok(stdout.includes(name), name)
}

/** The pods and nodes that forged frames could reach. */
function victimsOf(lab: Lab): ReadonlyMap<string, Capture> {
  const pods = [VICTIM, 'shop/cart', 'shop/db', FRIEND, 'default/monitor']
  return new Map([
    ...pods.map((pod) => [pod, capture(lab.fd(lab.netns(pod)))] as const),
    ['node1', capture(lab.fd(lab.node(1).netns), 'weft0')] as const,
    ['node2', capture(lab.fd(lab.node(2).netns), 'eth0')] as const,
  ])
}

function isMarked(frame: Uint8Array): boolean {
  return Buffer.from(frame).includes(MARK)
}

function openWire(lab: Lab) {
  const fd = lab.fd(lab.netns(ATTACKER))
  using rtnl = openRtnl({ nsFd: fd })
  return openPacketSocket({ link: linkFind(rtnl, 'eth0')?.index ?? 0, nsFd: fd })
}

async function scene(lab: Lab): Promise<Scene> {
  const { leases, self, routerMac, tenants } = await lab.agent(1).facts()
  const macOf = (pod: string) =>
    leases.find(({ endpoint }) => `${endpoint.namespace}/${endpoint.pod}` === pod)?.endpoint.mac
  const mac = macOf(ATTACKER)
  const victimMac = macOf(VICTIM)
  const own = mac === undefined ? undefined : parseMac(mac)
  if (own === undefined || victimMac === undefined) throw new Error('the playground has other pods than expected')
  const gateways = self.ranges.map((range) => first(range))
  return {
    mac: own,
    router: routerMac,
    own4: lab.address(ATTACKER, 4),
    own6: lab.address(ATTACKER, 6),
    link6: linkLocalFromMac(own),
    gateway4: gateways.find((each) => !each.includes(':')) ?? '',
    gateway6: gateways.find((each) => each.includes(':')) ?? '',
    victim4: lab.address(VICTIM, 4),
    victim6: lab.address(VICTIM, 6),
    victimMac,
    victimVni: tenants.find(([namespace]) => namespace === 'shop')?.[1] ?? 0,
    friend4: lab.address(FRIEND, 4),
    node1: lab.node(1).addresses[0],
    node2: lab.node(2).addresses[0],
  }
}

/** The first address of a range: the node's own. */
function first(range: string): string {
  const [network = ''] = range.split('/')
  return network.includes(':') ? `${network}1` : network.replace(/\d+$/, '1')
}

if (import.meta.main) await runScenario(spoof)
