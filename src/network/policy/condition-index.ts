/**
 * Finds conditions by what has labels, and what has labels by conditions, without trying each with each: most conditions
 * demand some label by its value, and are looked up by that.
 * @module
 */
import { type Condition, type Holder, type Labelled, meetsCondition } from '../model/condition.ts'
import type { Labels, Requirement, Selector } from '../model/policy.ts'
import { LabelIndex } from './label-index.ts'
import { SelectorIndex } from './selector-index.ts'

/** Things that are for what meets a condition. */
export class ConditionIndex<T> {
  readonly #bySelector = new SelectorIndex<T>()
  readonly #conditions = new Map<T, Condition>()

  get size(): number {
    return this.#conditions.size
  }

  add(thing: T, condition: Condition): void {
    this.#conditions.set(thing, condition)
    this.#bySelector.add(thing, demandsIn(condition))
  }

  delete(thing: T): void {
    this.#conditions.delete(thing)
    this.#bySelector.delete(thing)
  }

  /** The things whose conditions this meets, each once. */
  *metBy(one: Labelled): Generator<T> {
    for (const thing of this.#bySelector.matching(allLabels(one))) {
      const condition = this.#conditions.get(thing)
      if (condition !== undefined && meetsCondition(condition, one)) yield thing
    }
  }
}

/** Names of what has labels. */
export class LabelledIndex {
  readonly #byLabels = new LabelIndex()
  readonly #labelled = new Map<string, Labelled>()

  put(name: string, one: Labelled): void {
    this.#labelled.set(name, one)
    this.#byLabels.put(name, allLabels(one))
  }

  delete(name: string): void {
    this.#labelled.delete(name)
    this.#byLabels.delete(name)
  }

  get(name: string): Labelled | undefined {
    return this.#labelled.get(name)
  }

  /** The names of those that meet a condition, each once. */
  *meeting(condition: Condition): Generator<string> {
    for (const name of this.#byLabels.meeting(demandsIn(condition))) {
      const one = this.#labelled.get(name)
      if (one !== undefined && meetsCondition(condition, one)) yield name
    }
  }
}

/** Labels that whoever meets a condition has for sure. */
function demandsIn(condition: Condition): Selector {
  const parts = condition.type === 'and' ? condition.conditions : [condition]
  return parts.flatMap((part): readonly Requirement[] =>
    part.type === 'compare' && part.how === 'in'
      ? [{ key: keyOf(part.of, part.key), operator: 'In', values: part.values }]
      : [],
  )
}

/** Its own labels and those of its namespace, told apart. */
function allLabels({ own, namespace = {} }: Labelled): Labels {
  const named = (of: Holder, labels: Labels) =>
    Object.entries(labels).map(([key, value]) => [keyOf(of, key), value] as const)
  return Object.fromEntries([...named('own', own), ...named('namespace', namespace)])
}

function keyOf(of: Holder, key: string): string {
  return `${of} ${key}`
}
