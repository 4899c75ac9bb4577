/**
 * A large cluster of which one node is real: the embedded API server, the controller and one agent as processes, and
 * an Open vSwitch. The other nodes are objects.
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CHANGE_NETWORK, NET_NAMESPACES } from '../../src/compat/openshift/resources.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { HttpTransport } from '../../src/kube/http.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { collectionPath } from '../../src/kube/path.ts'
import { netnsOpen } from '../../src/linux/netns.ts'
import { closeFd } from '../../src/linux/socket.ts'
import { cidr } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import { playApi } from '../../src/playground/api-client.ts'
import { agentArguments } from '../../src/playground/bring-up.ts'
import { addNamespace } from '../../src/playground/lab/namespaces.ts'
import { startSwitch } from '../../src/playground/lab/switch.ts'
import { makeUnderlay, plugInNode } from '../../src/playground/lab/underlay.ts'
import { type Layout, layoutOf, type NodeLayout, nodeLayout } from '../../src/playground/layout.ts'
import { writeCluster } from '../../src/playground/objects.ts'
import { endProcesses, isAlive, startOf, startProcess, until } from '../../src/playground/processes.ts'
import { makeFolders, writeState } from '../../src/playground/state.ts'
import { tearDown } from '../../src/playground/tear-down.ts'
import type { Plugin, Sandbox } from '../rig/plugin.ts'
import { OUR_PLUGIN, statusOf, weft } from '../rig/program.ts'
import { type Filled, fillStore } from './fill.ts'
import { HOST_BITS } from './objects.ts'

const PATIENCE_MS = 600_000

/** Room for 16,384 nodes. The service networks are those that the playground's API server gives addresses of. */
const CLUSTER: Cluster = {
  networks: [
    { cidr: cidr('10.0.0.0/8'), hostBits: HOST_BITS },
    { cidr: cidr('fd00:10::/48'), hostBits: 64 },
  ],
  serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd00:172:30::/112')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

interface ListPage {
  readonly metadata: { readonly remainingItemCount?: number }
  readonly items: readonly unknown[]
}

/** A large cluster. */
export class ScaleRig {
  readonly layout: Layout
  readonly node: NodeLayout
  readonly #fromSource: boolean
  readonly #pids = new Map<string, number>()
  #api: KubeClient | undefined
  #http: HttpTransport | undefined
  #descriptor: number | undefined
  #sandboxes = 0

  constructor(runDir: string, fromSource: boolean) {
    this.layout = layoutOf(runDir)
    this.node = nodeLayout(this.layout, 1)
    this.#fromSource = fromSource
  }

  get api(): KubeClient {
    this.#api ??= playApi(this.layout)
    return this.#api
  }

  pid(role: string): number {
    return this.#pids.get(role) ?? 0
  }

  /** Makes the folders, the physical network and the node's switch. */
  async prepare(): Promise<void> {
    makeFolders(this.layout)
    const shape = { nodes: 1, underlay: 4, encapsulation: 'vxlan' } as const
    writeState(this.layout, { version: 1, shape, datapath: 'netdev', complete: true })
    makeUnderlay(this.layout)
    plugInNode(this.layout, this.node)
    await startSwitch(this.layout, this.node, 'netdev')
  }

  /** Writes objects into the store while the server does not run. */
  fill(objects: Iterable<KubeObject>): Promise<Filled> {
    return fillStore(this.layout.apiDir, objects)
  }

  /** Starts the API server; seconds until it answers. */
  async startApi(): Promise<number> {
    rmSync(this.layout.kubeconfig, { force: true })
    const seconds = await this.#start(
      'api',
      weft(this.#fromSource, 'play', 'api', '--run-dir', this.layout.runDir),
      () => Promise.resolve(existsSync(this.layout.socketKubeconfig) && existsSync(this.layout.kubeconfig)),
    )
    return seconds
  }

  /** Defines Weft's objects and the cluster's networks: from here on the controller has work. */
  async define(): Promise<void> {
    await writeCluster(this.api, CLUSTER, [])
  }

  /** Starts the controller; seconds until `done`. */
  startController(done: () => Promise<boolean>): Promise<number> {
    return this.#start('controller', weft(this.#fromSource, 'controller', '--kubeconfig', this.layout.kubeconfig), done)
  }

  /** Starts the node's agent; seconds until it is ready, with a plan of every peer. */
  startAgent(): Promise<number> {
    const { node, layout } = this
    const options = agentArguments(node, 'netdev', { kubeconfig: layout.socketKubeconfig })
    const argv = weft(this.#fromSource, ...options)
    return this.#start('agent', argv, async () => (await statusOf(node))?.ready === true, node.netns)
  }

  /** Ends a process as a crash would, or asks it to end. */
  async end(role: string, how: 'killed' | 'asked' = 'killed'): Promise<void> {
    const pid = this.pid(role)
    const start = startOf(pid)
    if (start === undefined) return
    if (how === 'killed') process.kill(pid, 'SIGKILL')
    await endProcesses([{ pid, start, role }])
    // Its main thread may be gone while others still hold its sockets.
    await until(() => !existsSync(`/proc/${pid}`), 10_000)
    this.#pids.delete(role)
  }

  /** Our CNI plugin on the node. */
  get plugin(): Plugin {
    this.#descriptor ??= netnsOpen(this.node.netns)
    return {
      name: 'weft',
      path: OUR_PLUGIN,
      node: this.#descriptor,
      config: { cniVersion: '1.0.0', name: 'weft', type: 'weft' },
      environment: { CNI_PATH: '/nowhere', WEFT_CNI_SOCKET: this.node.cniSocket },
    }
  }

  /** A pod's network namespace. */
  sandbox(namespace: string): Sandbox {
    this.#sandboxes += 1
    const id = `${this.layout.prefix}-pod-${this.#sandboxes}`
    addNamespace(this.layout, id)
    return { id, netns: id, namespace }
  }

  /** A namespace's VNI; undefined while it has none. */
  async vniOf(namespace: string): Promise<number | undefined> {
    const vni = (await this.api.get(NET_NAMESPACES, { name: namespace }))?.['netid']
    return typeof vni === 'number' ? vni : undefined
  }

  /** Asks for a namespace to join another, as people do. */
  async askToJoin(namespace: string, target: string): Promise<void> {
    const metadata = { annotations: { [CHANGE_NETWORK]: `join:${target}` } }
    await this.api.patch(NET_NAMESPACES, { name: namespace }, 'merge', { metadata })
  }

  /** Watches a namespace's network from now on, and tells when it gets this VNI, on `performance`'s clock. */
  async watchVni(namespace: string, vni: number): Promise<{ readonly at: Promise<number> }> {
    const selection = { fieldSelector: `metadata.name=${namespace}` }
    const { resourceVersion } = await this.api.list(NET_NAMESPACES, selection)
    const see = async (): Promise<number> => {
      const ended = new AbortController()
      for await (const event of this.api.watch(NET_NAMESPACES, selection, resourceVersion, ended.signal)) {
        if (event.type !== 'BOOKMARK' && event.object['netid'] === vni) return performance.now()
      }
      throw new Error(`the watch ended before ${namespace} had VNI ${vni}`)
    }
    return { at: see() }
  }

  /** How many objects of a resource there are, for the price of one. */
  async count(resource: Resource): Promise<number> {
    this.#http ??= new HttpTransport(loadKubeconfig(this.layout.kubeconfig, {}), {})
    const query = { limit: '1' }
    const page = (await this.#http.json({
      method: 'GET',
      path: collectionPath(resource, undefined),
      query,
    })) as ListPage
    return page.items.length + (page.metadata.remainingItemCount ?? 0)
  }

  /** Ends everything and removes every trace. */
  async stop(): Promise<void> {
    this.#api?.close()
    this.#api = undefined
    this.#http?.close()
    this.#http = undefined
    if (this.#descriptor !== undefined) closeFd(this.#descriptor)
    this.#descriptor = undefined
    await tearDown(this.layout)
  }

  /** The end of a process's log: the rest goes with the rig. */
  #log(role: string): string {
    return readFileSync(join(this.layout.logDir, `${role}.log`), 'utf8').slice(-2_000)
  }

  async #start(role: string, argv: readonly string[], done: () => Promise<boolean>, netns?: string): Promise<number> {
    const started = performance.now()
    const pid = startProcess(this.layout, { role, argv, ...(netns === undefined ? {} : { netns }) })
    this.#pids.set(role, pid)
    while (!(await done())) {
      if (!isAlive(pid)) throw new Error(`${role} ended:\n${this.#log(role)}`)
      if (performance.now() - started > PATIENCE_MS) throw new Error(`${role} is not ready:\n${this.#log(role)}`)
      await Bun.sleep(20)
    }
    return (performance.now() - started) / 1000
  }
}
