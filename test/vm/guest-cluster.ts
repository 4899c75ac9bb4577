/**
 * A cluster of two nodes inside the guest: namespaces on one segment, each with an Open vSwitch of its own on the kernel's datapath and
 * an agent as a process, around one registry in memory.
 * @module
 */
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentStatus } from '../../src/agent/control/facts.ts'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { linkAdd, netnsAdd, openRtnl } from '../../src/linux/index.ts'
import { familyOf } from '../../src/network/model/address.ts'
import type { Encapsulation, Fabric } from '../../src/network/model/cluster.ts'
import { type OvsSandbox, startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { serveRegistry } from '../../src/registry/server.ts'
import { output } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../tables/sample-node.ts'
import { besideMain } from './bundle.ts'
import { attachPod, type Pod, type PodWish } from './guest-pod.ts'

/** The guest is emulated, and two agents start at once. */
const PATIENCE_MS = 300_000
/** The tenants of the guest's cluster. */
const TENANTS = { shop: 42, bank: 77 } as const

/** A node of the guest's cluster. */
export interface GuestNode {
  readonly name: string
  readonly netns: string
  readonly fd: number
  /** Its agent's folder. */
  readonly runDir: string
  readonly ovs: OvsSandbox
  status(): Promise<AgentStatus>
  attach(wish: PodWish): Promise<Pod>
}

/** The cluster. It goes with the guest. */
export interface GuestCluster {
  readonly registry: MemoryRegistry
  readonly nodes: readonly [GuestNode, GuestNode]
  /** Changes the fabric, and waits until packets of both nodes take the way that it is of, in both families. */
  take(fabric: Fabric): Promise<void>
}

/** Starts it with a fabric, and tunnels of a kind. */
export async function startGuestCluster(
  fabric: Fabric,
  encapsulation: Encapsulation = SAMPLE_CLUSTER.encapsulation,
): Promise<GuestCluster> {
  const cluster = { ...SAMPLE_CLUSTER, encapsulation }
  const folder = mkdtempSync(join(tmpdir(), 'weft-vm-'))
  const registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', { ...cluster, fabric })
  for (const [namespace, vni] of Object.entries(TENANTS)) {
    await registry.create('Namespace', namespace, { name: namespace, uid: 'u' })
    await registry.create('Tenant', namespace, { namespace, vni })
  }
  await serveRegistry(registry, { path: join(folder, 'registry.sock') })
  const [one, two] = [makeNode(1), makeNode(2)]
  const near = openRtnl({ nsFd: one.fd })
  linkAdd(near, { kind: 'veth', name: 'up0', peer: { name: 'up0', nsFd: two.fd } })
  // One after the other: an emulated machine is slow enough.
  const nodes = [await startNode(registry, folder, one), await startNode(registry, folder, two)] as const
  await eventually('both agents are ready', async () => (await both(nodes)).every(({ ready }) => ready), PATIENCE_MS)

  const taken = (wanted: Fabric): Promise<void> =>
    eventually(`every way is of ${wanted.way}`, async () => isTaken(await both(nodes), wanted), PATIENCE_MS)
  await taken(fabric)
  const take = async (wanted: Fabric): Promise<void> => {
    const stored = await registry.get('Cluster', 'default')
    await registry.update('Cluster', 'default', { ...cluster, fabric: wanted }, stored?.revision ?? 0)
    await taken(wanted)
  }
  return { registry, nodes, take }
}

interface Place {
  readonly number: 1 | 2
  readonly netns: string
  readonly fd: number
}

function makeNode(number: 1 | 2): Place {
  const netns = `wefttest-vm-node${number}`
  return { number, netns, fd: netnsAdd(netns) }
}

/** A node with its addresses, an Open vSwitch and an agent that answers. */
async function startNode(registry: MemoryRegistry, folder: string, { number, netns, fd }: Place): Promise<GuestNode> {
  const self = sampleNode(number)
  const { node } = self
  await registry.create('NodeNetwork', node, self)
  for (const address of self.addresses) {
    const [length, ...more] = familyOf(address) === 4 ? ['24'] : ['64', 'nodad']
    await output(['ip', '-n', netns, 'addr', 'add', `${address}/${length}`, 'dev', 'up0', ...more])
  }
  for (const link of ['lo', 'up0']) await output(['ip', '-n', netns, 'link', 'set', link, 'up'])
  return await startNodeAgent(registry, folder, { node, netns, fd })
}

/** Where a node is. */
export interface NodePlace {
  readonly node: string
  readonly netns: string
  readonly fd: number
}

/** Starts an Open vSwitch in a node's namespace and the agent of the node, whose registry is behind a socket in the folder. */
export async function startNodeAgent(
  registry: MemoryRegistry,
  folder: string,
  { node, netns, fd }: NodePlace,
): Promise<GuestNode> {
  const ovs = await startOvsSandbox({ netns })
  mkdirSync(join(folder, node))
  symlinkSync(ovs.dir, join(folder, node, 'ovs'))
  // Not by `ip netns exec`: namespaces that are made later would be out of its sight.
  const words = [process.execPath, besideMain('node-agent.ts'), node, folder]
  const streams = { stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' } as const
  const agent = Bun.spawn(['nsenter', `--net=/run/netns/${netns}`, ...words], streams)
  // It would only say what it misses.
  process.on('exit', () => agent.kill('SIGKILL'))
  const runDir = join(folder, node, 'run')
  const client = new AgentClient({ path: join(runDir, 'agent.sock'), node })
  const started: GuestNode = {
    name: node,
    netns,
    fd,
    runDir,
    ovs,
    status: () => client.status(),
    attach: (wish) => attachPod({ registry, node, runDir }, wish),
  }
  await eventually(`the agent of ${node} answers`, async () => (await both([started])).length > 0, PATIENCE_MS)
  return started
}

/** What both say of themselves; nothing while one does not answer. */
async function both(nodes: readonly GuestNode[]): Promise<readonly AgentStatus[]> {
  return await Promise.all(nodes.map((node) => node.status())).catch(() => [])
}

function isTaken(statuses: readonly AgentStatus[], { way }: Fabric): boolean {
  const isRight = ({ peers, bgp }: AgentStatus): boolean =>
    peers.length === 1 &&
    peers.every(({ ways = [] }) => ways.length === 2 && ways.every((one) => one.way === way)) &&
    (way !== 'bgp' || (bgp?.sessions.length === 2 && bgp.sessions.every(({ isUp }) => isUp)))
  return statuses.length === 2 && statuses.every(isRight)
}
