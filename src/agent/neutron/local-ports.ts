/**
 * The ports of Neutron's that this node has, and who has them: pods get one without anybody else being asked. What became of a
 * port is in the node's own records; what ports there are is in NodePorts (docs/adr/0038).
 * @module
 */
import { cniError } from '../../cni/index.ts'
import type { NodePorts, PooledPort, PortPool, PortUse } from '../../network/model/neutron.ts'
import type { PodNotices } from '../notices.ts'
import { freePort, type PortFacts, poolOf, useOf, type Wanting } from './pool-facts.ts'
import type { PortBook } from './port-book.ts'
import type { LeasedPort, PortHolder } from './port-record.ts'
import { troubleIn, whyNone } from './troubles.ts'
import { Waiters } from './waiters.ts'

/** How they are kept. Times are in milliseconds. */
export interface LocalPortsOptions {
  readonly node: string
  readonly book: PortBook
  /** Since 1970. */
  readonly now: () => number
  readonly notices: Pick<PodNotices, 'tell'>
  /** What the controller is told has changed; at once where pods wait for it. */
  readonly changed: (isUrgent: boolean) => void
  /** Something is wrong for as long as it is told of; undefined when nothing is any more. */
  readonly problem: (text: string | undefined) => void
  /** How long a port rests before another pod gets it; a minute when absent. */
  readonly restMs?: number
  /** How long a pod waits for a port that is not there yet; 20 s when absent. */
  readonly coldMs?: number
}

/** A port for one interface of a pod. */
export interface PortOrder extends PortHolder, Wanting {
  readonly cniNetwork: string
  readonly pod?: { readonly namespace: string; readonly name: string }
}

/** A port that a pod has. */
export interface Leasing {
  readonly pool: PortPool
  readonly port: PooledPort
}

/** Neutron resends what it learned of an address for about as long (OVN's MAC bindings, neighbours' caches). */
const REST_MS = 60_000
const COLD_MS = 20_000

/** The ports of a node. */
export class LocalPorts implements Disposable {
  readonly #options: LocalPortsOptions
  readonly #book: PortBook
  readonly #restMs: number
  readonly #coldMs: number
  readonly #waiters = new Waiters<PortOrder, Leasing>()
  readonly #lastUsed = new Map<string, number>()
  #nodePorts: NodePorts | undefined
  #isListed = false
  /** Absent: what the controller was told by the process before this one is not known yet. */
  #promised: ReadonlySet<string> | undefined
  #waking: ReturnType<typeof setTimeout> | undefined

  constructor(options: LocalPortsOptions) {
    this.#options = options
    this.#book = options.book
    this.#restMs = options.restMs ?? REST_MS
    this.#coldMs = options.coldMs ?? COLD_MS
    this.#sweep()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#waking)
  }

  /** What the node has now; undefined where nothing was ever prepared for it. */
  put(nodePorts: NodePorts | undefined): void {
    this.#nodePorts = nodePorts
    this.#look()
  }

  /** NodePorts have been read. */
  read(): void {
    this.#isListed = true
    this.#look()
  }

  /** What the controller may have been told that it can delete: these ports are nobody's until it is told otherwise. */
  promise(ids: ReadonlySet<string>): void {
    this.#promised = ids
    this.#serve()
  }

  /** Whether the node has ports of this network, by the NeutronNetwork's name or the network's id. */
  has(network: string): boolean {
    return this.poolOf(network) !== undefined
  }

  poolOf(network: string): PortPool | undefined {
    return this.#nodePorts && poolOf(this.#nodePorts, network)
  }

  /** What is not known yet, for people; undefined where ports can be given out. */
  get waitingFor(): string | undefined {
    if (!this.#isListed) return 'the registry (NodePorts) has not been read yet'
    if (this.#nodePorts !== undefined && this.#promised === undefined)
      return 'the registry (PortUse) has not been read yet'
    return undefined
  }

  /** Why a network has nothing here, for people. */
  whyNone(network: string): string {
    return whyNone(this.#nodePorts, { network }, this.#book)
  }

  /**
   * Gives an interface a port, the same again when it is asked for again. Where none is free it waits for one to be made. Throws
   * `neutron-ports-none` when none comes, `neutron-mode-unfit`, and `agent-starting` while it is not known what there is.
   */
  async lease(order: PortOrder, signal: AbortSignal): Promise<Leasing> {
    if (this.waitingFor !== undefined) throw cniError('agent-starting', { waiting: this.waitingFor })
    return this.#standing(order) ?? this.#take(order) ?? (await this.#wait(order, signal))
  }

  /** What an interface has of a network. Throws `check-failed` where that is nothing, or nothing that is there any more. */
  leased(holder: PortHolder, network: string): Leasing {
    const name = this.poolOf(network)?.network ?? network
    const lease = this.#book.of(holder).find((one) => one.network === name)
    if (lease === undefined) {
      throw cniError('check-failed', { difference: `${holder.ifname} has no port of Neutron network ${network}` })
    }
    const found = this.#find(lease)
    if (found !== undefined) return found
    const difference = `port ${lease.id} of ${holder.ifname} is gone: somebody deleted it in Neutron`
    throw cniError('check-failed', { difference })
  }

  /** Of how many networks an interface has a port. */
  countOf(holder: PortHolder): number {
    return this.#book.of(holder).length
  }

  /** Takes back what an interface has, of all networks. Nothing to take back is no failure. */
  release(holder: PortHolder): void {
    this.#free(this.#book.of(holder))
  }

  /** Takes back what interfaces of a CNI network have that are not among these, `<container id>/<interface>`. */
  releaseOthers(cniNetwork: string, valid: ReadonlySet<string>): void {
    this.#free(
      this.#book
        .values()
        .filter((one): one is LeasedPort => one.state === 'leased' && one.cniNetwork === cniNetwork)
        .filter(({ containerId, ifname }) => !valid.has(`${containerId}/${ifname}`)),
    )
  }

  /** What the controller is to be told; undefined where there is nothing to tell. */
  use(): PortUse | undefined {
    const records = this.#book.values()
    const waiting = this.#waiters.orders
    if (this.#nodePorts === undefined && records.length === 0 && waiting.length === 0) return undefined
    return useOf(this.#options.node, this.#nodePorts, records, this.#facts, waiting)
  }

  readonly #facts: PortFacts = {
    isBusy: (id) => this.#book.isBusy(id),
    isPromised: (id) => this.#promised?.has(id) ?? true,
    lastUsed: (id) => this.#lastUsed.get(id),
  }

  #find({ id, network }: Pick<LeasedPort, 'id' | 'network'>): Leasing | undefined {
    const pool = this.poolOf(network)
    const port = pool?.ports.find((one) => one.id === id)
    return pool === undefined || port === undefined ? undefined : { pool, port }
  }

  /** What an earlier call got. A port that is gone, or has other groups than are asked for now, is given back. */
  #standing(order: PortOrder): Leasing | undefined {
    const name = this.poolOf(order.network)?.network
    const lease = this.#book.of(order).find((one) => one.network === name)
    if (lease === undefined) return undefined
    const found = this.#find(lease)
    if (found !== undefined && Bun.deepEquals(found.port.groups, order.groups)) return found
    this.#free([lease])
    return undefined
  }

  /** The record is on the disk before anybody hears of it. */
  #take({ containerId, ifname, network, groups, cniNetwork, pod }: PortOrder): Leasing | undefined {
    const pool = this.poolOf(network)
    if (pool === undefined) return undefined
    if (groups !== undefined && pool.mode === 'fixed') {
      throw cniError('neutron-mode-unfit', {
        network: pool.network,
        reason:
          'addresses there are of the port of the VM itself (mode fixed), which has one set of security groups for all pods',
        advice:
          'leave weft.dev/security-groups and the securityGroups of the configuration out, or set mode: pair or trunk in the NeutronNetwork',
      })
    }
    const port = freePort(pool, groups, this.#facts)
    if (port === undefined) return undefined
    const since = this.#options.now()
    const podName = pod === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` }
    this.#book.put({
      state: 'leased',
      id: port.id,
      network: pool.network,
      containerId,
      ifname,
      cniNetwork,
      ...podName,
      since,
    })
    this.#options.changed(false)
    return { pool, port }
  }

  async #wait(order: PortOrder, signal: AbortSignal): Promise<Leasing> {
    const { changed, notices } = this.#options
    const { network, ifname, pod } = order
    const seconds = this.#coldMs / 1000
    const late = (): Error =>
      cniError('neutron-ports-none', { network, ifname, seconds, reason: whyNone(this.#nodePorts, order, this.#book) })
    const coming = this.#waiters.wait(order, { milliseconds: this.#coldMs, late, signal })
    try {
      changed(true)
      if (pod !== undefined) {
        const text = `no port of Neutron network ${network} is free on this node for ${ifname}: one was asked for, and is waited for up to ${seconds} s`
        notices.tell({ namespace: pod.namespace, pod: pod.name }, 'WaitingForPort', text)
      }
      return await coming
    } finally {
      changed(false)
    }
  }

  #serve(): void {
    if (this.waitingFor === undefined) this.#waiters.serve((order) => this.#take(order))
  }

  #free(leases: readonly LeasedPort[]): void {
    const until = this.#options.now() + this.#restMs
    for (const { id, network } of leases) this.#book.put({ state: 'resting', id, network, until })
    if (leases.length === 0) return
    this.#options.changed(false)
    this.#sweep()
  }

  #look(): void {
    if (this.#isListed) this.#options.problem(troubleIn(this.#nodePorts, this.#book))
    const present = new Set(this.#nodePorts?.pools.flatMap(({ ports }) => ports.map(({ id }) => id)))
    for (const id of this.#lastUsed.keys()) if (!present.has(id)) this.#lastUsed.delete(id)
    this.#serve()
    // Until it is known what was promised before, nothing is given out.
    this.#options.changed(this.#promised === undefined)
  }

  #wake(): void {
    try {
      this.#sweep()
    } catch (error) {
      // A disk that is full or read-only: what rests goes on resting.
      this.#options.problem(
        `ports that have rested cannot be freed: ${error instanceof Error ? error.message : String(error)}`,
      )
      this.#waking = setTimeout(() => this.#wake(), this.#restMs)
    }
  }

  /** Ports that have rested are free. Records of a clock that was ahead rest from now. */
  #sweep(): void {
    clearTimeout(this.#waking)
    const now = this.#options.now()
    let next = Number.POSITIVE_INFINITY
    let isFreed = false
    for (const record of this.#book.values()) {
      if (record.state !== 'resting') continue
      if (record.until > now) {
        const until = Math.min(record.until, now + this.#restMs)
        if (until < record.until) this.#book.put({ ...record, until })
        next = Math.min(next, until)
      } else {
        this.#book.forget(record.id)
        this.#lastUsed.set(record.id, record.until)
        isFreed = true
      }
    }
    if (Number.isFinite(next)) this.#waking = setTimeout(() => this.#wake(), Math.max(1, next - now))
    if (!isFreed) return
    this.#serve()
    this.#options.changed(false)
  }
}
