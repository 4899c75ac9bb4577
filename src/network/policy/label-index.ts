/**
 * Finds those whose labels meet a selector without looking at all of them: the other way round than a
 * {@link SelectorIndex}.
 * @module
 */
import type { Labels, Selector } from '../model/policy.ts'
import { matchesSelector } from '../model/selector.ts'
import { labelKey, narrowest } from './selector-index.ts'

/** Names with labels. */
export class LabelIndex {
  readonly #labels = new Map<string, Labels>()
  readonly #byLabel = new Map<string, Set<string>>()

  get(name: string): Labels | undefined {
    return this.#labels.get(name)
  }

  put(name: string, labels: Labels): void {
    this.delete(name)
    this.#labels.set(name, labels)
    for (const [key, value] of Object.entries(labels)) {
      const names = this.#byLabel.get(labelKey(key, value))
      if (names === undefined) this.#byLabel.set(labelKey(key, value), new Set([name]))
      else names.add(name)
    }
  }

  delete(name: string): void {
    for (const [key, value] of Object.entries(this.#labels.get(name) ?? {})) {
      const names = this.#byLabel.get(labelKey(key, value))
      names?.delete(name)
      if (names?.size === 0) this.#byLabel.delete(labelKey(key, value))
    }
    this.#labels.delete(name)
  }

  /** The names whose labels meet a selector, each once. */
  *meeting(selector: Selector): Generator<string> {
    for (const name of this.#candidates(selector)) {
      if (matchesSelector(selector, this.#labels.get(name))) yield name
    }
  }

  #candidates(selector: Selector): Iterable<string> {
    const demand = narrowest(selector)
    if (demand === undefined) return this.#labels.keys()
    // A label has one value: nobody is found by two of them.
    return new Set(demand.values).values().flatMap((value) => this.#byLabel.get(labelKey(demand.key, value)) ?? [])
  }
}
