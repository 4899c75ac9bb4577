/**
 * Bandwidth on the kernel's datapath, inside the guest that `main.ts` starts: pods on a bridge of Open vSwitch's, shaped by
 * the agent's own hands. Prints what it measures, and ends with 1 when something is not as it should be.
 * @module
 */
import { ok } from 'node:assert/strict'
import type { Lease } from '../../src/agent/attach/lease.ts'
import { DETOURS } from '../../src/agent/qos/on-node.ts'
import { Shaper } from '../../src/agent/qos/shaper.ts'
import {
  addrAdd,
  classList,
  filterList,
  linkAdd,
  linkGet,
  linkSet,
  netnsAdd,
  netnsPath,
  openRtnl,
  TC_INGRESS_FILTERS,
} from '../../src/linux/index.ts'
import { type Ip, ip, macFromIp } from '../../src/network/model/address.ts'
import type { Limits } from '../../src/network/model/bandwidth.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { measure, startBulk } from '../lab/bulk.ts'

const NODE = 'wefttest-vm-node'
const TEN_MEGABIT = 10_000_000
const SECONDS = 10

interface Pod {
  readonly fd: number
  readonly address: Ip
  readonly lease: (limits: Limits) => Lease
}

const nodeFd = netnsAdd(NODE)
using rtnl = openRtnl({ nsFd: nodeFd })
await using ovs = await startOvsSandbox({ netns: NODE })
await ovs.vsctl('add-br', 'br-weft', '--', 'set', 'Bridge', 'br-weft', 'datapath_type=system')
const shaper = new Shaper(rtnl, 'system')
const web = await pod('web', 1)
const cart = await pod('cart', 2)
const api = await pod('api', 3)

await step('without limits', async () => {
  const { toPod, fromPod } = await bothWays(3)
  ok(toPod > 2 * TEN_MEGABIT && fromPod > 2 * TEN_MEGABIT)
})
for (const attempt of [1, 2, 3]) {
  shaper.apply(web.lease({ toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT }))
  const { toPod, fromPod } = await told(`10 Mbit/s both ways, ${SECONDS} s`, () => bothWays(SECONDS))
  ok(Math.max(toPod, fromPod) < TEN_MEGABIT * 1.05, 'too fast')
  if (Math.min(toPod, fromPod) > TEN_MEGABIT * 0.95) break
  ok(attempt < 3, 'too slow, three times')
}
await step('the kernel says so, and a second look writes nothing', async () => {
  const inForce = shaper.inForce(web.lease({}))
  ok(inForce.toPod?.rate === TEN_MEGABIT && inForce.fromPod?.rate === TEN_MEGABIT)
})
await step('a stream goes through edits', async () => {
  const stream = await startBulk(web.fd, { fd: cart.fd, address: cart.address })
  for (const rate of [30e6, 5e6, 1e6]) {
    shaper.apply(web.lease({ toPod: rate, fromPod: rate }))
    await Bun.sleep(1_000)
    const { sent } = await measure(web.fd, 3_000)
    // What it hands over is what its interface counts; what passed the shaper is what arrives.
    const before = shaper.inForce(web.lease({})).fromPod?.bytes ?? 0n
    await Bun.sleep(3_000)
    const passed = Number((shaper.inForce(web.lease({})).fromPod?.bytes ?? 0n) - before) * 8
    console.log(`  ${rate / 1e6} Mbit/s: ${shown(passed / 3)} pass, the pod sends ${shown(sent)}`)
    ok(passed / 3 < rate * 1.1)
  }
  stream.close()
})
await step('limits go with all that belongs to them', async () => {
  for (let looks = 0; shaper.apply(web.lease({})) === 'draining' && looks < 50; looks += 1) await Bun.sleep(20)
  const outside = linkGet(rtnl, web.lease({}).link).index
  ok(filterList(rtnl, { link: outside, parent: TC_INGRESS_FILTERS }).length === 0)
  shaper.sweep([])
  ok(classList(rtnl, linkGet(rtnl, DETOURS.fromPod.name).index).length === 0)
  const { toPod, fromPod } = await bothWays(3)
  ok(toPod > 2 * TEN_MEGABIT && fromPod > 2 * TEN_MEGABIT)
})
await step(
  'a namespace’s total of what its pods send is shared by them, and a pod’s own limit holds within it',
  async () => {
    const total = { number: 0x20, limits: { fromPod: 20e6 } }
    for (const one of [web, api]) shaper.apply(one.lease({}), { group: total })
    const both = await sharing(SECONDS)
    ok(both.all < 20e6 * 1.05 && both.all > 20e6 * 0.95)
    ok(Math.min(both.web, both.api) / Math.max(both.web, both.api) > 0.8, 'no fair shares')
    shaper.apply(web.lease({ fromPod: 4e6 }), { group: total })
    const held = await sharing(SECONDS)
    ok(held.all < 20e6 * 1.05 && held.all > 20e6 * 0.95)
    ok(held.web < 4e6 * 1.05 && held.web > 4e6 * 0.95)
    shaper.apply(web.lease({}), { group: { ...total, limits: { fromPod: 10e6 } } })
    const edited = await sharing(SECONDS)
    ok(edited.all < 10e6 * 1.05)
    ok(shaper.totalInForce(0x20).fromPod?.rate === 10e6)
  },
)
await step('and of what they receive', async () => {
  const group = { number: 0x20, limits: { toPod: 20e6 } }
  for (const one of [web, api]) {
    for (let looks = 0; shaper.apply(one.lease({}), { group }) === 'draining' && looks < 50; looks += 1)
      await Bun.sleep(20)
  }
  const streams = await Promise.all([web, api].map((to) => startBulk(cart.fd, { fd: to.fd, address: to.address })))
  const measured = await Promise.all([web, api].map(({ fd }) => measure(fd, SECONDS * 1000)))
  for (const stream of streams) stream.close()
  const [first, second] = measured.map(({ received }) => received)
  console.log(
    `  web ${shown(first ?? 0)} and api ${shown(second ?? 0)}, together ${shown((first ?? 0) + (second ?? 0))}`,
  )
  ok((first ?? 0) + (second ?? 0) < 20e6 * 1.05 && (first ?? 0) + (second ?? 0) > 20e6 * 0.9)
})
await step('what no endpoint needs any more goes', async () => {
  for (const one of [web, api]) {
    for (let looks = 0; shaper.apply(one.lease({})) === 'draining' && looks < 50; looks += 1) await Bun.sleep(20)
  }
  shaper.sweep([])
  for (const { name } of Object.values(DETOURS)) ok(classList(rtnl, linkGet(rtnl, name).index).length === 0)
})
console.log('as it should be')
process.exit(0)

/** A pod on the bridge. */
async function pod(name: string, number: number): Promise<Pod> {
  const netns = `wefttest-vm-${name}`
  const fd = netnsAdd(netns)
  const link = `weft0000000000${number}`
  const address = ip(`10.9.0.${number}`)
  linkAdd(rtnl, { kind: 'veth', name: link, up: true, peer: { name: 'eth0', nsFd: fd } })
  using inside = openRtnl({ nsFd: fd })
  const { index } = linkGet(inside, 'eth0')
  addrAdd(inside, { link: index, address: `${address}/24` })
  linkSet(inside, index, { up: true })
  const ofport = 0x1000 + number
  const port = ['add-port', 'br-weft', link, '--', 'set', 'Interface', link, `ofport_request=${ofport}`]
  const handsOff = ['--', 'set', 'Port', link, 'qos=@row', '--', '--id=@row', 'create', 'QoS', 'type=linux-noop']
  await ovs.vsctl(...port, ...handsOff)
  const endpoint = {
    id: `${name}/eth0`,
    containerId: name,
    ifname: 'eth0',
    namespace: 'shop',
    pod: name,
    mac: macFromIp(address),
    addresses: [address],
    ofport,
  }
  const lease = (limits: Limits): Lease => ({
    endpoint: { ...endpoint, limits },
    link,
    network: 'weft',
    netns: netnsPath(netns),
    mtu: 1500,
  })
  return { fd, address, lease }
}

/** A stream each way at once: what the other end receives of what is sent, and what the pod receives. */
async function bothWays(seconds: number): Promise<{ readonly toPod: number; readonly fromPod: number }> {
  const streams = await Promise.all([
    startBulk(web.fd, { fd: cart.fd, address: cart.address }),
    startBulk(cart.fd, { fd: web.fd, address: web.address }),
  ])
  const [ofWeb, ofCart] = await Promise.all([measure(web.fd, seconds * 1000), measure(cart.fd, seconds * 1000)])
  for (const stream of streams) stream.close()
  console.log(`  to the pod ${shown(ofWeb.received)}, from the pod ${shown(ofCart.received)}`)
  return { toPod: ofWeb.received, fromPod: ofCart.received }
}

/** Streams of two pods to a third: what of each arrives. */
async function sharing(seconds: number): Promise<{ readonly web: number; readonly api: number; readonly all: number }> {
  const streams = await Promise.all(
    [web, api].map((from) => startBulk(from.fd, { fd: cart.fd, address: cart.address })),
  )
  await Bun.sleep(1_000)
  const [ofWeb, ofApi, ofCart] = await Promise.all([web, api, cart].map(({ fd }) => measure(fd, seconds * 1000)))
  for (const stream of streams) stream.close()
  const [one, other, all] = [ofWeb?.sent ?? 0, ofApi?.sent ?? 0, ofCart?.received ?? 0]
  console.log(`  web sends ${shown(one)}, api ${shown(other)}; ${shown(all)} arrive`)
  return { web: one, api: other, all }
}

async function step(title: string, work: () => Promise<void>): Promise<void> {
  await told(title, work)
}

async function told<T>(title: string, work: () => Promise<T>): Promise<T> {
  console.log(title)
  return work()
}

function shown(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} Mbit/s`
}
