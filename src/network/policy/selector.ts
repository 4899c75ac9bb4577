/**
 * Which namespaces and pods are meant by their labels.
 * @module
 */
import { meetsCondition } from '../model/condition.ts'
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
  const { where } = set
  if (!matchesNamespaces(set.namespaces, pod.namespace, labelsOfNamespace)) return false
  if (!matchesSelector(set.pods, pod.labels)) return false
  if (where === undefined) return true
  return meetsCondition(where, {
    own: pod.labels ?? {},
    namespace: namespaceLabels(pod.namespace, labelsOfNamespace),
  })
}
