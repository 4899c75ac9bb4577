/**
 * Ways around the switch: frames for the node's end of a pod's link, and packets by way of the node's own stack.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { linkGet, linkList, openPacketSocket, openRtnl, ping, routeAdd } from '../../src/linux/index.ts'
import { ENDPOINT_GROUP } from '../../src/network/host.ts'
import { capture } from '../lab/capture.ts'
import { arp, ETH, ethernet, icmp, ipv4, join, udp } from '../lab/frames.ts'
import type { Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const FOREIGNER = '203.0.113.9'
const OUTSIDE = '198.18.77.1'

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
  const { mac, address, send } = pod(lab, 'shop/web')
  using node = openRtnl({ nsFd: lab.fd(lab.node(1).netns) })
  const ends = linkList(node).filter(({ group }) => group === ENDPOINT_GROUP)
  ok(ends.length > 0)
  const victim = capture(lab.fd(lab.netns('bank/ledger')))
  for (const { mac: end = '' } of ends) {
    for (const from of [FOREIGNER, address, OUTSIDE]) {
      const addresses = { from, to: lab.address('bank/ledger') }
      send(
        ethernet(
          mac,
          end,
          ETH.ipv4,
          ipv4(addresses, 17, udp(addresses, { from: 40_000, to: 9_999 }, new Uint8Array(8))),
        ),
      )
    }
  }
  await Bun.sleep(500)
  victim.close()
  equal(victim.frames.filter((frame) => frame[12] === 8 && frame[13] === 0).length, 0)
}

async function outsider({ lab }: StepContext): Promise<void> {
  const fd = lab.fd(lab.layout.outsideNetns)
  using rtnl = openRtnl({ nsFd: fd })
  routeAdd(rtnl, { destination: '10.128.0.0/23', gateway: '198.18.77.11' })
  const answer = await ping({ address: lab.address('bank/ledger'), nsFd: fd, timeoutMs: 800 })
  equal(answer.reached, false)
}

async function forgedError({ lab }: StepContext): Promise<void> {
  const { mac, address, send } = pod(lab, 'shop/web')
  const fd = lab.fd(lab.layout.outsideNetns)
  using rtnl = openRtnl({ nsFd: fd })
  const uplink = linkList(rtnl).find(({ name }) => name !== 'lo')?.name ?? ''
  const heard = capture(fd, uplink)
  const quoted = { from: OUTSIDE, to: lab.address('bank/ledger') }
  const quote = ipv4(quoted, 17, udp(quoted, { from: 7_778, to: 40_000 }, new Uint8Array(8)))
  for (const code of [1, 3, 4]) {
    const error = icmp(3, code, join([0, 0, 2, 88], quote))
    send(ethernet(mac, '0a:58:0a:80:00:01', ETH.ipv4, ipv4({ from: address, to: OUTSIDE }, 1, error)))
  }
  await Bun.sleep(500)
  heard.close()
  equal(heard.frames.filter((frame) => frame[23] === 1).length, 0)
}

function pod(lab: Lab, name: string) {
  const fd = lab.fd(lab.netns(name))
  using rtnl = openRtnl({ nsFd: fd })
  const { index, mac = '' } = linkGet(rtnl, 'eth0')
  const socket = openPacketSocket({ link: index, nsFd: fd, onFrame: () => undefined })
  return { fd, mac, address: lab.address(name), send: (frame: Uint8Array) => socket.send(frame) }
}

if (import.meta.main) await runScenario(bypass)
