/**
 * Finds the sets that a pod may be in without trying them all: by its namespace's name or labels, and by its own labels
 * in sets of one namespace.
 * @module
 */
import type { Labels, PodSet } from '../model/policy.ts'
import { SelectorIndex } from './selector-index.ts'

/** A pod as far as it is known. What is not known rules nothing out. */
export interface Candidate {
  readonly namespace: string
  readonly namespaceLabels: Labels | undefined
  readonly labels: Labels | undefined
}

/** Things that are for a set of pods. */
export class PodSetIndex<T> {
  readonly #inNamespace = new Map<string, SelectorIndex<T>>()
  readonly #acrossNamespaces = new SelectorIndex<T>()
  /** Of things for pods of one namespace, that one. */
  readonly #namespaceOf = new Map<T, string>()

  add(thing: T, { namespaces, pods }: PodSet): void {
    this.delete(thing)
    if (!('name' in namespaces)) {
      this.#acrossNamespaces.add(thing, namespaces.labels)
      return
    }
    const siblings = this.#inNamespace.get(namespaces.name) ?? new SelectorIndex()
    siblings.add(thing, pods)
    this.#inNamespace.set(namespaces.name, siblings)
    this.#namespaceOf.set(thing, namespaces.name)
  }

  delete(thing: T): void {
    this.#acrossNamespaces.delete(thing)
    const namespace = this.#namespaceOf.get(thing)
    if (namespace === undefined) return
    this.#namespaceOf.delete(thing)
    const siblings = this.#inNamespace.get(namespace)
    siblings?.delete(thing)
    if (siblings?.size === 0) this.#inNamespace.delete(namespace)
  }

  /** All things whose set the pod is in, each once, and some others: of sets across namespaces its own labels are not asked. */
  *candidates({ namespace, namespaceLabels, labels }: Candidate): Generator<T> {
    const own = this.#inNamespace.get(namespace)
    if (own !== undefined) yield* labels === undefined ? own.values() : own.matching(labels)
    const across = this.#acrossNamespaces
    yield* namespaceLabels === undefined ? across.values() : across.matching(namespaceLabels)
  }
}
