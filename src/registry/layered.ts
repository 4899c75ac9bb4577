/**
 * Shared state that is kept in several places: every kind in one of them.
 *
 * Revisions are those of a kind's own registry. They grow across the kinds that are kept together, and mean nothing for
 * the others: nobody compares them across kinds.
 * @module
 */
import type { NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import { KINDS } from './codec.ts'
import type { Change, Kind, Kinds, Listing, Registry, Stored } from './registry.ts'

/** Where every kind is kept. */
export type Layers = { readonly [K in Kind]: Registry }

/** Several registries as one. */
export class LayeredRegistry implements Registry {
  readonly #layers: Layers
  readonly report?: (network: NodeNetwork, status: NodeNetworkStatus) => Promise<void>

  constructor(layers: Layers) {
    this.#layers = layers
    const { report } = layers.NodeNetwork
    if (report !== undefined) this.report = (network, status) => report.call(layers.NodeNetwork, network, status)
  }

  get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    return this.#layers[kind].get(kind, name)
  }

  list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>> {
    return this.#layers[kind].list(kind, atLeast, name)
  }

  watch<K extends Kind>(kind: K, after: number, signal: AbortSignal, name?: string): AsyncIterable<Change<K>> {
    return this.#layers[kind].watch(kind, after, signal, name)
  }

  create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    return this.#layers[kind].create(kind, name, value)
  }

  update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    return this.#layers[kind].update(kind, name, value, revision)
  }

  delete(kind: Kind, name: string, revision?: number): Promise<void> {
    return this.#layers[kind].delete(kind, name, revision)
  }
}

/** The layers where these kinds are in `upper` and all others in `lower`. */
export function layersOf(upper: Registry, kinds: readonly Kind[], lower: Registry): Layers {
  return Object.fromEntries(KINDS.map((kind) => [kind, kinds.includes(kind) ? upper : lower])) as Layers
}
