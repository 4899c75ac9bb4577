/**
 * Which policies a pod is subject to.
 * @module
 */
import type { NamedPort } from '../model/pod.ts'
import { type Direction, type Labels, type Policy, policyKey, type Selector } from '../model/policy.ts'
import { matchesSelector } from './selector.ts'
import { SelectorIndex } from './selector-index.ts'
import { portNamesIn } from './terms.ts'

/** A pod as far as it is known. */
export interface Subject {
  readonly namespace: string
  readonly namespaceLabels: Labels
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
  readonly #inNamespace = new Map<string, SelectorIndex<string>>()
  readonly #acrossNamespaces = new SelectorIndex<string>()
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
    const { namespaces, pods } = policy.subject
    if (policy.tier === 'firewall') {
      const siblings = this.#firewalls.get(policy.namespace ?? '') ?? new Set()
      this.#firewalls.set(policy.namespace ?? '', siblings.add(key))
    } else if ('name' in namespaces) {
      const siblings = this.#inNamespace.get(namespaces.name) ?? new SelectorIndex()
      siblings.add(key, pods)
      this.#inNamespace.set(namespaces.name, siblings)
    } else {
      this.#acrossNamespaces.add(key, namespaces.labels)
    }
  }

  /** The policy that was there, if any. */
  remove(key: string): Policy | undefined {
    const policy = this.#policies.get(key)
    if (policy === undefined) return undefined
    this.#policies.delete(key)
    this.#acrossNamespaces.delete(key)
    this.#firewalls.get(policy.namespace ?? '')?.delete(key)
    const { namespaces } = policy.subject
    if ('name' in namespaces) {
      const siblings = this.#inNamespace.get(namespaces.name)
      siblings?.delete(key)
      if (siblings?.size === 0) this.#inNamespace.delete(namespaces.name)
    }
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
      const selects = isSelected(policy.subject.pods, subject.labels)
      if (selects === 'unknown') pending = true
      else if (selects) policies.set(key, policy)
    }
    if (policies.size === 0 && !pending) return undefined
    const named = direction === 'ingress' ? namedIn(policies.values(), subject.namedPorts) : []
    return { direction, policies: [...policies.keys()].sort(), named, pending }
  }

  *#candidates({ namespace, namespaceLabels, labels }: Subject): Generator<readonly [string, Policy]> {
    const own = this.#inNamespace.get(namespace)
    const keys = own === undefined ? [] : labels === undefined ? own.values() : own.matching(labels)
    for (const key of [...keys, ...this.#acrossNamespaces.matching(namespaceLabels)]) {
      const policy = this.#policies.get(key)
      if (policy !== undefined) yield [key, policy]
    }
  }
}

function isSelected(selector: Selector, labels: Labels | undefined): boolean | 'unknown' {
  if (labels !== undefined) return matchesSelector(selector, labels)
  return selector.length === 0 ? true : 'unknown'
}

function namedIn(policies: Iterable<Policy>, namedPorts: readonly NamedPort[]): readonly NamedPort[] {
  if (namedPorts.length === 0) return []
  const names = new Set([...policies].flatMap(({ ingress = [] }) => ingress.flatMap(portNamesIn)))
  return namedPorts
    .filter(({ name }) => names.has(name))
    .map(({ name, protocol, port }) => ({ name, protocol, port }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}
