/**
 * Pods as ports of OpenStack, in every mode, inside the guest that test/openstack/modes.test.ts starts: its kernel has VLANs and ipvlan.
 * Here are two nodes, each a namespace that has a card of the guest, which is a port of Neutron; on each the whole agent, and beside them
 * the controller with a clouds.yaml. Outside are the chassis that those cards are plugged into, as Nova would, OVN, Keystone and Neutron,
 * and the master. Prints what it sees, and ends with 1 when something is not as it should be.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { cloudOpener } from '../../src/cli/openstack.ts'
import { ControllerDaemon } from '../../src/controller/daemon.ts'
import { linkGet, linkList, netnsAdd, netnsOpen, openRtnl } from '../../src/linux/index.ts'
import { ip } from '../../src/network/model/address.ts'
import type { AddressMode } from '../../src/network/model/neutron.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { serveRegistry } from '../../src/registry/server.ts'
import { output, run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { address, newNetns } from '../openstack/cloud/links.ts'
import type { Binding, ModesPlan, PlannedNode, Questions } from '../openstack/cloud/modes-plan.ts'
import { pipe } from '../openstack/cloud/pipe.ts'
import { SAMPLE_CLUSTER } from '../tables/sample-node.ts'
import { HOST_CARD } from './guest.ts'
import { type GuestNode, startNodeAgent } from './guest-cluster.ts'
import { callAgent } from './guest-pod.ts'

/** The guest is emulated, and Neutron has one worker. */
const PATIENCE_MS = 600_000
const MODES: readonly AddressMode[] = ['trunk', 'pair', 'fixed']
const KINDS = { trunk: 'vlan', pair: 'ipvlan', fixed: 'ipvlan' } as const
/** Whose definitions may choose a node's ports. */
const TRUSTED = 'kube-system'
const ONE_GENEVE = 'ethernet ipv4 udp geneve ethernet ipv4 icmp'

/** A pod that has a port of a network. */
interface CloudPod {
  readonly name: string
  readonly netns: string
  readonly address: string
  readonly node: PlannedNode
  del(): Promise<void>
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ModesPlan
const outside = await reachHost()
for (const node of plan.nodes) await startNode(node)
await outside.plug()
for (const { name, addressing } of plan.nodes) {
  const [own = ''] = addressing.addresses
  await eventually(`the master reaches ${name}`, () => outside.masterReaches(own.split('/')[0] ?? ''), PATIENCE_MS)
  console.log(`${name} is up, with ${own}: it answers the master`)
}

const registry = new MemoryRegistry()
await registry.create('Cluster', 'default', SAMPLE_CLUSTER)
for (const name of [TRUSTED, 'shop']) await registry.create('Namespace', name, { name, uid: `${name}-${plan.id}` })
const folder = mkdtempSync(join(tmpdir(), 'weft-vm-'))
await serveRegistry(registry, { path: join(folder, 'registry.sock') })
for (const { name, addressing } of plan.nodes) {
  const addresses = addressing.addresses.map((one) => ip(one.split('/')[0] ?? ''))
  await registry.create('Node', name, { name, uid: `u-${name}`, addresses, labels: { name } })
}
const end = new AbortController()
const controlling = startController(end.signal)
const agents = new Map<string, GuestNode>()
for (const { name } of plan.nodes) {
  agents.set(name, await startNodeAgent(registry, folder, { node: name, netns: name, fd: netnsOpen(name) }))
  console.log(`the agent of ${name} answers`)
}
for (const mode of MODES) for (const node of plan.nodes) await makeNetwork(mode, node)
const pods: CloudPod[] = []
for (const mode of MODES) await showMode(mode)
await takeAway()
end.abort()
await controlling
console.log('as it should be')
process.exit(0)

/** The services of the cloud are as near as they are where they run. Gives what answers questions there. */
async function reachHost(): Promise<Questions> {
  const card = cardOf(HOST_CARD.mac)
  await output(['ip', 'addr', 'add', HOST_CARD.own, 'dev', card])
  await output(['ip', 'link', 'set', card, 'up'])
  const { host } = HOST_CARD
  for (const port of plan.services) await pipe({ host: '127.0.0.1', port }, { host, port })
  const ask = async <T>(question: keyof Questions, ...words: readonly string[]): Promise<T> => {
    const url = `http://${host}:${plan.outside}/${question}`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(words) })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as T
  }
  return {
    plug: () => ask('plug'),
    masterReaches: (to) => ask('masterReaches', to),
    capture: () => ask('capture'),
    layersBetween: (one, other) => ask('layersBetween', one, other),
    binding: (networkId, of) => ask('binding', networkId, of),
  }
}

function cardOf(mac: string | undefined): string {
  using rtnl = openRtnl()
  const card = linkList(rtnl).find((link) => link.mac === mac)
  ok(card !== undefined, `there is no card with ${mac}`)
  return card.name
}

/** What cloud-init would do: a namespace whose `eth0` is the card of a port. */
async function startNode({ name, addressing }: PlannedNode): Promise<void> {
  await newNetns(name)
  const card = cardOf(addressing.mac)
  await output(['ip', 'link', 'set', card, 'netns', name, 'name', 'eth0'])
  await address({ netns: name, ifname: 'eth0' }, addressing)
}

/** The daemon that `weft controller` is, with credentials from a file. */
function startController(signal: AbortSignal): Promise<void> {
  const file = join(folder, 'clouds.yaml')
  const auth = { auth_url: plan.authUrl, username: 'cni', password: 'cni', project_name: 'k8s' }
  const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
  writeFileSync(file, JSON.stringify({ clouds: { test: { auth: { ...auth, ...domains }, region_name: 'ovn' } } }))
  const said = (_: object, message: string): void => console.log(`  (controller: ${message})`)
  const log = { debug: () => undefined, info: () => undefined, warn: said, error: said }
  const openStack = cloudOpener({ cloud: undefined, file, log })
  return new ControllerDaemon({ registry, unreadable: new Map(), wish: {}, openStack, log, signal }).run()
}

/** A pool of ports on a node, and the definition by which pods ask for one. */
async function makeNetwork(mode: AddressMode, { name: node, networkId }: PlannedNode): Promise<void> {
  const name = `${mode}-${node}`
  await registry.create('NeutronNetwork', name, {
    ...{ name, network: networkId, mode, pool: { min: 1, max: 2, batch: 2 } },
    nodes: [{ key: 'name', operator: 'In', values: [node] }],
  })
  const config = JSON.stringify({ cniVersion: '1.0.0', name, type: 'neutron', network: name })
  await registry.create('AttachmentDefinition', `${TRUSTED}/${name}`, { namespace: TRUSTED, name, config })
}

/** Pods of both nodes are reached by the master, and reach each other and it; between chassis there is one encapsulation. */
async function showMode(mode: AddressMode): Promise<void> {
  const [near, far] = await Promise.all(plan.nodes.map((node) => attach(mode, node)))
  ok(near !== undefined && far !== undefined)
  pods.push(near, far)
  for (const pod of [near, far]) await showBinding(mode, pod)
  // The first packet comes from outside: nothing was heard of the pod but what was announced for it.
  for (const { name, address: to } of [near, far]) {
    await eventually(`the master reaches ${name}`, () => outside.masterReaches(to), PATIENCE_MS)
    console.log(`master → ${name} ${to}: an answer`)
  }
  for (const [from, to, target] of [
    [near, far.name, far.address],
    [far, near.name, near.address],
    [near, 'master', plan.master],
    [far, 'master', plan.master],
  ] as const) {
    await eventually(`${from.name} reaches ${to}`, () => pings(from.netns, target), PATIENCE_MS)
    console.log(`${from.name} ${from.address} → ${to} ${target}: an answer`)
  }
  for (const to of [far.address, plan.master]) {
    await outside.capture()
    ok(await pings(near.netns, to))
    const seen = await outside.layersBetween(near.address, to)
    console.log(`${mode}, ${near.address} ↔ ${to} between chassis: ${seen.join(' | ')}`)
    deepEqual(seen, [ONE_GENEVE])
  }
}

async function attach(mode: AddressMode, node: PlannedNode): Promise<CloudPod> {
  const agent = agents.get(node.name)
  ok(agent !== undefined)
  const { runDir } = agent
  const name = `${mode}-${node.name}`
  const pod = { name, namespace: 'shop', netns: `pod-${name}` }
  await registry.create('Pod', `shop/${name}`, {
    ...{ name, namespace: 'shop', uid: `u-${name}`, node: node.name, addresses: [] },
    wishes: { 'v1.multus-cni.io/default-network': `${TRUSTED}/${name}` },
  })
  const fd = netnsAdd(pod.netns)
  const config = { name: 'weft', type: 'weft' }
  const { ips } = await callAgent(runDir, pod, 'ADD', config)
  using rtnl = openRtnl({ nsFd: fd })
  const { kind, mac } = linkGet(rtnl, 'eth0')
  const addresses = ips.map((one) => one.address).join(' ')
  console.log(`${name}: eth0 is of kind ${kind}, with ${mac} ${addresses}`)
  equal(kind, KINDS[mode])
  equal(mac === node.addressing.mac, mode !== 'trunk')
  const del = async (): Promise<void> => void (await callAgent(runDir, pod, 'DEL', config))
  return { name, netns: pod.netns, address: addresses.split('/')[0] ?? '', node, del }
}

/**
 * How OVN has it: a part of a trunk is inside its node's port; a pair is a virtual port, which is where its address was announced; an
 * address more is the node's port itself.
 */
async function showBinding(mode: AddressMode, { name, address: own, node }: CloudPod): Promise<void> {
  const { networkId, portId } = node
  const none = { type: '', parent: '', virtualParent: '', hasChassis: true }
  const wanted = {
    trunk: { ...none, parent: portId },
    pair: { ...none, type: 'virtual', virtualParent: portId },
    fixed: none,
  }[mode]
  let seen: Binding | undefined
  const isThere = async (): Promise<boolean> => {
    seen = await outside.binding(networkId, own)
    return (
      isDeepStrictEqual(seen, { ...wanted, portId: seen.portId }) && (seen.portId === portId) === (mode === 'fixed')
    )
  }
  await eventually(`OVN has bound ${name}`, isThere, PATIENCE_MS)
  console.log(`${name}: OVN's Port_Binding of ${own} is ${JSON.stringify(seen)}`)
}

/** Pods and networks end, and all that was made for them goes. */
async function takeAway(): Promise<void> {
  for (const pod of pods) await pod.del()
  for (const mode of MODES) {
    for (const { name } of plan.nodes) await registry.delete('NeutronNetwork', `${mode}-${name}`)
  }
  const isLeft = async (): Promise<boolean> => (await registry.list('NodePorts')).objects.length > 0
  await eventually('every port is given back', async () => !(await isLeft()), PATIENCE_MS)
  console.log('every port is given back')
}

async function pings(netns: string, to: string): Promise<boolean> {
  return (await run(['ip', 'netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '5', to])).code === 0
}
