/**
 * The cluster's pools as this node knows them: which there are, what of each is free, and what else decides who may take
 * from which. Reads nothing itself: it is told.
 * @module
 */
import type { KnownPools } from '../../../compat/spiderpool/selection/question.ts'
import { poolProblemTexts } from '../../../ipam/pool-problems.ts'
import { type SharedPoolCounts, SharedPools } from '../../../ipam/shared-pools.ts'
import type { Ip } from '../../../network/model/address.ts'
import type { Node } from '../../../network/model/node.ts'
import type { Namespace } from '../../../network/model/pod.ts'
import type { Labels } from '../../../network/model/policy.ts'
import type { AddressClaim, AddressPool, ReservedAddresses } from '../../../network/model/pool.ts'
import type { Watcher } from '../../cluster/watcher.ts'
import { ClaimView } from './claim-view.ts'
import { Contention } from './contention.ts'

/** How the pools are seen. Times are in milliseconds. */
export interface ClusterPoolsOptions {
  readonly node: string
  /** How long an address that was given back goes last. Five minutes when absent. */
  readonly restMs?: number
  readonly now?: () => number
  /** From 0 to below 1. */
  readonly random?: () => number
}

/** Who is to be told of which objects. */
export interface PoolWatchers {
  readonly AddressPool: Watcher<AddressPool>
  readonly ReservedAddresses: Watcher<ReservedAddresses>
  readonly AddressClaim: Watcher<AddressClaim>
  readonly Node: Watcher<Node>
  readonly Namespace: Watcher<Namespace>
}

const REST_MS = 300_000

/** Pools, claims, and what is known of this node and of namespaces. */
export class ClusterPools implements KnownPools {
  readonly node: string
  readonly claims: ClaimView
  readonly watchers: PoolWatchers
  readonly #now: () => number
  readonly #random: () => number
  readonly #shared: SharedPools
  readonly #contention: Contention
  readonly #namespaces = new Map<string, Namespace>()
  readonly #unread = new Set<keyof PoolWatchers>()
  /** What nobody is given for a time, though nobody is known to have it. */
  readonly #avoided = new Map<Ip, { readonly pool: string; readonly until: number }>()
  readonly #waiting = new Set<() => void>()
  #labels: Labels | undefined

  constructor({ node, restMs = REST_MS, now = Date.now, random = Math.random }: ClusterPoolsOptions) {
    this.node = node
    this.#now = now
    this.#random = random
    this.#shared = new SharedPools(poolProblemTexts, restMs)
    this.#contention = new Contention(now)
    this.claims = new ClaimView(
      node,
      {
        taken: (address, pool) => this.#shared.claim(address, pool),
        freed: (address, pool) => this.#free(address, pool),
      },
      now,
    )
    this.watchers = this.#makeWatchers()
    for (const kind of Object.keys(this.watchers)) this.#unread.add(kind as keyof PoolWatchers)
  }

  /** What has not been read yet; nobody may take an address before. */
  get unread(): readonly string[] {
    return [...this.#unread]
  }

  get(name: string): AddressPool | undefined {
    return this.#shared.get(name)
  }

  values(): Iterable<AddressPool> {
    return this.#shared.values()
  }

  problemOf(name: string): string | undefined {
    return this.#shared.problemOf(name)
  }

  /** Undefined for a pool that is not there. */
  counts(name: string): SharedPoolCounts | undefined {
    this.#expire()
    return this.#shared.counts(name)
  }

  /** Labels of this node. */
  get labels(): Labels | undefined {
    return this.#labels
  }

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name)
  }

  /** A free address of a pool; the preferred one where it is. Undefined where none is. */
  pick(pool: string, preferred?: Ip): Ip | undefined {
    this.#expire()
    if (preferred !== undefined && this.#shared.isFree(pool, preferred)) return preferred
    return this.#shared.pick(pool, this.#now(), this.#contention.spreadOf(pool), this.#random())
  }

  /** Whether a pool gives this address out, to whomever. */
  gives(pool: string, address: Ip): boolean {
    return this.#shared.gives(pool, address)
  }

  /** Somebody else had an address of the pool that seemed free. */
  met(pool: string): void {
    this.#contention.met(pool)
  }

  /** Nobody is given this address by this node for a time. */
  avoid(address: Ip, pool: string, forMs: number): void {
    this.#avoided.set(address, { pool, until: this.#now() + forMs })
    this.#shared.claim(address, pool)
  }

  /** When an address was given back or a pool changed, or the time is up. Rejects with the signal's reason. */
  async changed(withinMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const timer = setTimeout(wake, withinMs)
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake)
    if (signal.aborted) wake()
    await promise
    clearTimeout(timer)
    this.#waiting.delete(wake)
    // A signal that lives long must not collect a listener per call.
    signal.removeEventListener('abort', wake)
    signal.throwIfAborted()
  }

  #makeWatchers(): PoolWatchers {
    return {
      AddressPool: {
        put: (pool) => this.#tell(() => this.#shared.put(pool)),
        remove: (name) => this.#tell(() => this.#shared.remove(name)),
        read: () => void this.#unread.delete('AddressPool'),
      },
      ReservedAddresses: {
        put: (reserved) => this.#tell(() => this.#shared.reserve(reserved)),
        remove: (name) => this.#tell(() => this.#shared.unreserve(name)),
        read: () => void this.#unread.delete('ReservedAddresses'),
      },
      AddressClaim: {
        put: (claim) => this.claims.put(claim),
        remove: (name) => this.claims.remove(name),
        read: () => void this.#unread.delete('AddressClaim'),
      },
      Node: {
        put: ({ name, labels }) => {
          if (name === this.node) this.#labels = labels
        },
        remove: () => undefined,
        read: () => void this.#unread.delete('Node'),
      },
      Namespace: {
        put: (namespace) => void this.#namespaces.set(namespace.name, namespace),
        remove: (name) => void this.#namespaces.delete(name),
        read: () => void this.#unread.delete('Namespace'),
      },
    }
  }

  #free(address: Ip, pool: string): void {
    if (this.#avoided.has(address)) return
    this.#tell(() => this.#shared.release(address, pool, this.#now()))
  }

  #tell(change: () => void): void {
    change()
    for (const wake of this.#waiting) wake()
  }

  #expire(): void {
    const now = this.#now()
    for (const [address, { pool, until }] of this.#avoided) {
      if (until > now) continue
      this.#avoided.delete(address)
      if (this.claims.of(address) === undefined) this.#free(address, pool)
    }
  }
}
