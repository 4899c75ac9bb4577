/**
 * A cluster whose registry is k8s-ovs's in a real etcd, with Weft's controller; Kubernetes is in memory.
 * @module
 */
import { layoutOf } from '../../src/compat/k8s-ovs/layout.ts'
import { K8sOvsRegistry } from '../../src/compat/k8s-ovs/registry.ts'
import type { StoreOptions } from '../../src/compat/k8s-ovs/store.ts'
import { startController } from '../../src/controller/controller.ts'
import type { KeySpace } from '../../src/etcd/key-space.ts'
import { EtcdV2 } from '../../src/etcd/v2.ts'
import { EtcdV3 } from '../../src/etcd/v3.ts'
import { InvalidObjects } from '../../src/kube/invalid.ts'
import { ip } from '../../src/network/model/address.ts'
import { LayeredRegistry, layersOf } from '../../src/registry/layered.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { reflect } from '../../src/registry/reflector.ts'
import type { Kind, Kinds, Registry } from '../../src/registry/registry.ts'
import { eventually } from '../kube/process.ts'
import type { EtcdServer } from './etcd-server.ts'

/** The configuration of k8s-ovs's documents. */
export const CONFIG =
  '{"Name":"k8ssdn", "Network":"172.11.0.0/16", "HostSubnetLength":10, "ServiceNetwork":"10.96.0.0/12", "PluginName":"k8s-ovs-multitenant"}'

const PATIENCE = 15_000
const QUICK = { first: 5, most: 50 }
/** So that a test need not wait for an etcd that hangs. */
const IMPATIENT = { deadline: 1000, silence: 1000 }

/** A cluster of one test. */
export class OvsCluster {
  readonly server: EtcdServer
  readonly api: 'v2' | 'v3'
  readonly prefix = `/${crypto.randomUUID()}/ovs/network`
  readonly kubernetes = new MemoryRegistry()
  /** What the controller said. */
  readonly said: string[] = []
  readonly #spaces: KeySpace[] = []
  readonly #aborter = new AbortController()
  #controller: { readonly aborter: AbortController; readonly done: Promise<void> } | undefined

  readonly #others: readonly string[]

  /** `others`: further members that programs are told of. */
  constructor(server: EtcdServer, api: 'v2' | 'v3', others: readonly string[] = []) {
    this.server = server
    this.api = api
    this.#others = others
  }

  /** The registry as another program sees it. */
  registry(options: StoreOptions = {}): Registry {
    const config = { ...this.server.config(), endpoints: [this.server.endpoint, ...this.#others] }
    const space = this.api === 'v2' ? new EtcdV2(config, IMPATIENT) : new EtcdV3(config, IMPATIENT)
    this.#spaces.push(space)
    const layout = layoutOf({ prefix: this.prefix })
    if (layout === undefined) throw new Error('no layout')
    const ovs = new K8sOvsRegistry(space, layout, options)
    return new LayeredRegistry(layersOf(ovs, ['Cluster', 'NodeNetwork', 'Tenant'], this.kubernetes))
  }

  startController(): void {
    const aborter = new AbortController()
    const unreadable = new InvalidObjects()
    const log = (_: object, message: string): void => void this.said.push(message)
    unreadable.listen(({ kind, name, problem }) => this.said.push(`${kind} ${name}: ${problem}`))
    const registry = this.registry({ confirms: true, invalid: unreadable })
    const { done } = startController({
      registry,
      signal: aborter.signal,
      random: Math.random,
      log: { info: log, warn: log, error: log },
      unreadable,
      backoff: QUICK,
    })
    this.#controller = { aborter, done }
  }

  async stopController(): Promise<void> {
    this.#controller?.aborter.abort()
    await this.#controller?.done
    this.#controller = undefined
  }

  /** What an agent knows of a kind. */
  agent<K extends Kind>(kind: K): ReadonlyMap<string, { readonly value: Kinds[K] }> {
    return reflect(this.registry(), kind, { signal: this.#aborter.signal, backoff: QUICK }).store
  }

  async close(): Promise<void> {
    await this.stopController()
    this.#aborter.abort()
    for (const space of this.#spaces) space.close()
  }

  /** `etcdctl set` in v2, `etcdctl put` in v3. */
  async set(key: string, value: string): Promise<void> {
    if (this.api === 'v2') await this.server.etcdctl(2, ['set', `${this.prefix}/${key}`, value])
    else await this.server.etcdctl(3, ['put', `${this.prefix}/${key}`, value])
  }

  async remove(key: string): Promise<void> {
    await this.server.etcdctl(this.api === 'v2' ? 2 : 3, [this.api === 'v2' ? 'rm' : 'del', `${this.prefix}/${key}`])
  }

  /** A record as people read it; undefined when there is none. */
  async record(key: string): Promise<Record<string, unknown> | undefined> {
    const text =
      this.api === 'v2'
        ? await this.server.etcdctl(2, ['get', `${this.prefix}/${key}`]).catch(() => '')
        : await this.server.etcdctl(3, ['get', '--print-value-only', `${this.prefix}/${key}`])
    return text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>)
  }

  /** The record once `is` holds of it. */
  async recordWhen(key: string, is: (record: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const record = await this.record(key)
      if (record !== undefined && is(record)) return record
      throw new Error(`${key} is ${JSON.stringify(record)}; ${this.said.slice(-5).join(' | ')}`)
    }, PATIENCE)
  }

  async until(what: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(async () => {
      if (!(await what())) throw new Error(`not yet; ${this.said.slice(-5).join(' | ')}`)
    }, PATIENCE)
  }

  async addNode(name: string, address: string, uid = `uid-of-${name}`): Promise<void> {
    await this.kubernetes.create('Node', name, { name, uid, addresses: [ip(address)] })
  }

  async moveNode(name: string, address: string): Promise<void> {
    const found = await this.kubernetes.get('Node', name)
    if (found === undefined) throw new Error(`no node ${name}`)
    await this.kubernetes.update('Node', name, { ...found.value, addresses: [ip(address)] }, found.revision)
  }

  async addNamespace(name: string): Promise<void> {
    await this.kubernetes.create('Namespace', name, { name, uid: `uid-of-${name}` })
  }
}
