/**
 * What the controller knows and what is to be done about it, without any input or output: it is told what the registry
 * says and what became of its writes, and tells the next write.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { VniPool } from '../ipam/vni.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Change, Kind, Listing, Stored } from '../registry/registry.ts'
import { Configuration } from './configuration.ts'
import { Mirror } from './mirror.ts'
import { Nodes } from './nodes.ts'
import type { Verdicts } from './silences.ts'
import { Tenants } from './tenants.ts'
import { keyOf, type Notice, type Write, type WriteEnd } from './write.ts'

/** The kinds that decisions rest on. */
export const INPUTS = ['Cluster', 'Node', 'NodeNetwork', 'Namespace', 'Tenant'] as const

/** One of the kinds that decisions rest on. */
export type Input = (typeof INPUTS)[number]

/** What the controller knows. */
export class ControllerState {
  readonly #nodes = new Nodes()
  readonly #configuration: Configuration
  readonly #tenants: Tenants
  readonly #mirrors: { readonly [K in Input]: Mirror<K> }
  /** Updates of which the registry keeps less than was written: repeating them is of no use. */
  readonly #futile = new Map<string, { readonly revision: number; readonly value: unknown }>()

  /** `random` gives numbers from 0 up to 1. All VNIs are given out when `pool` is absent. */
  constructor(random: () => number, pool?: VniPool) {
    const nodes = this.#nodes
    const tenants = new Tenants(random, pool)
    this.#tenants = tenants
    const configuration = new Configuration(() => nodes.machines())
    this.#configuration = configuration
    const follow = (): void => {
      nodes.setCluster(configuration.inForce)
      tenants.setTenancy(configuration.inForce?.tenancy)
    }
    const want = (value: Cluster | undefined): void => {
      configuration.want(value)
      follow()
    }
    const machineChanged = (): void => {
      if (configuration.refusal === undefined) return
      configuration.judge()
      follow()
    }
    this.#mirrors = {
      Cluster: new Mirror({ put: ({ value }) => want(value), remove: () => want(undefined) }),
      Node: new Mirror({
        put: ({ name, value }) => nodes.putNode(name, value),
        remove: (name) => nodes.removeNode(name),
      }),
      NodeNetwork: new Mirror({
        put: (record) => {
          nodes.putNetwork(record)
          machineChanged()
        },
        remove: (name) => {
          nodes.removeNetwork(name)
          machineChanged()
        },
      }),
      Namespace: new Mirror({
        put: (one) => tenants.putNamespace(one),
        remove: (name) => tenants.removeNamespace(name),
      }),
      Tenant: new Mirror({ put: (tenant) => tenants.putTenant(tenant), remove: (name) => tenants.removeTenant(name) }),
    }
  }

  /** Whether there is a cluster configuration; without one nothing is done. */
  get hasCluster(): boolean {
    return this.#mirrors.Cluster.get('default') !== undefined
  }

  /** Why the registry's configuration is not followed. */
  get refusal(): Notice | undefined {
    return this.#configuration.refusal
  }

  /** Every machine's network as it is. */
  machines(): Iterable<NodeNetwork> {
    return this.#nodes.machines()
  }

  /** Which external hosts are silent. To be called now and then: of some other things, too, it is told when they last. */
  judged(verdicts: Verdicts): void {
    for (const [name, silence] of verdicts) this.#nodes.setSilence(name, silence)
    this.#nodes.look()
  }

  /** Everything there is of a kind. */
  listed<K extends Input>(kind: K, listing: Listing<K>): void {
    this.#mirrors[kind].listed(listing)
  }

  /** What happened to an object of a kind. */
  heard<K extends Input>(kind: K, change: Change<K>): void {
    this.#mirrors[kind].heard(change)
  }

  /** The next write; it is on its way until one of {@link made}, {@link found} and {@link unreadable} is called. */
  next(): Write | undefined {
    for (;;) {
      const write = this.#nodes.next() ?? this.#tenants.next()
      if (write === undefined || !this.#isFutile(write)) return write
      this.#settled(write, 'refused')
    }
  }

  /** A write was made; `stored` is what the registry answered. False when the registry keeps less than was written. */
  made(write: Write, stored: Stored<Kind> | undefined): boolean {
    if (write.op === 'delete') this.#mirrors[write.kind].gone(write.name, write.revision)
    else if (stored !== undefined) this.#answered(write.kind, stored)
    const isKept = write.op === 'delete' || stored === undefined || isDeepStrictEqual(stored.value, write.value)
    if (write.op !== 'delete' && stored !== undefined && !isKept) {
      this.#futile.set(keyOf(write), { revision: stored.revision, value: write.value })
    }
    this.#settled(write, 'made')
    return isKept
  }

  /** A write was refused, or nobody knows what became of it; `found` is what is there now, if anything. */
  found(write: Write, found: Stored<Kind> | undefined, end: 'refused' | 'unknown'): void {
    if (found !== undefined) this.#answered(write.kind, found)
    else if (write.op !== 'create') this.#mirrors[write.kind].gone(write.name, write.revision)
    this.#settled(write, end)
  }

  /** Somebody else's object is in the place of what was to be written, and cannot be read. */
  unreadable(write: Write, reason: string): void {
    this.#settled(write, 'refused')
    if (write.kind === 'Tenant') this.#tenants.unreadable(write.name, reason)
  }

  /** Decides anew about what a write was for. */
  retry(write: Write): void {
    if (write.kind === 'NodeNetwork') this.#nodes.retry(write.name)
    else this.#tenants.again(write.name)
  }

  #answered(kind: Write['kind'], object: Stored<Kind>): void {
    // The object is of the write's kind, which the union's type alone does not tell.
    this.#mirrors[kind].answered(object as Stored<never>)
  }

  #settled(write: Write, end: WriteEnd): void {
    if (write.kind === 'NodeNetwork') this.#nodes.settled(write.name, end)
    else this.#tenants.settled(write, end)
  }

  #isFutile(write: Write): boolean {
    if (write.op !== 'update') return false
    const futile = this.#futile.get(keyOf(write))
    if (futile === undefined) return false
    if (futile.revision === write.revision && isDeepStrictEqual(futile.value, write.value)) return true
    this.#futile.delete(keyOf(write))
    return false
  }
}
