/** On a real kernel: a machine of a mesh with a container, a container of another network, and the other machine behind a segment. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ETH, ethernet, ipv4, ipv6, udp } from '../../test/lab/frames.ts'
import {
  addrAdd,
  applyRuleset,
  closeFd,
  linkAdd,
  linkGet,
  linkSet,
  listRuleset,
  netnsOpen,
  openPacketSocket,
  openRtnl,
  routeDel,
  routeReplace,
  sysctlSet,
} from '../linux/index.ts'
import { type Scratch, scratch, veth } from '../linux/testing/scratch.ts'
import { decodeMeshConfig } from './config.ts'
import { planMesh } from './plan.ts'
import { meshRuleset } from './ruleset.ts'

const [SELF, PEER, OTHER_PEER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
const [SELF6, PEER6, OTHER_PEER6] = ['2001:db8::1', '2001:db8::2', '2001:db8::3']
const [INSIDE, ELSEWHERE] = ['172.17.1.2', '10.9.0.2']
const GRE = 47
const NETNS = `wefttest-mesh-guard-${process.pid}`
const HERE = { netns: NETNS }

/** By what link a packet comes to the machine, and where it is from. */
type From = 'container' | 'other' | 'segment' | 'second'
let machine: Scratch
const senders = new Map<From, { readonly at: Scratch; readonly link: string }>()

beforeAll(async () => {
  if (Bun.spawnSync(['ip', 'netns', 'add', NETNS]).exitCode !== 0) throw new Error('ip netns add failed')
  const nsFd = netnsOpen(NETNS)
  machine = { nsFd, rtnl: openRtnl({ nsFd }), [Symbol.dispose]: () => closeFd(nsFd) }
  sysctlSet(['net', 'ipv4', 'conf', 'all', 'forwarding'], '1', machine.nsFd)
  sysctlSet(['net', 'ipv6', 'conf', 'all', 'forwarding'], '1', machine.nsFd)
  for (const name of ['all', 'default']) {
    sysctlSet(['net', 'ipv4', 'conf', name, 'rp_filter'], '0', machine.nsFd)
    // Its addresses are there at once.
    sysctlSet(['net', 'ipv6', 'conf', name, 'accept_dad'], '0', machine.nsFd)
  }
  for (const [from, link, address] of [
    ['segment', 'eth0', `${SELF}/24`],
    ['container', 'docker0', '172.17.1.1/24'],
    ['other', 'other0', '10.9.0.1/24'],
    ['second', 'eth1', '198.51.100.1/24'],
  ] as const) {
    const at = scratch()
    const isCable = from === 'segment' || from === 'second'
    const port = `to-${from}`
    veth(machine, at, isCable ? link : port, 'eth0')
    if (!isCable) {
      const { index } = linkAdd(machine.rtnl, { kind: 'bridge', name: link, up: true })
      linkSet(machine.rtnl, port, { master: index })
    }
    addrAdd(machine.rtnl, { link: linkGet(machine.rtnl, link).index, address })
    senders.set(from, { at, link })
  }
  addrAdd(machine.rtnl, { link: linkGet(machine.rtnl, 'eth0').index, address: `${SELF6}/64` })
  await applyRuleset(OBSERVER, HERE)
})

afterAll(() => {
  for (const { at } of senders.values()) at[Symbol.dispose]()
  machine?.rtnl.close()
  machine?.[Symbol.dispose]()
  Bun.spawnSync(['ip', 'netns', 'delete', NETNS])
})

/** As Docker translates, and what came through. */
const OBSERVER = `table inet seen {
  counter in { }
  counter out { }
  chain docker { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr { 172.17.0.0/16, 10.9.0.0/24 } masquerade; }
  chain input { type filter hook input priority 200; ip daddr ${SELF} counter name in; }
  chain leaving { type filter hook postrouting priority 200; ip daddr { ${PEER}, ${OTHER_PEER} } meta l4proto != icmp counter name out;
    ip6 daddr { ${PEER6}, ${OTHER_PEER6} } meta l4proto != ipv6-icmp counter name out; }
}`

type Machines = readonly [self: string, peer: string, otherPeer: string]
const MACHINES: Machines = [SELF, PEER, OTHER_PEER]

function planOf(way: string, more = '', machines = MACHINES) {
  const hosts = machines.map((address, i) => `{name: n${i}, address: "${address}", subnet: 172.17.${i + 1}.0/24}`)
  const config = decodeMeshConfig(
    `way: ${way}\n${more}\nhosts:\n${hosts.map((host) => `  - ${host}\n`).join('')}`,
    'test',
  )
  const [self] = config.hosts
  if (self === undefined) throw new Error('the list has hosts')
  const places = new Map(config.hosts.map(({ address }) => [address, { link: 'eth0', mtu: 1500 }]))
  return planMesh(config, self, places, { link: 'eth0', mtu: 1500 })
}

async function guard(way: string, more = '', machines = MACHINES): Promise<void> {
  await applyRuleset(meshRuleset(planOf(way, more, machines)), HERE)
}

/** Sends packets to the machine, by a link, and tells how many came to it, and how many left it for others. */
async function passing(
  from: From,
  source: string,
  to: string,
  protocol: number | { readonly udp: number },
): Promise<{ in: number; out: number }> {
  const sender = senders.get(from)
  if (sender === undefined) throw new Error('somebody sends')
  const addresses = { from: source, to }
  const [type, packet] = to.includes(':') ? ([ETH.ipv6, ipv6] as const) : ([ETH.ipv4, ipv4] as const)
  const payload =
    typeof protocol === 'number'
      ? packet(addresses, protocol, new Uint8Array(40))
      : packet(addresses, 17, udp(addresses, { from: 40_000, to: protocol.udp }, new Uint8Array(40)))
  const mac = linkGet(machine.rtnl, sender.link).mac ?? ''
  const own = linkGet(sender.at.rtnl, 'eth0')
  const socket = openPacketSocket({ link: own.index, nsFd: sender.at.nsFd, protocol: 0 })
  const before = await counters()
  for (let i = 0; i < COUNT; i += 1) socket.send(ethernet(own.mac ?? '', mac, type, payload))
  socket.close()
  // A packet through a veth is there when the call returns, or a moment later.
  await Bun.sleep(50)
  const after = await counters()
  return { in: after.in - before.in, out: after.out - before.out }
}

const COUNT = 3
const UNTOUCHED = { udp: 53 }

async function counters(): Promise<{ readonly in: number; readonly out: number }> {
  const { nftables } = (await listRuleset({ table: 'inet seen', ...HERE })) as {
    readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[]
  }
  const of = (name: string): number => nftables.find(({ counter }) => counter?.name === name)?.counter?.packets ?? -1
  return { in: of('in'), out: of('out') }
}

describe.each([
  ['gre', GRE],
  ['vxlan', { udp: 4789 }],
] as const)('tunnel packets of %s', (way, packet) => {
  beforeAll(() => guard(way))

  test.each<[string, From, string]>([
    ['a machine by its link', 'segment', PEER],
    ['another machine by its link', 'segment', OTHER_PEER],
  ])('of %s come', async (_, from, source) => {
    expect(await passing(from, source, SELF, packet)).toEqual({ in: COUNT, out: 0 })
  })

  test.each<[string, From, string]>([
    ['a container', 'container', INSIDE],
    ['a container that says that it is a machine', 'container', PEER],
    ['another network’s container that says that it is a machine', 'other', PEER],
  ])('of %s do not come', async (_, from, source) => {
    expect(await passing(from, source, SELF, packet)).toEqual({ in: 0, out: 0 })
  })

  test.each<[string, From, string]>([
    ['a container', 'container', INSIDE],
    ['a container that says that it is a machine', 'container', OTHER_PEER],
    ['another network’s container, which leave with this machine’s address,', 'other', ELSEWHERE],
    ['another network’s container that says that it is a machine', 'other', OTHER_PEER],
  ])('of %s do not leave for other machines', async (_, from, source) => {
    expect(await passing(from, source, PEER, packet)).toEqual({ in: 0, out: 0 })
  })

  test('of others are none of its business: to other addresses, or from them', async () => {
    expect(await passing('segment', '192.0.2.77', SELF, packet)).toEqual({ in: COUNT, out: 0 })
    expect(await passing('other', ELSEWHERE, SELF, packet)).toEqual({ in: COUNT, out: 0 })
  })

  test('are all that it guards', async () => {
    expect(await passing('container', INSIDE, PEER, UNTOUCHED)).toEqual({ in: 0, out: COUNT })
    expect(await passing('other', ELSEWHERE, PEER, UNTOUCHED)).toEqual({ in: 0, out: COUNT })
    expect(await passing('container', INSIDE, SELF, UNTOUCHED)).toEqual({ in: COUNT, out: 0 })
  })
})

describe('a machine whose packets come by another link than those to it leave by', () => {
  const GRE_FROM_PEER = [PEER, SELF, GRE] as const
  const bySecond = () => passing('second', ...GRE_FROM_PEER)
  const back = { link: 0, priority: 900 }
  beforeAll(() => {
    back.link = linkGet(machine.rtnl, 'eth1').index
  })

  test('is not believed by a link that has nothing to do with either', async () => {
    await guard('gre')
    expect(await bySecond()).toEqual({ in: 0, out: 0 })
    // Another route is not the one that is taken.
    routeReplace(machine.rtnl, { ...back, destination: '0.0.0.0/0' })
    expect(await bySecond()).toEqual({ in: 0, out: 0 })
    routeDel(machine.rtnl, { ...back, destination: '0.0.0.0/0' })
  })

  test('is believed by the link that leads to it, and by the one that has the address it sends to', async () => {
    await guard('gre')
    routeReplace(machine.rtnl, { ...back, destination: `${PEER}/32` })
    expect(await bySecond()).toEqual({ in: COUNT, out: 0 })
    expect(await passing('segment', ...GRE_FROM_PEER)).toEqual({ in: COUNT, out: 0 })
    expect(await passing('other', ...GRE_FROM_PEER)).toEqual({ in: 0, out: 0 })
    routeDel(machine.rtnl, { ...back, destination: `${PEER}/32` })
  })

  test('is believed with guard: false, and containers are not', async () => {
    await guard('gre', 'guard: false')
    expect(await bySecond()).toEqual({ in: COUNT, out: 0 })
    expect(await passing('container', ...GRE_FROM_PEER)).toEqual({ in: 0, out: 0 })
    expect(await passing('container', OTHER_PEER, PEER, GRE)).toEqual({ in: 0, out: 0 })
    expect(await passing('other', ELSEWHERE, PEER, GRE)).toEqual({ in: 0, out: 0 })
    // What it costs.
    expect(await passing('other', ...GRE_FROM_PEER)).toEqual({ in: COUNT, out: 0 })
  })

  test('that sends from another of its addresses is none of the guard’s business, and of no tunnel', async () => {
    await guard('gre')
    expect(await passing('segment', '192.0.2.77', SELF, GRE)).toEqual({ in: COUNT, out: 0 })
    const { bridge } = planOf('gre')
    const remotes = bridge?.ports.map(({ options }) => [options['remote_ip'], options['local_ip']])
    expect(remotes).toEqual([PEER, OTHER_PEER].map((address) => [address, SELF]))
  })
})

describe.each<[string, Machines, number]>([
  ['IPv4', MACHINES, 32],
  ['IPv6', [SELF6, PEER6, OTHER_PEER6], 128],
])('a machine that leads to another one by a second link, over %s,', (_, machines, length) => {
  const [self, peer, otherPeer] = machines
  const led = () => ({ link: linkGet(machine.rtnl, 'eth1').index, destination: `${otherPeer}/${length}` })
  const passingOn = (from: From, source: string, to: string) => passing(from, source, to, { udp: 4789 })
  beforeAll(() => routeReplace(machine.rtnl, led()))
  afterAll(() => routeDel(machine.rtnl, led()))

  test('passes on what comes in a machine’s name by the link that leads to that machine', async () => {
    await guard('vxlan', '', machines)
    expect(await passingOn('segment', peer, otherPeer)).toEqual({ in: 0, out: COUNT })
    expect(await passingOn('second', otherPeer, peer)).toEqual({ in: 0, out: COUNT })
  })

  test('passes on nothing that comes in a machine’s name by another link, the one that has its own address included', async () => {
    await guard('vxlan', '', machines)
    expect(await passingOn('segment', otherPeer, peer)).toEqual({ in: 0, out: 0 })
    expect(await passingOn('second', peer, otherPeer)).toEqual({ in: 0, out: 0 })
    await guard('vxlan', 'guard: false', machines)
    expect(await passingOn('segment', otherPeer, peer)).toEqual({ in: 0, out: COUNT })
  })

  test.each(['', 'guard: false'])('passes on nothing in its own name, whatever link it comes by: %p', async (more) => {
    await guard('vxlan', more, machines)
    for (const from of ['segment', 'second', 'other'] as const) {
      expect(await passingOn(from, self, otherPeer)).toEqual({ in: 0, out: 0 })
      expect(await passingOn(from, self, peer)).toEqual({ in: 0, out: 0 })
    }
  })
})
