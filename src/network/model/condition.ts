/**
 * A demand on labels that is no plain list: with alternatives, and with parts of values. Dialects of policies that have
 * more words than Kubernetes' selectors are read as this.
 * @module
 */
import type { Labels } from './policy.ts'

/** What a label's value is held against. All are false where the label is absent. */
export type Comparison = 'in' | 'contains' | 'startsWith' | 'endsWith'

/** Whose label it is. */
export type Holder = 'own' | 'namespace'

/** A demand on something that has labels, and on its namespace. */
export type Condition =
  | { readonly type: 'all' }
  /** It is in some namespace, as pods always are. */
  | { readonly type: 'namespaced' }
  | { readonly type: 'has'; readonly of: Holder; readonly key: string }
  | {
      readonly type: 'compare'
      readonly of: Holder
      readonly key: string
      readonly how: Comparison
      readonly values: readonly string[]
    }
  | { readonly type: 'not'; readonly condition: Condition }
  | { readonly type: 'and' | 'or'; readonly conditions: readonly Condition[] }

/** What is asked about. */
export interface Labelled {
  readonly own: Labels
  /** Absent: it is in no namespace. */
  readonly namespace?: Labels
}

/** A label's value; false: it is absent; undefined: nobody knows yet. */
export type Lookup = (of: Holder, key: string) => string | false | undefined

/** Whether it meets a condition. */
export function meetsCondition(condition: Condition, { own, namespace }: Labelled): boolean {
  const lookup: Lookup = (of, key) => labelIn(of === 'own' ? own : (namespace ?? {}), key)
  return tryCondition(condition, lookup, namespace !== undefined) === true
}

/** Whether something is so, as far as its labels are known; undefined where that is not enough to say. */
export function tryCondition(condition: Condition, lookup: Lookup, isNamespaced = true): boolean | undefined {
  switch (condition.type) {
    case 'all':
      return true
    case 'namespaced':
      return isNamespaced
    case 'has': {
      const value = lookup(condition.of, condition.key)
      return value === undefined ? undefined : value !== false
    }
    case 'compare': {
      const value = lookup(condition.of, condition.key)
      if (value === undefined || value === false) return value
      return condition.values.some((wanted) => COMPARISONS[condition.how](value, wanted))
    }
    case 'not': {
      const inner = tryCondition(condition.condition, lookup, isNamespaced)
      return inner === undefined ? undefined : !inner
    }
    case 'and':
      return all(condition.conditions.map((one) => tryCondition(one, lookup, isNamespaced)))
    case 'or': {
      const none = all(
        condition.conditions.map((one) => {
          const inner = tryCondition(one, lookup, isNamespaced)
          return inner === undefined ? undefined : !inner
        }),
      )
      return none === undefined ? undefined : !none
    }
  }
}

/** The value of a label, or false. A label called `constructor` is one like any other: nothing is asked of a prototype. */
export function labelIn(labels: Labels, key: string): string | false {
  return Object.hasOwn(labels, key) ? (labels[key] ?? false) : false
}

/** The keys that a condition asks for. */
export function keysIn(condition: Condition, of: Holder): readonly string[] {
  switch (condition.type) {
    case 'has':
    case 'compare':
      return condition.of === of ? [condition.key] : []
    case 'not':
      return keysIn(condition.condition, of)
    case 'and':
    case 'or':
      return condition.conditions.flatMap((one) => keysIn(one, of))
    default:
      return []
  }
}

function all(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

/** How values are compared. */
export const COMPARISONS: Readonly<Record<Comparison, (value: string, wanted: string) => boolean>> = {
  in: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startsWith: (value, wanted) => value.startsWith(wanted),
  endsWith: (value, wanted) => value.endsWith(wanted),
}
