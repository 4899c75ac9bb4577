/**
 * A Kubernetes of several nodes on one machine, of Kubernetes' own programs, Debian's containerd and Open vSwitch, each
 * node with namespaces of its own. It brings no pod network: that is what it is for.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs'
import type { Cidr } from '../../src/network/model/address.ts'
import { joinWire, startSwitch } from '../../src/playground/lab/switch.ts'
import { makeUnderlay, makeWire, plugInNode } from '../../src/playground/lab/underlay.ts'
import { makeFolders, writeState } from '../../src/playground/state.ts'
import { type Outcome, type RunOptions, run } from '../lab/command.ts'
import { makeKeys } from './certificates.ts'
import { CONTROL_PARTS, startControlPart } from './control-plane.ts'
import { makeImages } from './image.ts'
import { startKubeProxy } from './kube-proxy.ts'
import { startKubelet } from './kubelet.ts'
import { inNode, startHost } from './node-host.ts'
import { inControl, type NodePlace, type Places, pkiFile } from './places.ts'
import { waitFor } from './programs.ts'
import { removeCluster } from './remove.ts'
import { importImages, startRuntime } from './runtime.ts'

export type Say = (line: string) => void

/** What a rig has beside what it needs. */
export interface ClusterOptions {
  /** A kube-proxy on every node. */
  readonly kubeProxy?: boolean
  /** Networks of a second wire, with a bridge `br1` on every node. */
  readonly physical?: readonly Cidr[]
}

/** A rig that is up. */
export class Cluster {
  readonly places: Places

  constructor(places: Places) {
    this.places = places
  }

  /** Brings one up where there is none; every node is registered, and NotReady. Leaves nothing when it fails. */
  static async up(places: Places, say: Say, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(places)
    try {
      await cluster.#bringUp(say, options)
      return cluster
    } catch (error) {
      await removeCluster(places)
      throw error
    }
  }

  /** Removes it without trace. */
  async down(): Promise<void> {
    await removeCluster(this.places)
  }

  /** `kubectl …`, as an administrator, from the control plane's network. */
  kubectl(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.kubectlCommand(args), options)
  }

  /** How `kubectl …` is run. */
  kubectlCommand(args: readonly string[]): readonly string[] {
    const kubectl = `${this.places.assets}/kubectl`
    return [...inControl(this.places), kubectl, `--kubeconfig=${pkiFile(this.places, 'admin.kubeconfig')}`, ...args]
  }

  /** `kubectl …` that must succeed: what it printed. Throws with what it complained about. */
  async ask(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
    return stdout.trimEnd()
  }

  /** `kubectl get … -o json`, parsed. */
  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ask('get', ...args, '-o', 'json')) as T
  }

  /** `kubectl apply` of objects. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    const { code, stderr } = await this.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
    if (code !== 0) throw new Error(`kubectl apply: ${stderr.trim()}`)
  }

  /** Node number `index`, from 1. */
  node(index: number): NodePlace {
    const node = this.places.nodes[index - 1]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  /** Runs a program on a node, in its namespaces. */
  onNode(node: NodePlace, argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.nodeCommand(node, argv), options)
  }

  /** How a program is run on a node. */
  nodeCommand(node: NodePlace, argv: readonly string[]): readonly string[] {
    return [...inNode(this.places, node), ...argv]
  }

  /** Names of nodes that are Ready. */
  async readyNodes(): Promise<readonly string[]> {
    const { items } = await this.get<{ readonly items: readonly NodeObject[] }>('nodes')
    return items.filter(isReady).map(({ metadata }) => metadata.name)
  }

  async #bringUp(say: Say, { kubeProxy = false, physical }: ClusterOptions): Promise<void> {
    const { layout, nodes } = this.places
    if (existsSync(layout.stateFile)) throw new Error(`there is a rig in ${layout.runDir} already; remove it first`)
    makeFolders(layout)
    writeState(layout, {
      version: 1,
      shape: { nodes: nodes.length, underlay: 4, encapsulation: 'vxlan' },
      datapath: 'netdev',
      complete: false,
    })
    say('Making keys and images')
    const [archive] = await Promise.all([makeImages(this.places.images), makeKeys(this.places)])
    say('Laying the physical network and starting Open vSwitch')
    makeUnderlay(layout)
    for (const node of nodes) plugInNode(layout, node)
    if (physical !== undefined) makeWire(layout, nodes, physical)
    const start = async (node: NodePlace, index: number): Promise<void> => {
      await startSwitch(layout, node, 'netdev')
      if (physical !== undefined) await joinWire(node, 'netdev', physical, index + 1)
    }
    await Promise.all(nodes.map(start))
    for (const part of CONTROL_PARTS) {
      say(`Starting ${part}`)
      await startControlPart(this.places, part)
    }
    for (const node of nodes) {
      say(`Starting ${node.name}: namespaces, containerd, kubelet`)
      mkdirSync(node.dir, { recursive: true })
      await startHost(this.places, node)
      await startRuntime(this.places, node)
      await importImages(this.places, node, archive)
      await startKubelet(this.places, node)
      if (kubeProxy) await startKubeProxy(this.places, node)
    }
    await waitFor('every node is registered', async () => {
      const { items } = await this.get<{ readonly items: readonly unknown[] }>('nodes')
      return items.length === nodes.length
    })
  }
}

interface NodeObject {
  readonly metadata: { readonly name: string }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

function isReady({ status }: NodeObject): boolean {
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}
