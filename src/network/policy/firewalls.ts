/**
 * The egress firewalls of namespaces that have pods on this node.
 * @module
 */
import type { Action } from '../../flow/flow.ts'
import type { Fragment } from '../fragments/fragment.ts'
import type { Ip } from '../model/address.ts'
import { type Policy, policyKey } from '../model/policy.ts'
import { StableIds } from '../pipeline/stable-ids.ts'
import { firewallFlows, firewallKey } from './firewall.ts'
import { policyTitle, ruleKey, ruleTitle } from './rule-names.ts'
import type { Subjects } from './subjects.ts'

/** What firewalls are made from. */
export interface FirewallParts {
  readonly subjects: Subjects
  /** Takes the mark of an allowed connection away. */
  revoke(): Action
  set(key: string, fragment: Fragment | undefined): void
}

/** The egress firewalls that count on this node. */
export class Firewalls {
  readonly #parts: FirewallParts
  readonly #ids = new StableIds()
  /** Endpoints here, by namespace. */
  readonly #endpoints = new Map<string, Set<string>>()
  readonly #names = new Map<string, readonly Ip[]>()
  /** Keys of the fragments that name rules, by namespace. */
  readonly #rules = new Map<string, readonly string[]>()

  constructor(parts: FirewallParts) {
    this.#parts = parts
  }

  /** What DNS names stand for, as far as somebody knows. */
  get addresses(): ReadonlyMap<string, readonly Ip[]> {
    return this.#names
  }

  /** DNS names that rules speak of. */
  names(): readonly string[] {
    return [...this.#endpoints.keys()].flatMap((namespace) =>
      this.#policiesOf(namespace).flatMap(({ egress = [] }) =>
        egress.flatMap(({ peers = [] }) => peers.flatMap((peer) => (peer.type === 'name' ? [peer.name] : []))),
      ),
    )
  }

  /** An endpoint of a namespace is here, or is not. Returns the number that flows call its firewall by, if it has one. */
  follow(namespace: string, endpoint: string, isHere: boolean): number | undefined {
    const endpoints = this.#endpoints.get(namespace) ?? new Set()
    const had = endpoints.size > 0
    if (isHere) endpoints.add(endpoint)
    else endpoints.delete(endpoint)
    if (endpoints.size === 0) this.#endpoints.delete(namespace)
    else this.#endpoints.set(namespace, endpoints)
    if (had !== endpoints.size > 0) this.plan(namespace)
    return isHere && this.#policiesOf(namespace).length > 0 ? this.#ids.of(namespace) : undefined
  }

  /** What a DNS name stands for; undefined while nobody knows. */
  setName(name: string, addresses: readonly Ip[] | undefined): void {
    if (addresses === undefined) this.#names.delete(name)
    else this.#names.set(name, addresses)
    for (const namespace of this.#rules.keys()) if (this.#speaksOf(namespace, name)) this.plan(namespace)
  }

  replanAll(): void {
    for (const namespace of this.#endpoints.keys()) this.plan(namespace)
  }

  /** The firewall of a namespace may be another. */
  plan(namespace: string): void {
    const policies = this.#policiesOf(namespace)
    this.#nameRules(namespace, policies)
    const key = firewallKey(namespace)
    if (policies.length === 0) {
      this.#parts.set(key, undefined)
      this.#ids.release(this.#ids.of(namespace))
      return
    }
    const flows = firewallFlows({
      namespace,
      key,
      id: this.#ids.of(namespace),
      policies,
      resolve: (name) => this.#names.get(name),
      revoke: this.#parts.revoke(),
    })
    this.#parts.set(key, { key, title: policies.map(policyTitle).join(' and '), flows, groups: [] })
  }

  /** Fragments without flows of their own: flows of the firewall carry their cookies. */
  #nameRules(namespace: string, policies: readonly Policy[]): void {
    const names = new Map(
      policies.flatMap((policy) =>
        (policy.egress ?? []).map((_, i) => [ruleKey(policyKey(policy), 'egress', i), ruleTitle(policy, 'egress', i)]),
      ),
    )
    for (const key of this.#rules.get(namespace) ?? []) if (!names.has(key)) this.#parts.set(key, undefined)
    for (const [key, title] of names) this.#parts.set(key, { key, title, flows: [], groups: [] })
    if (names.size === 0) this.#rules.delete(namespace)
    else this.#rules.set(namespace, [...names.keys()])
  }

  #speaksOf(namespace: string, name: string): boolean {
    return this.#policiesOf(namespace).some(({ egress = [] }) =>
      egress.some(({ peers = [] }) => peers.some((peer) => peer.type === 'name' && peer.name === name)),
    )
  }

  #policiesOf(namespace: string): readonly Policy[] {
    return this.#endpoints.has(namespace) ? this.#parts.subjects.firewallsOf(namespace) : []
  }
}
