/**
 * Network sets with their labels and those of their namespaces, found by what rules demand of them.
 * @module
 */
import type { Condition, Labelled } from '../model/condition.ts'
import { type NetworkSet, networkSetKey } from '../model/network-set.ts'
import type { Labels } from '../model/policy.ts'
import { LabelledIndex } from './condition-index.ts'

/** All network sets. Each goes by its `networkSetKey`. */
export class NetworkSets {
  readonly #labelsOf: (namespace: string) => Labels
  readonly #sets = new Map<string, NetworkSet>()
  readonly #labelled = new LabelledIndex()
  readonly #keysIn = new Map<string, Set<string>>()

  /** `labelsOf`: the labels of a namespace now, its name among them. */
  constructor(labelsOf: (namespace: string) => Labels) {
    this.#labelsOf = labelsOf
  }

  put(set: NetworkSet): void {
    const key = networkSetKey(set)
    this.#sets.set(key, set)
    this.#label(key, set)
    if (set.namespace === undefined) return
    const siblings = this.#keysIn.get(set.namespace) ?? new Set()
    this.#keysIn.set(set.namespace, siblings.add(key))
  }

  remove(key: string): void {
    const namespace = this.#sets.get(key)?.namespace ?? ''
    this.#sets.delete(key)
    this.#labelled.delete(key)
    const siblings = this.#keysIn.get(namespace)
    siblings?.delete(key)
    if (siblings?.size === 0) this.#keysIn.delete(namespace)
  }

  /** A namespace has other labels. */
  relabel(namespace: string): void {
    for (const key of this.keysIn(namespace)) {
      const set = this.#sets.get(key)
      if (set !== undefined) this.#label(key, set)
    }
  }

  get(key: string): NetworkSet | undefined {
    return this.#sets.get(key)
  }

  /** The labels that a set is selected by; undefined when it is gone. */
  labelled(key: string): Labelled | undefined {
    return this.#labelled.get(key)
  }

  values(): Iterable<NetworkSet> {
    return this.#sets.values()
  }

  /** The sets of a namespace. */
  keysIn(namespace: string): Iterable<string> {
    return this.#keysIn.get(namespace) ?? []
  }

  /** The sets that meet a condition, each once. */
  meeting(condition: Condition): Iterable<string> {
    return this.#labelled.meeting(condition)
  }

  #label(key: string, { namespace, labels: own }: NetworkSet): void {
    this.#labelled.put(key, namespace === undefined ? { own } : { own, namespace: this.#labelsOf(namespace) })
  }
}
