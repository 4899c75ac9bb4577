/**
 * Which namespaces and pods are meant by their labels.
 * @module
 */
import { type Condition, meetsCondition } from '../model/condition.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { Labels, Namespaces, PodSet } from '../model/policy.ts'
import { matchesSelector, namespaceLabels } from '../model/selector.ts'

/** Whether a namespace of this name and these labels is one of those meant. */
export function matchesNamespaces(namespaces: Namespaces, name: string, labels?: Labels): boolean {
  if ('name' in namespaces) return namespaces.name === name
  return matchesSelector(namespaces.labels, namespaceLabels(name, labels))
}

/** Whether a network set is one of those meant. */
export function matchesSet(
  where: Condition,
  { namespace, labels }: Pick<NetworkSet, 'namespace' | 'labels'>,
  labelsOfNamespace?: Labels,
): boolean {
  if (namespace === undefined) return meetsCondition(where, { own: labels })
  return meetsCondition(where, { own: labels, namespace: namespaceLabels(namespace, labelsOfNamespace) })
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
