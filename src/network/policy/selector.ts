/**
 * Which labels a selector means.
 * @module
 */
import { NAMESPACE_NAME_LABEL } from '../model/pod.ts'
import type { Labels, Namespaces, PodSet, Requirement, Selector } from '../model/policy.ts'

/** Whether labels meet all demands of a selector. */
export function matchesSelector(selector: Selector, labels: Labels = {}): boolean {
  return selector.every((requirement) => meets(requirement, labels))
}

/** The labels that a namespace goes by; one that nobody has seen has at least its name. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME_LABEL]: name }
}

/** Whether a namespace of this name and these labels is one of those meant. */
export function matchesNamespaces(namespaces: Namespaces, name: string, labels?: Labels): boolean {
  if ('name' in namespaces) return namespaces.name === name
  return matchesSelector(namespaces.labels, namespaceLabels(name, labels))
}

/** Whether a pod of this namespace is one of those meant. */
export function matchesPodSet(
  set: PodSet,
  pod: { readonly namespace: string; readonly labels?: Labels },
  labelsOfNamespace?: Labels,
): boolean {
  return matchesNamespaces(set.namespaces, pod.namespace, labelsOfNamespace) && matchesSelector(set.pods, pod.labels)
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
