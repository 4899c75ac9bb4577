/**
 * Brings a playground up, from nothing to pods with addresses.
 * @module
 */
import { existsSync } from 'node:fs'
import type { KubeApi } from '../kube/api.ts'
import { DEPLOYMENTS, NAMESPACES, PODS, SERVICES } from '../kube/resources.ts'
import type { Registry } from '../registry/registry.ts'
import { playApi, playRegistry } from './api-client.ts'
import { DEMO_NAMESPACES, DEMO_SERVICES, demoPods } from './demo.ts'
import { dnsObjects } from './dns/objects.ts'
import { PlaygroundError } from './errors.ts'
import { type Datapath, joinWire, kernelDatapath, startSwitch } from './lab/switch.ts'
import { makeUnderlay, makeWire, plugInNode } from './lab/underlay.ts'
import { type Layout, type NodeLayout, nodeLayouts } from './layout.ts'
import { announceNodes, ensure, writeCluster, writeServices } from './objects.ts'
import { clusterOf, type Shape } from './options.ts'
import { addPods, isReady } from './pods.ts'
import { isAlive, lastWords, startProcess, until } from './processes.ts'
import type { Progress } from './progress.ts'
import { selfCommand } from './self.ts'
import { makeFolders, readState, writeState } from './state.ts'

const PATIENCE = 30_000

/** Brings a playground up where there is none. Leaves what it made when it fails: see `tearDown`. */
export async function bringUp(layout: Layout, shape: Shape, progress: Progress): Promise<void> {
  makeFolders(layout)
  const datapath = await kernelDatapath()
  writeState(layout, { version: 1, shape, datapath, complete: false })
  const nodes = nodeLayouts(layout, shape.nodes)
  await progress.step(`Laying the physical network and starting Open vSwitch on ${plural(nodes.length, 'node')}`, () =>
    makeNodes(layout, nodes, datapath, shape),
  )
  await progress.step('Starting API server and controller', () => startCluster(layout, shape))
  const api = playApi(layout)
  try {
    await progress.step(`Starting kubelets, scheduler and ${plural(nodes.length, 'agent')}`, () =>
      startNodes(layout, nodes, datapath, playRegistry(api)),
    )
    const pods = demoPods(shape.nodes)
    await progress.step(`Attaching ${plural(pods.length, 'pod')} through the CNI plugin`, () => addPods(api, pods))
    await progress.step('Starting DNS', () => startDns(api, shape))
  } finally {
    api.close()
  }
  writeState(layout, { version: 1, shape, datapath, complete: true })
}

/** A number with its noun. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

async function makeNodes(
  layout: Layout,
  nodes: readonly NodeLayout[],
  datapath: Datapath,
  { physical }: Shape,
): Promise<void> {
  makeUnderlay(layout)
  for (const node of nodes) plugInNode(layout, node)
  if (physical !== undefined) makeWire(layout, nodes, physical)
  const start = async (node: NodeLayout, index: number): Promise<void> => {
    await startSwitch(layout, node, datapath)
    if (physical !== undefined) await joinWire(node, datapath, physical, index + 1)
  }
  await Promise.all(nodes.map(start))
}

async function startCluster(layout: Layout, shape: Shape): Promise<void> {
  const pid = startApi(layout)
  await waitFor(layout, new Map([['api', pid]]), 'the API server answers', () => answers(layout))
  const api = playApi(layout)
  try {
    await writeCluster(api, clusterOf(shape), DEMO_NAMESPACES)
    await writeServices(api, DEMO_SERVICES)
    await announceNodes(api, nodeLayouts(layout, shape.nodes))
    const registry = playRegistry(api)
    const controller = startController(layout)
    await waitFor(
      layout,
      new Map([['controller', controller]]),
      'the controller gives namespaces their share',
      async () => {
        const { objects } = await registry.list('Tenant')
        return DEMO_NAMESPACES.every((name) => objects.some(({ value }) => value.namespace === name))
      },
    )
  } finally {
    api.close()
  }
}

async function answers({ kubeconfig, runDir }: Layout): Promise<boolean> {
  if (!existsSync(kubeconfig)) return false
  const api = playApi({ kubeconfig, runDir })
  try {
    await api.list(NAMESPACES)
    return true
  } catch {
    return false
  } finally {
    api.close()
  }
}

async function startNodes(
  layout: Layout,
  nodes: readonly NodeLayout[],
  datapath: Datapath,
  registry: Registry,
): Promise<void> {
  const pids = new Map([['daemon', startDaemon(layout)]])
  for (const node of nodes) pids.set(`${node.name}-agent`, startAgent(layout, node, datapath))
  await waitFor(layout, pids, 'every node is ready', async () => {
    const { objects } = await registry.list('NodeNetwork')
    const ready = new Set(objects.flatMap(({ name, value }) => (value.status?.ready === true ? [name] : [])))
    return nodes.every(({ name }) => ready.has(name))
  })
}

/** DNS, as a cluster has it: a service and the pods behind it. */
async function startDns(api: KubeApi, shape: Shape): Promise<void> {
  const { serviceNetworks } = clusterOf(shape)
  const objects = dnsObjects({ serviceNetworks, image: 'weft.dev/dns', command: ['sleep', 'infinity'] })
  for (const object of objects) await ensure(api, object.kind === 'Service' ? SERVICES : DEPLOYMENTS, object)
  const isServing = async (): Promise<boolean> => {
    const { items } = await api.list(PODS, { namespace: 'kube-system', labelSelector: 'k8s-app=kube-dns' })
    return items.some(isReady)
  }
  if (await until(isServing, PATIENCE)) return
  throw new PlaygroundError('PLAY_TIMEOUT', `DNS is not ready after ${PATIENCE / 1000} s`, '`weft play status`')
}

/** Starts the API server; its state outlives it. */
export function startApi(layout: Layout): number {
  return startProcess(layout, { role: 'api', argv: selfCommand('play', 'api', '--run-dir', layout.runDir) })
}

function startDaemon(layout: Layout): number {
  return startProcess(layout, { role: 'daemon', argv: selfCommand('play', 'daemon', '--run-dir', layout.runDir) })
}

function startController(layout: Layout): number {
  return startProcess(layout, {
    role: 'controller',
    // The only one: after its end another takes over without waiting for a lease.
    argv: selfCommand(...controllerArguments(layout), ...configOf(layout)),
  })
}

function controllerArguments({ kubeconfig, runDir }: Layout): readonly string[] {
  return ['controller', '--kubeconfig', kubeconfig, '--run-dir', runDir, '--no-election']
}

/** The option that names the settings file of this playground. */
function configOf(layout: Layout): readonly string[] {
  const config = readState(layout)?.shape.config
  return config === undefined ? [] : ['--config', config]
}

/** Starts a node's agent, inside the node's namespace. */
export function startAgent(layout: Layout, node: NodeLayout, datapath: Datapath): number {
  const place = { kubeconfig: layout.socketKubeconfig }
  const argv = selfCommand(...agentArguments(node, datapath, place), ...configOf(layout))
  return startProcess(layout, { role: `${node.name}-agent`, argv, netns: node.netns })
}

/** How a node's agent is run: `weft` with these arguments. `place` is the option that says where shared state is. */
export function agentArguments(
  node: NodeLayout,
  datapath: Datapath,
  place: Readonly<Record<string, string>>,
): readonly string[] {
  const options = {
    node: node.name,
    ...place,
    ovsdb: node.ovsdbSocket,
    'ovs-run-dir': node.ovsDir,
    'run-dir': node.agentDir,
    'state-dir': node.stateDir,
    datapath,
  }
  return ['agent', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
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
