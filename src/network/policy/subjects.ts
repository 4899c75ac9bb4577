/**
 * Which policies a pod is subject to.
 * @module
 */

import { type Lookup, labelIn, tryCondition } from '../model/condition.ts'
import type { NamedPort } from '../model/pod.ts'
import { type Direction, type Labels, type PodSet, type Policy, policyKey, type Selector } from '../model/policy.ts'
import { matchesSelector } from '../model/selector.ts'
import { PodSetIndex } from './pod-set-index.ts'
import { matchesNamespaces } from './selector.ts'
import { portNamesIn } from './terms.ts'

/** A pod as far as it is known. */
export interface Subject {
  readonly namespace: string
  readonly namespaceLabels: Labels
  /** Whether these are all labels of its namespace: else nobody has told of it yet, and its name is all that is known. */
  readonly isNamespaceKnown: boolean
  /** Undefined while the API says nothing of it. */
  readonly labels: Labels | undefined
  readonly namedPorts: readonly NamedPort[]
}

/** The policies that a pod is subject to in one direction. Pods of the same ones are of one class. */
export interface ClassSpec {
  readonly direction: Direction
  /** Keys of policies, in the order in which they count. */
  readonly policies: readonly string[]
  /** Those of the pod's named ports that rules of these policies name. Of connections that come only. */
  readonly named: readonly NamedPort[]
  /** Some policy may select the pod, but its labels are not known yet. */
  readonly pending: boolean
}

/** All policies, found by the pods that they select. */
export class Subjects {
  readonly #policies = new Map<string, Policy>()
  /** Keys of all but egress firewalls. */
  readonly #bySubject = new PodSetIndex<string>()
  /** Keys of egress firewalls by namespace. */
  readonly #firewalls = new Map<string, Set<string>>()

  get(key: string): Policy | undefined {
    return this.#policies.get(key)
  }

  values(): Iterable<Policy> {
    return this.#policies.values()
  }

  put(policy: Policy): void {
    const key = policyKey(policy)
    this.remove(key)
    this.#policies.set(key, policy)
    if (policy.tier !== 'firewall') {
      this.#bySubject.add(key, policy.subject)
      return
    }
    const siblings = this.#firewalls.get(policy.namespace ?? '') ?? new Set()
    this.#firewalls.set(policy.namespace ?? '', siblings.add(key))
  }

  /** The policy that was there, if any. */
  remove(key: string): Policy | undefined {
    const policy = this.#policies.get(key)
    if (policy === undefined) return undefined
    this.#policies.delete(key)
    this.#bySubject.delete(key)
    const siblings = this.#firewalls.get(policy.namespace ?? '')
    siblings?.delete(key)
    if (siblings?.size === 0) this.#firewalls.delete(policy.namespace ?? '')
    return policy
  }

  /** The egress firewalls of a namespace, of which there should be one. */
  firewallsOf(namespace: string): readonly Policy[] {
    return [...(this.#firewalls.get(namespace) ?? [])].flatMap((key) => this.#policies.get(key) ?? [])
  }

  /** The class of a pod in a direction, or undefined when no policy speaks of it there. */
  classOf(subject: Subject, direction: Direction): ClassSpec | undefined {
    const policies = new Map<string, Policy>()
    let pending = false
    for (const [key, policy] of this.#candidates(subject)) {
      if (policy[direction] === undefined) continue
      const selects = isSelected(policy.subject, subject)
      if (selects === 'unknown') pending = true
      else if (selects) policies.set(key, policy)
    }
    if (policies.size === 0 && !pending) return undefined
    const named = direction === 'ingress' ? namedIn(policies.values(), subject.namedPorts) : []
    return { direction, policies: [...policies.keys()].sort(), named, pending }
  }

  *#candidates({ isNamespaceKnown, ...subject }: Subject): Generator<readonly [string, Policy]> {
    const namespaceLabels = isNamespaceKnown ? subject.namespaceLabels : undefined
    for (const key of this.#bySubject.candidates({ ...subject, namespaceLabels })) {
      const policy = this.#policies.get(key)
      if (policy !== undefined) yield [key, policy]
    }
  }
}

/** One demand that is not met is enough, whatever is not known besides. */
function isSelected({ namespaces, pods, where }: PodSet, subject: Subject): boolean | 'unknown' {
  const { namespace, namespaceLabels, isNamespaceKnown, labels } = subject
  const ofNamespace =
    'name' in namespaces || isNamespaceKnown
      ? matchesNamespaces(namespaces, namespace, namespaceLabels)
      : isMet(namespaces.labels, namespaceLabels)
  const ofPod = labels === undefined ? isMet(pods, undefined) : matchesSelector(pods, labels)
  const rest = where === undefined ? true : tryCondition(where, lookupIn(subject))
  if (ofNamespace === false || ofPod === false || rest === false) return false
  return ofNamespace === true && ofPod === true && rest === true ? true : 'unknown'
}

/** The labels of a pod and its namespace, as far as they are known. */
function lookupIn({ labels, namespaceLabels, isNamespaceKnown }: Subject): Lookup {
  return (of, key) => {
    const known = of === 'own' ? labels : namespaceLabels
    if (known === undefined) return undefined
    const value = labelIn(known, key)
    return value === false && of === 'namespace' && !isNamespaceKnown ? undefined : value
  }
}

/** Whether labels of which only these are known meet a selector. */
function isMet(selector: Selector, known: Labels = {}): boolean | 'unknown' {
  const [sure, open] = [true, false].map((isKnown) =>
    selector.filter(({ key }) => Object.hasOwn(known, key) === isKnown),
  )
  if (!matchesSelector(sure ?? [], known)) return false
  return (open ?? []).length === 0 ? true : 'unknown'
}

function namedIn(policies: Iterable<Policy>, namedPorts: readonly NamedPort[]): readonly NamedPort[] {
  if (namedPorts.length === 0) return []
  const names = new Set([...policies].flatMap(({ ingress = [] }) => ingress.flatMap(portNamesIn)))
  return namedPorts
    .filter(({ name }) => names.has(name))
    .map(({ name, protocol, port }) => ({ name, protocol, port }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}
