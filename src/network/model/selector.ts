/**
 * Which labels a selector means.
 * @module
 */
import { NAMESPACE_NAME_LABEL } from './pod.ts'
import type { Labels, Requirement, Selector } from './policy.ts'

/** Whether labels meet all demands of a selector. */
export function matchesSelector(selector: Selector, labels: Labels = {}): boolean {
  return selector.every((requirement) => meets(requirement, labels))
}

/** The labels that a namespace goes by; one that nobody has seen has at least its name. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME_LABEL]: name }
}

/** A label called `constructor` is one like any other: nothing is asked of a prototype. */
function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}
