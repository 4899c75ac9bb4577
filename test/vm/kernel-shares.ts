/**
 * Fair shares of the uplink on the kernel's datapath, inside the guest that `main.ts` starts: two pods of one node send through
 * a VXLAN tunnel to a pod of another, one of them with four streams. Prints what it measures, and ends with 1 when
 * something is not as it should be.
 * @module
 */
import { ok } from 'node:assert/strict'
import type { Lease } from '../../src/agent/attach/lease.ts'
import { setBucket } from '../../src/agent/qos/tc.ts'
import { noShares, UplinkShares } from '../../src/agent/qos/uplink-shares.ts'
import {
  addrAdd,
  linkAdd,
  linkGet,
  linkSet,
  netnsAdd,
  netnsPath,
  openRtnl,
  qdiscList,
  type RtnlSocket,
} from '../../src/linux/index.ts'
import { type Ip, ip, macFromIp } from '../../src/network/model/address.ts'
import { bucketOf } from '../../src/network/qos/shaping.ts'
import { type OvsSandbox, startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { measure, startBulk } from '../lab/bulk.ts'

const UPLINK = 20_000_000
const SECONDS = 10

interface Node {
  readonly fd: number
  readonly rtnl: RtnlSocket
  readonly ovs: OvsSandbox
}

const near = await node('near', 1)
const far = await node('far', 2)
linkAdd(near.rtnl, { kind: 'veth', name: 'up0', up: true, peer: { name: 'up0', nsFd: far.fd } })
await uplink(near, 1)
await uplink(far, 2)
const web = await pod(near, 'web', 1)
const api = await pod(near, 'api', 2)
const sink = await pod(far, 'sink', 3)
const { index } = linkGet(near.rtnl, 'up0')

setBucket(near.rtnl, index, bucketOf(UPLINK, 1_500))
console.log('one queue for all')
const unfair = await sharing()
ok(Math.min(unfair.web, unfair.api) / Math.max(unfair.web, unfair.api) < 0.8, 'fair without shares: this shows nothing')

console.log('a class for each pod')
const shares = new UplinkShares(near.rtnl, UPLINK)
shares.apply(index, [web.lease, api.lease])
const fair = await sharing()
ok(fair.all < UPLINK * 1.05 && fair.all > UPLINK * 0.85, 'the uplink is not used')
ok(Math.min(fair.web, fair.api) / Math.max(fair.web, fair.api) > 0.8, 'no fair shares')

shares.apply(index, [web.lease])
noShares(near.rtnl).apply(index, [])
ok(qdiscList(near.rtnl, { link: index }).length === 0, 'something is left')
console.log('as it should be')
process.exit(0)

async function node(name: string, number: number): Promise<Node> {
  const netns = `wefttest-vm-${name}`
  const fd = netnsAdd(netns)
  const ovs = await startOvsSandbox({ netns })
  const remote = `198.18.9.${3 - number}`
  await ovs.vsctl('add-br', 'br-weft', '--', 'set', 'Bridge', 'br-weft', 'datapath_type=system')
  const tunnel = ['--', 'set', 'Interface', 'tunnel', 'type=vxlan', `options:remote_ip=${remote}`, 'options:key=7']
  await ovs.vsctl('add-port', 'br-weft', 'tunnel', ...tunnel)
  return { fd, rtnl: openRtnl({ nsFd: fd }), ovs }
}

async function uplink({ rtnl }: Node, number: number): Promise<void> {
  const link = linkGet(rtnl, 'up0').index
  linkSet(rtnl, 'lo', { up: true })
  addrAdd(rtnl, { link, address: `198.18.9.${number}/24` })
  linkSet(rtnl, link, { up: true })
}

async function pod({ rtnl, ovs }: Node, name: string, number: number) {
  const netns = `wefttest-vm-${name}`
  const fd = netnsAdd(netns)
  const link = `weft0000000000${number}`
  const address: Ip = ip(`10.9.0.${number}`)
  linkAdd(rtnl, { kind: 'veth', name: link, up: true, mtu: 1450, peer: { name: 'eth0', nsFd: fd, mtu: 1450 } })
  using inside = openRtnl({ nsFd: fd })
  const inner = linkGet(inside, 'eth0').index
  addrAdd(inside, { link: inner, address: `${address}/24` })
  linkSet(inside, inner, { up: true })
  const ofport = 0x1000 + number
  await ovs.vsctl('add-port', 'br-weft', link, '--', 'set', 'Interface', link, `ofport_request=${ofport}`)
  const names = { id: `${name}/eth0`, containerId: name, ifname: 'eth0', namespace: 'shop', pod: name }
  const endpoint = { ...names, mac: macFromIp(address), addresses: [address], ofport }
  const lease: Lease = { endpoint, link, network: 'weft', netns: netnsPath(netns), mtu: 1450 }
  return { fd, address, lease }
}

/** One stream of one pod, four of the other: what each hands over, and what arrives. */
async function sharing(): Promise<{ readonly web: number; readonly api: number; readonly all: number }> {
  const target = { fd: sink.fd, address: sink.address }
  const streams = await Promise.all([web, api, api, api, api].map(({ fd }) => startBulk(fd, target)))
  await Bun.sleep(2_000)
  const [ofWeb, ofApi, ofSink] = await Promise.all([web, api, sink].map(({ fd }) => measure(fd, SECONDS * 1000)))
  for (const stream of streams) stream.close()
  const [one, other, all] = [ofWeb?.sent ?? 0, ofApi?.sent ?? 0, ofSink?.received ?? 0]
  console.log(`uplink of ${shown(UPLINK)}: web, one stream, ${shown(one)}; api, four streams, ${shown(other)}`)
  console.log(`  ${shown(all)} arrive at the other node's pod`)
  return { web: one, api: other, all }
}

function shown(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} Mbit/s`
}
