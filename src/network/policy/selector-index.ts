/**
 * Finds the selectors that labels meet without trying them all: most demand some label by its value, and are looked up
 * by that.
 * @module
 */
import type { Labels, Requirement, Selector } from '../model/policy.ts'
import { matchesSelector } from '../model/selector.ts'

/** Things that are found by labels. */
export class SelectorIndex<T> {
  readonly #selectors = new Map<T, Selector>()
  /** By a label and value that the selector demands. */
  readonly #byLabel = new Map<string, Set<T>>()
  /** Those that demand no label by its value. */
  readonly #others = new Set<T>()

  get size(): number {
    return this.#selectors.size
  }

  /** Every thing there is. */
  values(): Iterable<T> {
    return this.#selectors.keys()
  }

  add(thing: T, selector: Selector): void {
    this.delete(thing)
    this.#selectors.set(thing, selector)
    const demand = narrowest(selector)
    if (demand === undefined) this.#others.add(thing)
    for (const value of demand?.values ?? []) {
      const key = labelKey(demand?.key ?? '', value)
      const siblings = this.#byLabel.get(key)
      if (siblings === undefined) this.#byLabel.set(key, new Set([thing]))
      else siblings.add(thing)
    }
  }

  delete(thing: T): void {
    const selector = this.#selectors.get(thing)
    if (selector === undefined) return
    this.#selectors.delete(thing)
    this.#others.delete(thing)
    const demand = narrowest(selector)
    for (const value of demand?.values ?? []) {
      const key = labelKey(demand?.key ?? '', value)
      const siblings = this.#byLabel.get(key)
      siblings?.delete(thing)
      if (siblings?.size === 0) this.#byLabel.delete(key)
    }
  }

  /** The things whose selectors these labels meet, each once. */
  *matching(labels: Labels = {}): Generator<T> {
    if (this.#byLabel.size > 0) {
      for (const [key, value] of Object.entries(labels)) {
        for (const thing of this.#byLabel.get(labelKey(key, value)) ?? []) if (this.#meets(thing, labels)) yield thing
      }
    }
    for (const thing of this.#others) if (this.#meets(thing, labels)) yield thing
  }

  #meets(thing: T, labels: Labels): boolean {
    return matchesSelector(this.#selectors.get(thing) ?? [], labels)
  }
}

/** The demand that the fewest labels meet. A label has one value, so nothing is found twice by it. */
export function narrowest(selector: Selector): Requirement | undefined {
  let best: Requirement | undefined
  for (const demand of selector) {
    if (demand.operator === 'In' && (best === undefined || demand.values.length < best.values.length)) best = demand
  }
  return best
}

/** A label as the key of a map. */
export function labelKey(key: string, value: string): string {
  return `${key}\0${value}`
}
