/**
 * Brings a playground up, from nothing to pods with addresses.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs'
import { RegistryClient } from '../registry/client.ts'
import type { Registry } from '../registry/registry.ts'
import { readSurroundings, writeCluster } from './cluster.ts'
import { runDaemonProcess, syncDaemon } from './daemon.ts'
import { DEMO_NAMESPACES, demoPods } from './demo.ts'
import { PlaygroundError } from './errors.ts'
import { type Datapath, kernelDatapath, startSwitch } from './lab/switch.ts'
import { makeUnderlay, plugInNode } from './lab/underlay.ts'
import { type Layout, type NodeLayout, nodeLayouts } from './layout.ts'
import type { Shape } from './options.ts'
import { addPods } from './pods.ts'
import { isAlive, lastWords, startProcess, until } from './processes.ts'
import type { Progress } from './progress.ts'
import { selfCommand } from './self.ts'
import { makeFolders, writeState } from './state.ts'

const PATIENCE = 30_000

/** Brings a playground up where there is none. Leaves what it made when it fails: see `tearDown`. */
export async function bringUp(layout: Layout, shape: Shape, progress: Progress): Promise<void> {
  makeFolders(layout)
  const datapath = await kernelDatapath()
  writeState(layout, { version: 1, shape, datapath, complete: false })
  const nodes = nodeLayouts(layout, shape.nodes)
  const registry = new RegistryClient(layout.registrySocket)
  await progress.step(`Laying the physical network and starting Open vSwitch on ${plural(nodes.length, 'node')}`, () =>
    makeNodes(layout, nodes, datapath),
  )
  await progress.step('Starting registry and controller', () => startCluster(layout, shape, registry))
  await progress.step(`Starting ${plural(nodes.length, 'agent')}`, () => startAgents(layout, nodes, datapath, registry))
  const pods = demoPods(shape.nodes)
  await progress.step(`Attaching ${plural(pods.length, 'pod')} through the CNI plugin`, () =>
    addPods(layout, registry, pods),
  )
  writeState(layout, { version: 1, shape, datapath, complete: true })
}

/** A number with its noun. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

async function makeNodes(layout: Layout, nodes: readonly NodeLayout[], datapath: Datapath): Promise<void> {
  makeUnderlay(layout)
  for (const node of nodes) plugInNode(layout, node)
  const daemon = runDaemonProcess(layout)
  await Promise.all(nodes.map((node) => startSwitch(layout, node, datapath)))
  await waitForSocket(layout, 'daemon', daemon, layout.daemonSocket)
  await syncDaemon(layout)
}

async function startCluster(layout: Layout, shape: Shape, registry: Registry): Promise<void> {
  const pid = startRegistry(layout)
  // Its socket is there a moment before it listens.
  await waitFor(layout, new Map([['registry', pid]]), 'the registry answers', () =>
    registry.list('Cluster').then(
      () => true,
      () => false,
    ),
  )
  await writeCluster(registry, layout, shape)
  const controller = startProcess(layout, {
    role: 'controller',
    argv: selfCommand('controller', '--registry', `unix:${layout.registrySocket}`),
  })
  await waitFor(
    layout,
    new Map([['controller', controller]]),
    'the controller gives namespaces and nodes their share',
    async () => {
      const { tenants, nodes } = await readSurroundings(registry)
      return DEMO_NAMESPACES.every((name) => tenants.some((t) => t.namespace === name)) && nodes.length === shape.nodes
    },
  )
}

async function startAgents(
  layout: Layout,
  nodes: readonly NodeLayout[],
  datapath: Datapath,
  registry: Registry,
): Promise<void> {
  const pids = new Map(nodes.map((node) => [`${node.name}-agent`, startAgent(layout, node, datapath)]))
  await waitFor(layout, pids, 'every node is ready', async () => {
    const { nodes: networks } = await readSurroundings(registry)
    return networks.length === nodes.length && networks.every(({ status }) => status?.ready === true)
  })
}

/** Starts the registry; its state outlives it. */
export function startRegistry(layout: Layout): number {
  const argv = selfCommand('registry', '--socket', layout.registrySocket, '--state', layout.registryState)
  return startProcess(layout, { role: 'registry', argv })
}

/** Starts a node's agent, inside the node's namespace. */
export function startAgent(layout: Layout, node: NodeLayout, datapath: Datapath): number {
  mkdirSync(node.agentDir, { recursive: true, mode: 0o700 })
  const options = {
    node: node.name,
    registry: `unix:${layout.registrySocket}`,
    ovsdb: node.ovsdbSocket,
    'ovs-run-dir': node.ovsDir,
    'run-dir': node.agentDir,
    datapath,
  }
  const argv = selfCommand('agent', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]))
  return startProcess(layout, { role: `${node.name}-agent`, argv, netns: node.netns })
}

function waitForSocket(layout: Layout, role: string, pid: number, socket: string): Promise<void> {
  return waitFor(layout, new Map([[role, pid]]), `the ${role} listens`, async () => existsSync(socket))
}

/** Waits for something that processes are to bring about; fails at once when one of them ends. */
async function waitFor(
  layout: Layout,
  pids: ReadonlyMap<string, number>,
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const dead = (): string | undefined => [...pids].find(([, pid]) => !isAlive(pid))?.[0]
  const done = await until(async () => dead() !== undefined || (await holds()), PATIENCE)
  const role = dead()
  const log = `its log is in ${layout.logDir}`
  if (role !== undefined) {
    throw new PlaygroundError('PLAY_PROCESS', `${role} ended: ${lastWords(layout, role)}`, log)
  }
  if (!done) {
    const words = [...new Set([...pids.keys()].map((name) => lastWords(layout, name)))].filter((line) => line !== '')
    throw new PlaygroundError('PLAY_TIMEOUT', `waited ${PATIENCE / 1000} s until ${what}: ${words.join(' | ')}`, log)
  }
}
