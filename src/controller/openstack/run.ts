/**
 * Ports of OpenStack's Neutron for every node: made ahead by the controller that leads, which alone has credentials, and leased by nodes
 * without a call (docs/adr/0038). Where nobody declared a NeutronNetwork nothing is asked of any cloud.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Unreadable } from '../../kube/invalid.ts'
import { WorkQueue } from '../../kube/queue.ts'
import { type NeutronNetwork, type PoolProblem, poolSizesOf } from '../../network/model/neutron.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { sleep } from '../../registry/backoff.ts'
import { type Reflection, reflect, type StoreChange } from '../../registry/reflector.ts'
import type { Registry } from '../../registry/registry.ts'
import { Complaints } from '../complaints.ts'
import type { ControllerLog } from '../controller.ts'
import type { ControllerEvents } from '../events.ts'
import { Cloud } from './cloud.ts'
import { deleteStrays, findStrays, GONE_AFTER_MS, Sightings, straysOf } from './garbage.ts'
import { NodeKeeper } from './keeper.ts'
import { Rounds } from './rounds.ts'
import { NO_NODE, statusOf } from './status.ts'
import { PortsStore } from './store.ts'

/** What nodes' ports are looked after with. */
export interface OpenStackOptions {
  readonly registry: Registry
  readonly nodes: Pick<Reflection<'Node'>, 'store' | 'synced' | 'listen'>
  readonly events?: ControllerEvents
  /** A session with the credentials as they are now. Throws `OPENSTACK_CONFIG`. */
  readonly open: () => Neutron
  /** Objects that are there and cannot be read: no Node among them is gone, and no NeutronNetwork is withdrawn. */
  readonly unreadable?: Unreadable
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** Milliseconds since 1970. */
  readonly now?: () => number
  readonly random?: () => number
  /** Times in milliseconds: how often each node is looked at anew, when a node counts as gone, and how often networks say how they do. */
  readonly resyncMs?: number
  readonly goneAfterMs?: number
  readonly statusMs?: number
}

const RESYNC_MS = 600_000
const STATUS_MS = 2_000
const LOOK_MS = 10_000
/** Nodes at a time: what Neutron is asked at once at most. */
const AT_ONCE = 8

/** Looks after nodes' ports until `signal` aborts. Does not reject for anything that registry or cloud do. */
export async function runOpenStack(options: OpenStackOptions): Promise<void> {
  await new House(options).run()
}

class House {
  readonly #options: OpenStackOptions
  readonly #complaints: Complaints
  readonly #cloud: Cloud
  readonly #networks: Reflection<'NeutronNetwork'>
  readonly #ports: Reflection<'NodePorts'>
  readonly #uses: Reflection<'PortUse'>
  readonly #store: PortsStore
  readonly #queue: WorkQueue
  readonly #keepers = new Map<string, NodeKeeper>()
  readonly #parents = new Map<string, string>()
  readonly #gone: Sightings
  readonly #strays: Sightings
  readonly #rounds: Rounds
  readonly #told = new Set<string>()
  #cluster = ''
  #isReady = false
  #lastCollected = 0

  constructor(options: OpenStackOptions) {
    const { registry, signal, log, open, random, goneAfterMs = GONE_AFTER_MS } = options
    this.#options = options
    this.#complaints = new Complaints(log)
    this.#cloud = new Cloud({ open, now: () => this.#now(), ...(random === undefined ? {} : { random }) })
    this.#rounds = new Rounds(options.resyncMs ?? RESYNC_MS, random ?? Math.random)
    this.#gone = new Sightings(goneAfterMs)
    this.#strays = new Sightings(goneAfterMs)
    const onError = (error: unknown): void => this.#complaints.say('cannot watch the objects of Neutron’s ports', error)
    const base = { signal, onError }
    this.#networks = reflect(registry, 'NeutronNetwork', {
      ...base,
      onChange: (change) => this.#networkChanged(change),
    })
    this.#uses = reflect(registry, 'PortUse', { ...base, onChange: ({ object }) => this.#add(object.name) })
    this.#ports = reflect(registry, 'NodePorts', {
      ...base,
      onChange: (change) => {
        this.#store.changed(change)
        if (change.type === 'delete') this.#keepers.get(change.object.name)?.doubt()
        this.#add(change.object.name)
      },
    })
    this.#store = new PortsStore(registry, this.#ports)
    this.#queue = new WorkQueue({
      signal,
      concurrency: AT_ONCE,
      work: (node) => this.#keeper(node).lookAfter(),
      onError: (node, error) => {
        this.#keepers.get(node)?.doubt()
        this.#complaints.say(`cannot look after the ports of node ${node}`, error)
      },
    })
  }

  async run(): Promise<void> {
    const { nodes, signal, statusMs = STATUS_MS } = this.#options
    await Promise.all([nodes.synced, this.#networks.synced, this.#ports.synced, this.#uses.synced])
    nodes.listen((change) => this.#nodeChanged(change))
    let nextLook = 0
    while (!signal.aborted) {
      if (this.#isAskedFor() && (await this.#hasCluster())) {
        this.#isReady = true
        if (this.#now() >= nextLook) {
          nextLook = this.#now() + LOOK_MS
          await this.#lookAround()
        }
        await this.#tellStatus()
      }
      await sleep(statusMs, signal)
    }
    await Promise.all([this.#networks.done, this.#ports.done, this.#uses.done, this.#queue.done])
  }

  #isAskedFor(): boolean {
    return this.#networks.store.size > 0 || this.#ports.store.size > 0
  }

  /** What tells this cluster's ports from those of another one in the same project. */
  async #hasCluster(): Promise<boolean> {
    if (this.#cluster !== '') return true
    try {
      const found = await this.#options.registry.get('Namespace', 'kube-system')
      this.#cluster = found?.value.uid ?? ''
      if (this.#cluster === '')
        this.#complaints.say('no ports are made', new Error('there is no namespace kube-system'))
    } catch (error) {
      this.#complaints.say('cannot read the namespace kube-system', error)
    }
    return this.#cluster !== ''
  }

  /** Nodes that are gone; each of the others now and then. */
  async #lookAround(): Promise<void> {
    const { resyncMs = RESYNC_MS } = this.#options
    const now = this.#now()
    const there = this.#nodesThere()
    // What an agent said goes with its node, whether that has ports or not.
    const lost = [...this.#store.names(), ...this.#uses.store.keys()].filter((name) => !there.has(name))
    this.#gone.see(lost, now)
    for (const name of lost) if (this.#gone.isConfirmed(name, now)) this.#add(name)
    for (const name of this.#keepers.keys()) {
      if (!there.has(name) && !this.#store.names().has(name)) this.#keepers.delete(name)
    }
    for (const name of this.#rounds.take(this.#known(), now)) {
      this.#keepers.get(name)?.doubt()
      this.#add(name)
    }
    if (this.#lastCollected > 0 && now - this.#lastCollected < resyncMs) return
    this.#lastCollected = now
    await this.#collect(now)
  }

  /** Those, too, that cannot be read: whoever spoils an object does not take its pods' ports away. */
  #nodesThere(): ReadonlySet<string> {
    const unreadable = [...(this.#options.unreadable ?? [])].map(([object]) => object)
    const prefix = 'Node/'
    const spoilt = unreadable.filter((object) => object.startsWith(prefix)).map((object) => object.slice(prefix.length))
    return new Set([...this.#options.nodes.store.keys(), ...spoilt])
  }

  /** Nodes that have ports or may have some. */
  #known(): ReadonlySet<string> {
    return new Set([...this.#nodesThere(), ...this.#store.names()])
  }

  async #collect(now: number): Promise<void> {
    try {
      const strays = await findStrays(this.#cloud, this.#cluster, () => this.#known())
      this.#strays.see(
        strays.map(({ id }) => id),
        now,
      )
      const dead = strays.filter(({ id }) => this.#strays.isConfirmed(id, now))
      await deleteStrays(this.#cloud, dead, {
        isStray: (port) => straysOf([port], this.#cluster, this.#known()).length > 0,
        tell: (message) => this.#options.log.warn({}, message),
      })
    } catch (error) {
      this.#complaints.say('cannot look for ports of nodes that are gone', error)
    }
  }

  async #tellStatus(): Promise<void> {
    const all = [...this.#store.names()].flatMap((name) => this.#store.get(name) ?? [])
    for (const { name, value, revision } of this.#networks.store.values()) {
      const status = statusOf(name, all, (node) => this.#uses.store.get(node)?.value, poolSizesOf(value).min)
      if (isDeepStrictEqual(value.status, status)) continue
      try {
        await this.#options.registry.update('NeutronNetwork', name, { ...value, status }, revision)
      } catch (error) {
        // It changed in the meantime; what is said of it is said again.
        this.#complaints.say(`cannot say how network ${name} does`, error)
        continue
      }
      const { problem, reason = '' } = status
      if (problem !== undefined && reason !== NO_NODE.reason && problem !== value.status?.problem) {
        this.#options.events?.warn({ kind: 'NeutronNetwork', name }, { code: reason, message: problem, remedy: '' })
      }
    }
  }

  /** What is one node's alone is told at that. */
  #problems(node: string, problems: readonly PoolProblem[], errors: ReadonlyMap<string, unknown>): void {
    for (const { network, reason, problem } of problems) {
      const error = errors.get(network)
      const isOfNode = typeof error === 'object' && error !== null && 'isOfNode' in error && error.isOfNode === true
      const key = `${node} ${network} ${problem}`
      if (!isOfNode || this.#told.has(key)) continue
      this.#told.add(key)
      this.#options.events?.warn({ kind: 'Node', name: node }, { code: reason, message: problem, remedy: '' })
    }
    if (problems.length === 0) for (const key of this.#told) if (key.startsWith(`${node} `)) this.#told.delete(key)
  }

  #keeper(name: string): NodeKeeper {
    const known = this.#keepers.get(name)
    if (known !== undefined) return known
    const { nodes, log, signal, random, unreadable } = this.#options
    const keeper = new NodeKeeper(name, {
      cloud: this.#cloud,
      cluster: () => this.#cluster,
      node: (node) => nodes.store.get(node)?.value,
      isGone: (node) => this.#gone.isConfirmed(node, this.#now()),
      networks: () => [...this.#networks.store.values()].map(({ value }) => value),
      isSpoilt: (network) => unreadable?.get(`NeutronNetwork/${network}`) !== undefined,
      use: (node) => this.#uses.store.get(node)?.value,
      ports: this.#store,
      parents: this.#parents,
      now: () => this.#now(),
      ...(random === undefined ? {} : { random }),
      signal,
      log,
      onProblems: (node, problems, errors) => this.#problems(node, problems, errors),
    })
    this.#keepers.set(name, keeper)
    return keeper
  }

  #networkChanged(change: StoreChange<'NeutronNetwork'>): void {
    const before = change.type === 'put' ? change.before?.value : undefined
    if (change.type === 'put' && before !== undefined && isDeepStrictEqual(specOf(before), specOf(change.object.value)))
      return
    this.#cloud.forget()
    for (const keeper of this.#keepers.values()) keeper.doubt(change.object.name)
    for (const name of [...this.#options.nodes.store.keys(), ...this.#store.names()]) this.#add(name)
  }

  #nodeChanged(change: StoreChange<'Node'>): void {
    const { object, before } = change
    const isSame =
      change.type === 'put' &&
      isDeepStrictEqual(before?.value.addresses, object.value.addresses) &&
      isDeepStrictEqual(before?.value.labels, object.value.labels)
    if (!isSame) this.#add(object.name)
  }

  #add(node: string): void {
    if (this.#isReady) this.#queue.add(node)
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

function specOf({ status: _, ...spec }: NeutronNetwork): unknown {
  return spec
}
