/**
 * Pods on a bridge of ours on the physical network: what a real Open vSwitch does with their packets, asked by its own
 * trace. `wire` stands for Open vSwitch's own switching.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import { ip, parseMac } from '../../network/model/address.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { Policy } from '../../network/model/policy.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { Wires } from './wires.ts'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
/** The kernel's where a test is run in the virtual machine of test/vm. */
const DATAPATH = process.env['WEFT_TEST_DATAPATH'] === 'system' ? 'system' : 'netdev'
const stop = new AbortController()
const MAC = parseMac('0a:58:ac:12:1e:83') ?? ('' as never)
const pod: Endpoint = {
  id: 'c1/eth0',
  containerId: 'c1',
  ifname: 'eth0',
  namespace: 'shop',
  pod: 'cart',
  mac: MAC,
  addresses: [ip('172.18.30.131'), ip('fd00:18::131')],
  ofport: 0xf001,
}
const dhcp: Endpoint = {
  ...pod,
  id: 'c2/eth0',
  containerId: 'c2',
  pod: 'dhcp',
  mac: parseMac('0a:58:00:00:00:02') ?? MAC,
  addresses: [],
  ofport: 0xf002,
}
const UPLINK = 1

let ovs: OvsSandbox
let planner: NodePlanner
let wires: Wires

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: DATAPATH === 'netdev' })
  await ovs.vsctl('add-br', 'br1', '--', 'set', 'bridge', 'br1', 'external_ids:weft-owner=weft-bridge')
  for (const [name, number] of [
    ['uplink', UPLINK],
    ['one', pod.ofport],
    ['two', dhcp.ofport],
  ] as const) {
    await ovs.vsctl(
      'add-port',
      'br1',
      name,
      '--',
      'set',
      'interface',
      name,
      `type=${DATAPATH === 'netdev' ? 'dummy' : 'internal'}`,
      `ofport_request=${number}`,
    )
  }
  planner = samplePlanner()
  const externalIds = new Map([['weft-owner', 'weft-bridge']])
  wires = new Wires({
    options: { ovsRunDir: ovs.dir },
    log: SILENT,
    problems: { failed: (_, error) => expect(error).toBeUndefined(), solved: () => undefined },
    signal: stop.signal,
    planner: () => planner,
    bridges: () => [
      { name: 'br1', datapath: DATAPATH, externalIds },
      { name: 'br2', datapath: DATAPATH, externalIds: new Map() },
    ],
    ports: () => [pod, dhcp].map((endpoint) => ({ bridge: 'br1', endpoint })),
    flush: async () => void planner.take(),
  })
  await wires.put({ bridge: 'br1', endpoint: pod })
  await wires.put({ bridge: 'br1', endpoint: dhcp })
  // One on a bridge of somebody else's is nobody's business.
  await wires.put({ bridge: 'br2', endpoint: { ...pod, id: 'c3/eth0' } })
})

afterAll(async () => {
  stop.abort()
  await ovs.stop()
})

const from = `in_port=${pod.ofport},dl_src=${MAC}`
const other = 'dl_dst=0a:58:ac:12:1e:99'
const bare = `in_port=${dhcp.ofport},dl_src=${dhcp.mac}`

test.each<[string, string, boolean]>([
  ['its own IPv4 address', `${from},${other},tcp,nw_src=172.18.30.131,nw_dst=172.18.0.1,tp_dst=80`, true],
  ['its own IPv6 address', `${from},${other},tcp6,ipv6_src=fd00:18::131,ipv6_dst=fd00:18::1,tp_dst=80`, true],
  ['another IPv4 address', `${from},${other},tcp,nw_src=172.18.30.132,nw_dst=172.18.0.1,tp_dst=80`, false],
  ['another IPv6 address', `${from},${other},tcp6,ipv6_src=fd00:18::132,ipv6_dst=fd00:18::1,tp_dst=80`, false],
  ['another MAC address', `in_port=${pod.ofport},dl_src=0a:58:00:00:00:09,${other},tcp,nw_src=172.18.30.131`, false],
  ['an ARP question of its own', `${from},arp,arp_op=1,arp_spa=172.18.30.131,arp_tpa=172.18.0.1,arp_sha=${MAC}`, true],
  [
    'whether somebody has its address',
    `${from},arp,arp_op=1,arp_spa=0.0.0.0,arp_tpa=172.18.30.131,arp_sha=${MAC}`,
    true,
  ],
  [
    'whether somebody has another address',
    `${from},arp,arp_op=1,arp_spa=0.0.0.0,arp_tpa=172.18.0.1,arp_sha=${MAC}`,
    false,
  ],
  ['an ARP answer for the gateway', `${from},arp,arp_op=2,arp_spa=172.18.0.1,arp_tpa=172.18.0.9,arp_sha=${MAC}`, false],
  [
    'an ARP answer with another MAC address',
    `${from},arp,arp_op=2,arp_spa=172.18.30.131,arp_sha=0a:58:00:00:00:09`,
    false,
  ],
  [
    'duplicate address detection',
    `${from},icmp6,icmpv6_type=135,ipv6_src=::,ipv6_dst=ff02::1:ff00:131,nd_target=fd00:18::131`,
    true,
  ],
  [
    'the same for the gateway',
    `${from},icmp6,icmpv6_type=135,ipv6_src=::,ipv6_dst=ff02::1:ff00:1,nd_target=fd00:18::1`,
    false,
  ],
  [
    'a solicitation',
    `${from},icmp6,icmpv6_type=135,ipv6_src=fd00:18::131,ipv6_dst=ff02::1:ff00:1,nd_target=fd00:18::1,nd_sll=${MAC}`,
    true,
  ],
  [
    'its own advertisement',
    `${from},icmp6,icmpv6_type=136,ipv6_src=fd00:18::131,ipv6_dst=ff02::1,nd_target=fd00:18::131,nd_tll=${MAC}`,
    true,
  ],
  [
    'its own advertisement to somebody who knows its MAC address',
    `${from},${other},icmp6,icmpv6_type=136,ipv6_src=fd00:18::131,ipv6_dst=fd00:18::1,nd_target=fd00:18::131,nd_tll=00:00:00:00:00:00`,
    true,
  ],
  [
    'an advertisement with another MAC address',
    `${from},${other},icmp6,icmpv6_type=136,ipv6_src=fd00:18::131,ipv6_dst=fd00:18::1,nd_target=fd00:18::131,nd_tll=0a:58:00:00:00:09`,
    false,
  ],
  [
    'an advertisement of the gateway',
    `${from},icmp6,icmpv6_type=136,ipv6_src=fd00:18::131,ipv6_dst=ff02::1,nd_target=fd00:18::1,nd_tll=${MAC}`,
    false,
  ],
  ['a router advertisement', `${from},icmp6,icmpv6_type=134,ipv6_src=fe80::858:acff:fe12:1e83,ipv6_dst=ff02::1`, false],
  ['group membership', `${from},icmp6,icmpv6_type=143,ipv6_src=::,ipv6_dst=ff02::16`, true],
  [
    'what a DHCP server says',
    `${from},${other},udp,nw_src=172.18.30.131,nw_dst=172.18.0.9,udp_src=67,udp_dst=68`,
    false,
  ],
  [
    'a question of a DHCP client, with an address given',
    `${from},udp,nw_src=0.0.0.0,nw_dst=255.255.255.255,udp_dst=67`,
    false,
  ],
  ['something that is not IP', `${from},${other},dl_type=0x88cc`, false],
  ['whatever address, where none was given', `${bare},${other},tcp,nw_src=10.9.8.7,nw_dst=172.18.0.1,tp_dst=80`, true],
  [
    'another MAC address, where none was given',
    `in_port=${dhcp.ofport},dl_src=${MAC},${other},tcp,nw_src=10.9.8.7`,
    false,
  ],
  [
    'what comes from the wire for nobody of ours',
    `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,${other},tcp,nw_src=172.18.0.9,nw_dst=172.18.0.10`,
    true,
  ],
  [
    'what comes from the wire for the pod',
    `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,dl_dst=${MAC},tcp,nw_src=172.18.0.9,nw_dst=172.18.30.131`,
    true,
  ],
  [
    'a router advertisement from the wire',
    `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,icmp6,icmpv6_type=134,ipv6_src=fe80::1,ipv6_dst=ff02::1`,
    true,
  ],
  ['what is not IP, from the wire', `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,${other},dl_type=0x88cc`, true],
  [
    'what the node says',
    `in_port=LOCAL,dl_src=0a:58:00:00:00:76,dl_dst=${MAC},tcp,nw_src=172.18.10.10,nw_dst=172.18.30.131`,
    true,
  ],
  [
    'a tagged frame from the wire',
    `in_port=${UPLINK},dl_vlan=100,dl_src=0a:58:00:00:00:77,dl_dst=${MAC},tcp,nw_src=172.18.0.9,nw_dst=172.18.30.131`,
    true,
  ],
])('%s', async (_, packet, arrives) => {
  expect(await reachesWire(packet)).toBe(arrives)
})

const isolate: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name: 'cart',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [] },
  ingress: [],
  egress: [],
}

test('a policy counts on the physical network as soon as the node has it, and no longer than that', async () => {
  const out = `${from},${other},tcp,nw_src=172.18.30.131,nw_dst=172.18.0.1,tp_dst=80`
  const into = `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,dl_dst=${MAC},tcp,nw_src=172.18.0.9,nw_dst=172.18.30.131`
  const others = `in_port=${UPLINK},dl_src=0a:58:00:00:00:77,${other},tcp,nw_src=172.18.0.9,nw_dst=172.18.0.10`
  planner.putPolicy(isolate)
  planner.take()
  await until(async () => !(await reachesWire(out)))
  expect([await reachesWire(into), await reachesWire(others)]).toEqual([false, true])
  planner.removePolicy('NetworkPolicy/shop/cart')
  planner.take()
  await until(() => reachesWire(out))
  expect(await reachesWire(into)).toBe(true)
})

test('a port that is still recorded is guarded again by the next look', async () => {
  wires.remove(pod.id)
  const packet = `${from},${other},tcp,nw_src=172.18.30.132,nw_dst=172.18.0.1`
  await until(() => reachesWire(packet))
  await wires.look()
  expect(await reachesWire(packet)).toBe(false)
})

async function reachesWire(packet: string): Promise<boolean> {
  const text = await ovs.appctl('ofproto/trace', 'br1', packet)
  return / NORMAL$/m.test(text) || /\bNORMAL\b/.test(text.split('Final flow')[0] ?? '')
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 1_000; tried += 1) {
    if (await holds()) return
    await Bun.sleep(20)
  }
  throw new Error('it did not come to that')
}
