/**
 * A virtio NIC into a pod and home again, inside the guest that `main.ts` starts, whose cards are all of one wire: hardware comes back
 * to the machine when a pod's namespace ends, which no software link does. Prints what it sees, and ends with 1 when something is not
 * as it should be.
 * @module
 */
import { equal, match, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NicNotes } from '../../src/agent/plugins/nics/notes.ts'
import { HostDevicePlugin } from '../../src/agent/plugins/nics/plugin.ts'
import type { IpamPlugin, PluginCallInside } from '../../src/agent/plugins/plugin.ts'
import { EMPTY_RESULT, type JsonObject, NO_ARGS } from '../../src/cni/index.ts'
import {
  addrAdd,
  type Link,
  linkAdd,
  linkFind,
  linkGet,
  linkList,
  linkSet,
  linkSetNetns,
  netnsSelf,
  openRtnl,
  routeAdd,
} from '../../src/linux/index.ts'
import { indexOf, type Scratch, scratch } from '../../src/linux/testing/scratch.ts'
import { run } from '../lab/command.ts'

const never = new AbortController().signal
const rtnl = openRtnl()
const home = {
  rtnl,
  nsFd: netnsSelf(),
  sysfs: '/sys',
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
}
const stateDir = mkdtempSync(join(tmpdir(), 'weft-nic-'))

const [first, second, third] = linkList(rtnl)
  .filter(({ device, kind }) => device?.bus === 'virtio' && kind === undefined)
  .toSorted((a, b) => (a.permanentMac ?? '').localeCompare(b.permanentMac ?? ''))
ok(first?.mac !== undefined && second !== undefined && third !== undefined)
const OLD = 'nic-of-pods'
linkSet(rtnl, first.index, { up: false })
linkSet(rtnl, first.index, { name: OLD })
linkSet(rtnl, first.index, { up: true, alias: 'for pods' })

const wire = scratch()
await linkSetNetns(rtnl, second.index, wire.nsFd, 'w0')
linkSet(wire.rtnl, 'w0', { up: true })
addrAdd(wire.rtnl, { link: indexOf(wire, 'w0'), address: '10.79.0.1/24' })
const behind = linkAdd(wire.rtnl, { kind: 'bridge', name: 'behind', up: true })
addrAdd(wire.rtnl, { link: behind.index, address: '10.80.0.1/16' })

const given = new Set<string>()
const ipam: IpamPlugin = {
  add: async ({ containerId }) => {
    given.add(containerId)
    return {
      ...EMPTY_RESULT,
      ips: [{ address: '10.79.0.5/24', gateway: '10.79.0.1' }],
      routes: [{ dst: '10.80.0.0/16', gw: '10.79.0.1' }],
    }
  },
  del: async ({ containerId }) => void given.delete(containerId),
  check: async () => undefined,
}
const NIC: JsonObject = { type: 'host-device', hwaddr: first.mac, mtu: 1400, ipam: { type: 'test' } }

{
  using pod = scratch()
  const call = callFor(pod, NIC)
  const prevResult = await agent().add(call, never)
  equal(linkFind(rtnl, OLD), undefined)
  equal(linkGet(pod.rtnl, 'net1').mtu, 1400)
  ok(await pings(pod, '10.79.0.1'))
  ok(await pings(pod, '10.80.0.1', '-M', 'do', '-s', '1372'))
  ok(!(await pings(pod, '10.80.0.1', '-M', 'do', '-s', '1373')))
  await agent().check({ ...call, prevResult })
  await agent().del(call)
  atHome()
  console.log('a virtio NIC: moved in by its MAC address, pings by its route with its MTU, home again by DEL')
}

for (const [how, undo] of [
  ['DEL without a namespace', () => agent().del(withoutNetns(NIC))],
  ['GC', () => agent().gc('n', new Set())],
] as const) {
  const pod = scratch()
  await agent().add(callFor(pod, NIC), never)
  const away = linkGet(pod.rtnl, 'net1')
  // What a pod with CAP_NET_ADMIN can do to be forgotten.
  linkSet(pod.rtnl, away.index, { alias: '', mac: '52:54:00:00:00:99' })
  pod[Symbol.dispose]()
  await undo()
  atHome()
  console.log(`the pod’s namespace ended: home again under its old name by ${how}`)
}

{
  const pod = scratch()
  await agent().add(callFor(pod, NIC), never)
  pod[Symbol.dispose]()
  await seen((link) => link.name === 'net1' || link.name.startsWith('dev'))
  const other = scratch()
  await rejects(agent().add(callFor(other, { ...NIC }, 'c2'), never), (error: Error) => {
    match(error.message, /it is interface net1 of container c1, or on its way back/)
    return true
  })
  const taken = linkAdd(rtnl, { kind: 'bridge', name: OLD })
  await rejects(agent().del(withoutNetns(NIC)), (error: Error) => {
    match(error.message, /another link is called nic-of-pods now/)
    return true
  })
  linkSet(rtnl, taken.index, { name: 'other' })
  await agent().del(withoutNetns(NIC))
  atHome()
  console.log('its name is taken, and free again: it waits for it; no other pod has it meanwhile')
}

{
  using pod = scratch()
  const { device } = linkGet(rtnl, OLD)
  const slot = readFileSync(`/sys/bus/virtio/devices/${device?.name}/../uevent`, 'utf8')
  const id = /PCI_SLOT_NAME=(\S+)/.exec(slot)?.[1] ?? ''
  const byPci: JsonObject = { type: 'host-device', pciBusID: id }
  await agent().add(callFor(pod, byPci), never)
  equal(linkGet(pod.rtnl, 'net1').mac, first.mac)
  await agent().del(callFor(pod, byPci))
  atHome()
  const path: JsonObject = { type: 'host-device', kernelpath: `/sys/devices/pci0000:00/${id}` }
  await agent().add(callFor(pod, path), never)
  writeFileSync(`/sys/bus/pci/devices/${id}/remove`, '1')
  equal(linkFind(pod.rtnl, 'net1'), undefined)
  await agent().del(callFor(pod, path))
  equal(new NicNotes(stateDir).values().length, 0)
  console.log('by its PCI slot and by its path; pulled out of the machine while it is in a pod, it is forgotten')
}

{
  using pod = scratch()
  addrAdd(rtnl, { link: third.index, address: '10.79.0.7/24' })
  linkSet(rtnl, third.index, { up: true })
  routeAdd(rtnl, { destination: '0.0.0.0/0', gateway: '10.79.0.1' })
  await rejects(agent().add(callFor(pod, { type: 'host-device', device: third.name }), never), (error: Error) => {
    match(error.message, /the node has address 10.79.0.7\/24 on it/)
    return true
  })
  equal(linkGet(rtnl, third.name).alias, undefined)
  console.log('the node’s own NIC stays')
}

console.log('as it should be')
process.exit(0)

/** One that was started this moment. */
function agent(): HostDevicePlugin {
  return new HostDevicePlugin({
    home,
    notes: new NicNotes(stateDir),
    plugins: { ipam: () => ipam },
    grants: () => ({ trustedNamespaces: new Set(), types: new Set(), bridges: [] }),
    announce: () => undefined,
    bridgeOf: async () => undefined,
    portFacts: () => Promise.reject(new Error('nobody asks')),
  })
}

function callFor(pod: Scratch, config: JsonObject, containerId = 'c1'): PluginCallInside {
  return {
    ...{ containerId, ifname: 'net1', network: 'n', version: '1.0.0', ordinal: 1, plan: 'of a test', path: [] },
    config: { name: 'n', cniVersion: '1.0.0', ...config },
    origin: { kind: 'node' },
    args: NO_ARGS,
    netns: { fd: pod.nsFd, path: '/run/netns/gone' },
  }
}

function withoutNetns(config: JsonObject): Omit<PluginCallInside, 'netns'> {
  const { netns: _, ...call } = callFor(wire, config)
  return call
}

function atHome(): void {
  const { mac, mtu, alias, up } = linkGet(rtnl, OLD)
  equal(
    JSON.stringify({ mac, mtu, alias, up }),
    JSON.stringify({ mac: first?.mac, mtu: 1500, alias: 'for pods', up: true }),
  )
  equal(new NicNotes(stateDir).values().length, 0)
}

async function seen(isIt: (link: Link) => boolean): Promise<void> {
  while (!linkList(rtnl).some(isIt)) await Bun.sleep(20)
}

async function pings({ nsFd }: Scratch, address: string, ...words: readonly string[]): Promise<boolean> {
  const enter = ['nsenter', `--net=/proc/${process.pid}/fd/${nsFd}`]
  return (await run([...enter, 'ping', '-c', '2', '-W', '5', ...words, address])).code === 0
}
