/**
 * Which namespaces and pods are meant by their labels.
 * @module
 */
import type { Labels, Namespaces, PodSet } from '../model/policy.ts'
import { matchesSelector, namespaceLabels } from '../model/selector.ts'

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
