/**
 * Ways around the switch: frames for the node's end of a pod's link, and packets by way of the node's own stack.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { linkGet, linkList, openPacketSocket, openRtnl, ping, routeAdd } from '../../src/linux/index.ts'
import { ENDPOINT_GROUP } from '../../src/network/host.ts'
import { UPLINK } from '../../src/playground/lab/underlay.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { type Capture, capture } from '../lab/capture.ts'
import { type Addresses, arp, ETH, ethernet, icmp, ipv4, join, udp } from '../lab/frames.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const FOREIGNER = '203.0.113.9'
const OUTSIDE = outsideAddress(4)
/** The gateway's MAC address on the first node. */
const ROUTER = '0a:58:0a:80:00:01'
const HONEST = new TextEncoder().encode('weft-e2e-honest')
const FORGED = new TextEncoder().encode('weft-e2e-forged')
const ICMP = 1
const UDP = 17

export const bypass: Scenario = {
  name: 'bypass',
  lab: { nodes: 2 },
  steps: [
    { title: 'one answer to ARP for the gateway: the switch’s', run: oneAnswer },
    { title: 'frames for the node’s end of the link reach nobody', run: hostMac },
    { title: 'the world outside reaches no pod by way of a node', run: outsider },
    { title: 'no ICMP error of a pod reaches the world outside', run: forgedError },
  ],
}

async function oneAnswer({ lab }: StepContext): Promise<void> {
  const { fd, mac, address, send } = pod(lab, 'shop/web')
  const heard = capture(fd)
  send(
    ethernet(
      mac,
      BROADCAST,
      ETH.arp,
      arp(1, { mac, ip: address }, { mac: '00:00:00:00:00:00', ip: '10.128.0.1' }, new Uint8Array()),
    ),
  )
  await Bun.sleep(500)
  heard.close()
  const answers = heard.frames.filter((frame) => frame[12] === 8 && frame[13] === 6)
  deepEqual(
    answers.map((frame) => Buffer.from(frame.subarray(6, 12)).toString('hex')),
    ['0a580a800001'],
  )
}

async function hostMac({ lab }: StepContext): Promise<void> {
  const sender = pod(lab, 'shop/web')
  using node = openRtnl({ nsFd: lab.fd(lab.node(1).netns) })
  const ends = linkList(node).filter(({ group }) => group === ENDPOINT_GROUP)
  ok(ends.length > 0)
  const [neighbour, stranger] = ['shop/cart', 'bank/ledger'].map((name) => ({
    address: lab.address(name),
    heard: capture(lab.fd(lab.netns(name))),
  }))
  ok(neighbour && stranger)
  await eventually('an honest frame of the same form arrives', () => {
    const addresses = { from: sender.address, to: neighbour.address }
    sender.send(ethernet(sender.mac, ROUTER, ETH.ipv4, datagram(addresses, HONEST)))
    return hears(neighbour.heard, HONEST)
  })
  // From its own address to its neighbour it may send, whoever's MAC address it writes on it.
  const forgeries: readonly Addresses[] = [
    ...[FOREIGNER, OUTSIDE].map((from) => ({ from, to: neighbour.address })),
    ...[FOREIGNER, OUTSIDE, sender.address].map((from) => ({ from, to: stranger.address })),
  ]
  for (const { mac: end = '' } of ends) {
    for (const each of forgeries) sender.send(ethernet(sender.mac, end, ETH.ipv4, datagram(each, FORGED)))
  }
  await Bun.sleep(500)
  for (const { heard } of [neighbour, stranger]) {
    heard.close()
    equal(hears(heard, FORGED), false)
  }
}

async function outsider({ lab }: StepContext): Promise<void> {
  const fd = lab.fd(lab.layout.outsideNetns)
  const [gateway] = lab.node(1).addresses
  const victim = lab.address('bank/ledger')
  const reaches = async (address: string, from: number) => (await ping({ address, nsFd: from, timeoutMs: 800 })).reached
  using rtnl = openRtnl({ nsFd: fd })
  routeAdd(rtnl, { destination: '10.128.0.0/23', gateway })
  await eventually('the way to the node is there', () => reaches(gateway, fd))
  await eventually('the pod answers others', () => reaches(victim, lab.fd(lab.netns('default/monitor'))))
  equal(await reaches(victim, fd), false)
}

async function forgedError({ lab }: StepContext): Promise<void> {
  const { mac, address, send } = pod(lab, 'shop/web')
  const heard = capture(lab.fd(lab.layout.outsideNetns), UPLINK)
  const seen = (type: number) => heard.frames.filter((frame) => frame[23] === ICMP && frame[34] === type).length
  const say = (message: Uint8Array) =>
    send(ethernet(mac, ROUTER, ETH.ipv4, ipv4({ from: address, to: OUTSIDE }, ICMP, message)))
  await eventually('an honest message arrives', () => {
    say(icmp(8, 0, join([0, 1, 0, 1], HONEST)))
    return seen(8) > 0
  })
  const quoted = { from: OUTSIDE, to: lab.address('bank/ledger') }
  const quote = ipv4(quoted, UDP, udp(quoted, { from: 7_778, to: 40_000 }, new Uint8Array(8)))
  for (const code of [1, 3, 4]) say(icmp(3, code, join([0, 0, 2, 88], quote)))
  await Bun.sleep(500)
  heard.close()
  equal(seen(3), 0)
}

function datagram(addresses: Addresses, data: Uint8Array): Uint8Array {
  return ipv4(addresses, UDP, udp(addresses, { from: 40_000, to: 9_999 }, data))
}

function hears({ frames }: Capture, data: Uint8Array): boolean {
  return frames.some((frame) => Buffer.from(frame).includes(data))
}

function pod(lab: Lab, name: string) {
  const fd = lab.fd(lab.netns(name))
  using rtnl = openRtnl({ nsFd: fd })
  const { index, mac = '' } = linkGet(rtnl, 'eth0')
  const socket = openPacketSocket({ link: index, nsFd: fd, onFrame: () => undefined })
  return { fd, mac, address: lab.address(name), send: (frame: Uint8Array) => socket.send(frame) }
}

if (import.meta.main) await runScenario(bypass)
