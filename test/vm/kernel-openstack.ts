/**
 * Pods as ports of OpenStack, in every mode, inside the guest that test/openstack/modes.test.ts starts: its kernel has VLANs and ipvlan.
 * Keystone, Neutron and OVN's databases are on the machine that runs the guest. Here are three chassis with a machine on each, of which two
 * are nodes with the whole agent, and the controller with a clouds.yaml. Prints what it sees, and ends with 1 when something is not as it
 * should be.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cloudOpener } from '../../src/cli/openstack.ts'
import { ControllerDaemon } from '../../src/controller/daemon.ts'
import { linkGet, linkList, netnsAdd, netnsOpen, openRtnl } from '../../src/linux/index.ts'
import { ip } from '../../src/network/model/address.ts'
import type { AddressMode } from '../../src/network/model/neutron.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { serveRegistry } from '../../src/registry/server.ts'
import { output, run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { Chassis } from '../openstack/cloud/chassis.ts'
import { Cloud } from '../openstack/cloud/cloud.ts'
import { layersOf } from '../openstack/cloud/layers.ts'
import type { ModesPlan } from '../openstack/cloud/modes-plan.ts'
import { pipe } from '../openstack/cloud/pipe.ts'
import { Underlay } from '../openstack/cloud/underlay.ts'
import { VirtualMachine } from '../openstack/cloud/virtual-machine.ts'
import { SAMPLE_CLUSTER } from '../tables/sample-node.ts'
import { HOST_CARD } from './guest.ts'
import { type GuestNode, startNodeAgent } from './guest-cluster.ts'
import { callAgent } from './guest-pod.ts'

/** The guest is emulated, and Neutron has one worker. */
const PATIENCE_MS = 300_000
const MODES: readonly AddressMode[] = ['trunk', 'pair', 'fixed']
const KINDS = { trunk: 'vlan', pair: 'ipvlan', fixed: 'ipvlan' } as const
const ONE_GENEVE = 'ethernet ipv4 udp geneve ethernet ipv4 icmp'

/** A pod that has a port of a network. */
interface CloudPod {
  readonly name: string
  readonly netns: string
  readonly address: string
  del(): Promise<void>
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ModesPlan
await reachHost()
const cloud = await Cloud.start(['ovn'])
const underlay = await Underlay.start()
const chassis = new Map<string, Chassis>()
const machines = new Map<string, VirtualMachine>()
for (const { name, portId } of plan.machines) {
  const one = await Chassis.start(underlay, cloud.ovn, name)
  chassis.set(name, one)
  console.log(`chassis ${one.name}`)
  const machine = await VirtualMachine.start(one, { name: `vm-${name}`, admin: cloud.client('ovn', 'admin'), portId })
  machines.set(name, machine)
  console.log(`${name} is up, with ${machine.nics[0]?.addressing.addresses}`)
}
const [master, ...workers] = plan.machines
ok(master !== undefined && workers.length === 2)

const registry = new MemoryRegistry()
await registry.create('Cluster', 'default', SAMPLE_CLUSTER)
for (const name of ['kube-system', 'shop'])
  await registry.create('Namespace', name, { name, uid: `${name}-${plan.id}` })
const folder = mkdtempSync(join(tmpdir(), 'weft-vm-'))
await serveRegistry(registry, { path: join(folder, 'registry.sock') })
for (const { name, address } of workers) {
  await registry.create('Node', name, { name, uid: `u-${name}`, addresses: [ip(address)], labels: { name } })
}
const end = new AbortController()
const controlling = startController(end.signal)
const nodes = new Map<string, GuestNode>()
for (const { name } of workers) {
  const { netns } = of(machines, name)
  nodes.set(name, await startNodeAgent(registry, folder, { node: name, netns, fd: netnsOpen(netns) }))
  console.log(`the agent of ${name} answers`)
}
for (const mode of MODES) {
  for (const { name, networkId } of workers) {
    await registry.create('NeutronNetwork', `${mode}-${name}`, {
      ...{ name: `${mode}-${name}`, network: networkId, mode, pool: { min: 1, max: 2, batch: 2 } },
      nodes: [{ key: 'name', operator: 'In', values: [name] }],
    })
  }
}
const pods: CloudPod[] = []
for (const mode of MODES) await showMode(mode)
await takeAway()
for (const one of machines.values()) await one.stop()
for (const one of chassis.values()) await one.stop()
end.abort()
await controlling
console.log('as it should be')
process.exit(0)

/** The services of the cloud are as near as they are where they run. */
async function reachHost(): Promise<void> {
  using rtnl = openRtnl()
  const card = linkList(rtnl).find(({ mac }) => mac === HOST_CARD.mac)
  ok(card !== undefined, 'there is no card to the host')
  await output(['ip', 'addr', 'add', HOST_CARD.own, 'dev', card.name])
  await output(['ip', 'link', 'set', card.name, 'up'])
  const { host } = HOST_CARD
  for (const port of plan.services) await pipe({ host: '127.0.0.1', port }, { host, port })
  for (const [which, port] of Object.entries(plan.databases)) {
    const socket = join(process.env['WEFT_TEST_CLOUD'] ?? '', 'ovn', which)
    mkdirSync(socket, { recursive: true })
    await pipe({ path: join(socket, 'db.sock') }, { host, port })
  }
}

/** The daemon that `weft controller` is, with credentials from a file. */
function startController(signal: AbortSignal): Promise<void> {
  const file = join(folder, 'clouds.yaml')
  const auth = { auth_url: cloud.authUrl, username: 'cni', password: 'cni', project_name: 'k8s' }
  const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
  writeFileSync(file, JSON.stringify({ clouds: { test: { auth: { ...auth, ...domains }, region_name: 'ovn' } } }))
  const said = (_: object, message: string): void => console.log(`  (controller: ${message})`)
  const log = { debug: () => undefined, info: () => undefined, warn: said, error: said }
  const openStack = cloudOpener({ cloud: undefined, file, log })
  return new ControllerDaemon({ registry, unreadable: new Map(), wish: {}, openStack, log, signal }).run()
}

/** Pods of both nodes reach each other through the router, and the master; between chassis there is one encapsulation. */
async function showMode(mode: AddressMode): Promise<void> {
  const [near, far] = await Promise.all(workers.map(({ name }) => attach(mode, name)))
  ok(near !== undefined && far !== undefined && master !== undefined)
  pods.push(near, far)
  for (const [from, to, address] of [
    [near, far.name, far.address],
    [far, near.name, near.address],
    [near, 'master', master.address],
    [far, 'master', master.address],
  ] as const) {
    const begun = performance.now()
    await eventually(`${from.name} reaches ${to}`, () => pings(from.netns, address), PATIENCE_MS)
    console.log(`${from.name} → ${to} ${address}: an answer (${Math.round((performance.now() - begun) / 1000)} s)`)
  }
  await eventually(`the master reaches ${near.name}`, () => of(machines, 'master').reaches(near.address), PATIENCE_MS)
  console.log(`master → ${near.name} ${near.address}: an answer`)
  for (const to of [far.address, master.address]) {
    const seen = await captured(near, to)
    console.log(`${mode}, ${near.address} → ${to} between chassis: ${[...seen].join(' | ')}`)
    deepEqual([...seen], [ONE_GENEVE])
  }
}

async function attach(mode: AddressMode, node: string): Promise<CloudPod> {
  const { runDir } = of(nodes, node)
  const name = `${mode}-${node}`
  const pod = { name, namespace: 'shop', netns: underlay.netns(name) }
  await registry.create('Pod', `shop/${name}`, { name, namespace: 'shop', uid: `u-${name}`, node, addresses: [] })
  const fd = netnsAdd(pod.netns)
  const config = { name: 'cloud', type: 'neutron', network: name }
  const { ips } = await callAgent(runDir, pod, 'ADD', config)
  using rtnl = openRtnl({ nsFd: fd })
  const { kind, mac } = linkGet(rtnl, 'eth0')
  const addresses = ips.map((one) => one.address).join(' ')
  console.log(`${name}: eth0 is of kind ${kind}, with ${mac} ${addresses}`)
  equal(kind, KINDS[mode])
  const del = async (): Promise<void> => void (await callAgent(runDir, pod, 'DEL', config))
  return { name, netns: pod.netns, address: addresses.split('/')[0] ?? '', del }
}

/** What packets of a pod to an address are made of where its chassis sends them. */
async function captured(from: CloudPod, to: string): Promise<ReadonlySet<string>> {
  const capture = of(chassis, 'worker1').capture()
  try {
    ok(await pings(from.netns, to))
  } finally {
    capture.close()
  }
  const addresses = Buffer.from([from.address, to].flatMap((one) => one.split('.').map(Number)))
  const frames = capture.frames.filter((frame) => Buffer.from(frame).includes(addresses))
  return new Set(frames.map((frame) => layersOf(frame).join(' ')))
}

/** Pods and networks end, and all that was made for them goes. */
async function takeAway(): Promise<void> {
  for (const pod of pods) await pod.del()
  for (const mode of MODES) for (const { name } of workers) await registry.delete('NeutronNetwork', `${mode}-${name}`)
  const isLeft = async (): Promise<boolean> => (await registry.list('NodePorts')).objects.length > 0
  await eventually('every port is given back', async () => !(await isLeft()), PATIENCE_MS)
  console.log('every port is given back')
}

async function pings(netns: string, address: string): Promise<boolean> {
  return (await run(['ip', 'netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '5', address])).code === 0
}

function of<V>(map: ReadonlyMap<string, V>, key: string): V {
  const value = map.get(key)
  ok(value !== undefined, `there is no ${key}`)
  return value
}
