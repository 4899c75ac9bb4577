/**
 * Where things are measured: two nodes as in the playground (a namespace, an Open vSwitch of its own, an agent each),
 * registry and controller, and beside them a namespace in which the peer's plugin makes its bridge.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { netnsOpen } from '../../src/linux/netns.ts'
import { closeFd } from '../../src/linux/socket.ts'
import { cidr } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import { agentArguments } from '../../src/playground/bring-up.ts'
import { addNamespace } from '../../src/playground/lab/namespaces.ts'
import { startSwitch } from '../../src/playground/lab/switch.ts'
import { makeUnderlay, plugInNode } from '../../src/playground/lab/underlay.ts'
import { type Layout, layoutOf, type NodeLayout, nodeLayouts } from '../../src/playground/layout.ts'
import { DEFAULT_SHAPE } from '../../src/playground/options.ts'
import { isAlive, lastWords, startProcess, until } from '../../src/playground/processes.ts'
import { makeFolders, writeState } from '../../src/playground/state.ts'
import { tearDown } from '../../src/playground/tear-down.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Plugin, Sandbox } from './plugin.ts'
import { OUR_PLUGIN, PEER_PLUGIN, PEER_PLUGINS, statusOf, weft } from './program.ts'

const NODES = 2
/** The tenant that measured pods belong to. */
export const TENANT = 'bench'
const PATIENCE_MS = 30_000

/** 4,094 pods on a node: addresses rest between uses. */
const CLUSTER: Cluster = {
  networks: [
    { cidr: cidr('10.128.0.0/14'), hostBits: 12 },
    { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
  ],
  serviceNetworks: [],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

/** A running rig. */
export class Rig {
  readonly layout: Layout
  readonly registry: RegistryClient
  readonly #registrySocket: string
  readonly nodes: readonly NodeLayout[]
  readonly fromSource: boolean
  /** Where the controller looks for a cloud when somebody asks for ports of one; nobody has written it yet. */
  readonly cloudsFile: string
  readonly #descriptors = new Map<string, number>()
  readonly #agents = new Map<string, number>()
  #sandboxes = 0

  constructor(runDir: string, fromSource: boolean) {
    this.layout = layoutOf(runDir)
    this.#registrySocket = join(this.layout.runDir, 'registry.sock')
    this.registry = new RegistryClient(this.#registrySocket)
    this.nodes = nodeLayouts(this.layout, NODES)
    this.fromSource = fromSource
    this.cloudsFile = join(this.layout.runDir, 'clouds.yaml')
  }

  /** Starts everything; resolves when both nodes are ready. */
  async start(): Promise<void> {
    makeFolders(this.layout)
    // What its folder is known by when it is removed.
    const shape = { ...DEFAULT_SHAPE, nodes: NODES }
    writeState(this.layout, { version: 1, shape, datapath: 'netdev', complete: true })
    makeUnderlay(this.layout)
    for (const node of this.nodes) plugInNode(this.layout, node)
    addNamespace(this.layout, this.#peerNetns)
    await Promise.all(this.nodes.map((node) => startSwitch(this.layout, node, 'netdev')))
    const registrySocket = this.#registrySocket
    this.#run('registry', weft(this.fromSource, 'registry', '--socket', registrySocket))
    await this.#wait('the registry listens', async () => existsSync(registrySocket))
    await this.registry.create('Cluster', 'default', CLUSTER)
    for (const { name, addresses } of this.nodes) {
      await this.registry.create('Node', name, { name, uid: `uid-${name}`, addresses })
    }
    await this.registry.create('Namespace', TENANT, { name: TENANT, uid: `uid-${TENANT}` })
    this.#run(
      'controller',
      weft(
        this.fromSource,
        ...['controller', '--registry', `unix:${registrySocket}`, '--openstack-clouds-file', this.cloudsFile],
      ),
    )
    for (const node of this.nodes) this.startAgent(node)
    await this.#wait('every node is ready', async () => {
      const { objects } = await this.registry.list('NodeNetwork')
      return objects.length === NODES && objects.every(({ value }) => value.status?.ready === true)
    })
  }

  /** A node by its place, from 0. */
  node(index: number): NodeLayout {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  /** Starts a node's agent. */
  startAgent(node: NodeLayout): number {
    const options = agentArguments(node, 'netdev', { registry: `unix:${this.#registrySocket}` })
    const argv = weft(this.fromSource, ...options)
    const pid = this.#run(`${node.name}-agent`, argv, node.netns)
    this.#agents.set(node.name, pid)
    return pid
  }

  /** Kills a node's agent as a crash would. */
  killAgent(node: NodeLayout): void {
    const pid = this.#agents.get(node.name)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    this.#agents.delete(node.name)
  }

  agentPid(node: NodeLayout): number {
    return this.#agents.get(node.name) ?? 0
  }

  /** Our plugin on a node. */
  ours(node: NodeLayout = this.node(0)): Plugin {
    return {
      name: 'weft',
      path: OUR_PLUGIN,
      node: this.#descriptor(node.netns),
      config: { cniVersion: '1.0.0', name: 'weft', type: 'weft' },
      environment: { CNI_PATH: '/nowhere', WEFT_CNI_SOCKET: node.cniSocket },
    }
  }

  /** The peer: `bridge` with `host-local`, IPv4 only (with IPv6 it waits a second for duplicate address detection). */
  peer(): Plugin {
    return {
      name: 'bridge',
      path: PEER_PLUGIN,
      node: this.#descriptor(this.#peerNetns),
      config: {
        cniVersion: '1.0.0',
        name: 'peer',
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        ipam: {
          type: 'host-local',
          dataDir: join(this.layout.runDir, 'host-local'),
          ranges: [[{ subnet: '10.200.0.0/20' }]],
        },
      },
      environment: { CNI_PATH: PEER_PLUGINS },
    }
  }

  /** Namespaces of pods to be, made beforehand. */
  sandboxes(count: number, namespace: string = TENANT): readonly Sandbox[] {
    return Array.from({ length: count }, () => {
      this.#sandboxes += 1
      const id = `${this.layout.prefix}-pod-${this.#sandboxes}`
      addNamespace(this.layout, id)
      return { id, netns: id, namespace }
    })
  }

  /** Ends everything and removes every trace. */
  async stop(): Promise<void> {
    for (const fd of this.#descriptors.values()) closeFd(fd)
    this.#descriptors.clear()
    await tearDown(this.layout)
  }

  get #peerNetns(): string {
    return `${this.layout.prefix}-peer`
  }

  #descriptor(netns: string): number {
    const known = this.#descriptors.get(netns)
    if (known !== undefined) return known
    const fd = netnsOpen(netns)
    this.#descriptors.set(netns, fd)
    return fd
  }

  #run(role: string, argv: readonly string[], netns?: string): number {
    return startProcess(this.layout, { role, argv, ...(netns === undefined ? {} : { netns }) })
  }

  async #wait(what: string, holds: () => Promise<boolean>): Promise<void> {
    if (await until(holds, PATIENCE_MS)) return
    const words = this.nodes.map(({ name }) => lastWords(this.layout, `${name}-agent`)).join(' | ')
    throw new Error(`waited ${PATIENCE_MS / 1000} s until ${what}: ${words}`)
  }

  /** Waits until a node's agent answers for its node again. */
  async ready(node: NodeLayout): Promise<void> {
    await this.#wait(`${node.name}'s agent is ready`, async () => {
      if (!isAlive(this.agentPid(node)))
        throw new Error(`the agent ended: ${lastWords(this.layout, `${node.name}-agent`)}`)
      return (await statusOf(node))?.ready === true
    })
  }
}
