/**
 * Pods on links of the node, of the kinds that few test machines' kernels have, inside the guest that `main.ts` starts:
 * ipvlan, VLANs, VLAN links of the node with macvlan on them, and what cannot be a master. Prints what it sees, and ends
 * with 1 when something is not as it should be.
 * @module
 */
import { equal, match, ok, rejects } from 'node:assert/strict'
import { Bench, FAR, namesIn, never } from '../../src/agent/plugins/links/testing/bench.ts'
import type { JsonObject } from '../../src/cni/index.ts'
import { addrAdd, addrFlush, linkAdd, linkGet, linkSet } from '../../src/linux/index.ts'
import { indexOf } from '../../src/linux/testing/scratch.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { run } from '../lab/command.ts'

const IPAM = { ipam: { type: 'test' } }

for (const mode of ['l2', 'l3', 'l3s'] as const) {
  using bench = new Bench()
  const ipvlan = bench.plugin('ipvlan')
  const call = bench.call({ type: 'ipvlan', master: 'up0', mode, ...IPAM })
  const prevResult = await ipvlan.add(call, never)
  equal(JSON.stringify(linkGet(bench.pod.rtnl, 'net1').data), JSON.stringify({ kind: 'ipvlan', mode }))
  equal(linkGet(bench.pod.rtnl, 'net1').mac, linkGet(bench.node.rtnl, 'up0').mac)
  equal(bench.told.length, mode === 'l2' ? 1 : 0)
  await ipvlan.check({ ...call, prevResult })
  if (mode === 'l2') ok(await reaches(bench, FAR))
  await refused(
    bench.plugin('macvlan').add(bench.call({ type: 'macvlan', master: 'up0' }, { ifname: 'net2' }), never),
    /up0 /,
  )
  await ipvlan.del(call)
  ok(!namesIn(bench.pod).includes('net1'))
  console.log(`ipvlan ${mode}: made, checked, removed`)
}

{
  using bench = new Bench()
  onVlan(bench, 7)
  const vlan = bench.plugin('vlan')
  const call = bench.call({ type: 'vlan', master: 'up0', vlanId: 7, mtu: 1400, ...IPAM })
  const prevResult = await vlan.add(call, never)
  const { data, mtu } = linkGet(bench.pod.rtnl, 'net1')
  equal(JSON.stringify(data), JSON.stringify({ kind: 'vlan', id: 7, protocol: '802.1q' }))
  equal(mtu, 1400)
  ok(await reaches(bench, FAR))
  await vlan.check({ ...call, prevResult })
  const second = bench.call({ type: 'vlan', master: 'up0', vlanId: 7 }, { ifname: 'net2' })
  await refused(vlan.add(second, never), /VLAN 7 of \S+ is in use already/)
  await refused(
    vlan.add(bench.call({ type: 'vlan', master: 'up0', vlanId: 8 }), never),
    /interface net1 already exists/,
  )
  await vlan.del(call)
  ok(!namesIn(bench.pod).includes('net1'))
  console.log('vlan: made, reaches its VLAN, checked, removed')
}

{
  using bench = new Bench()
  onVlan(bench, 9)
  linkSet(bench.node.rtnl, 'up0', { up: false })
  const ifacer = bench.plugin('ifacer')
  const call = bench.call({ type: 'ifacer', interfaces: ['up0'], vlanID: 9 })
  await ifacer.add(call, never)
  await ifacer.add(call, never)
  await ifacer.check(call)
  const macvlan = bench.call({ type: 'macvlan', master: 'up0.9', ...IPAM })
  await bench.plugin('macvlan').add(macvlan, never)
  ok(await reaches(bench, FAR))
  await bench.plugin('macvlan').del(macvlan)
  await ifacer.del(call)
  ok(namesIn(bench.node).includes('up0.9'))
  linkSet(bench.node.rtnl, 'up0.9', { up: false })
  await refused(ifacer.check(call), /link up0.9 is down/)
  await ifacer.add(call, never)
  ok(linkGet(bench.node.rtnl, 'up0.9').up)
  linkAdd(bench.node.rtnl, { kind: 'veth', name: 'up1', peer: { name: 'w1', nsFd: bench.wire.nsFd } })
  const other: JsonObject = { type: 'ifacer', interfaces: ['up1'], vlanID: 9 }
  await refused(ifacer.add(bench.call(other), never), /VLAN 9 is link up0.9 of this node already/)
  linkAdd(bench.node.rtnl, { kind: 'vlan', name: 'up1.10', id: 11, parent: indexOf(bench.node, 'up1') })
  await refused(ifacer.add(bench.call({ ...other, vlanID: 10 }), never), /up1.10 is there already/)
  console.log('ifacer: a VLAN link of the node, and a pod on it')
}

{
  using bench = new Bench()
  await using ovs = await startOvsSandbox({ netns: bench.node.nsFd })
  await ovs.vsctl('add-br', 'br1', '--', 'add-port', 'br1', 'up0')
  for (const type of ['macvlan', 'ipvlan']) {
    await refused(bench.plugin(type).add(bench.call({ type, master: 'up0' }), never), /it is a port of Open vSwitch/)
  }
  await bench.plugin('macvlan').add(bench.call({ type: 'macvlan', master: 'br1', ...IPAM }), never)
  console.log('a port of Open vSwitch carries no interfaces of pods; a bridge’s own link does')
}

console.log('as it should be')
process.exit(0)

/** What is at the other end of the wire is on a VLAN. */
function onVlan({ wire }: Bench, id: number): void {
  addrFlush(wire.rtnl, indexOf(wire, 'w0'))
  const link = linkAdd(wire.rtnl, { kind: 'vlan', name: `w0.${id}`, id, parent: indexOf(wire, 'w0'), up: true })
  addrAdd(wire.rtnl, { link: link.index, address: `${FAR}/24` })
}

async function reaches({ pod }: Bench, address: string): Promise<boolean> {
  const enter = ['nsenter', `--net=/proc/${process.pid}/fd/${pod.nsFd}`]
  return (await run([...enter, 'ping', '-c', '2', '-W', '10', address])).code === 0
}

async function refused(done: Promise<unknown>, words: RegExp): Promise<void> {
  await rejects(done, (error: Error) => {
    match(error.message, words)
    return true
  })
}
