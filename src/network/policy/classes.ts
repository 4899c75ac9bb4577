/**
 * The classes of this node's pods, each with the flows of its policies. A class lives as long as a pod is of it.
 * @module
 */
import type { Action } from '../../flow/flow.ts'
import type { Fragment } from '../fragments/fragment.ts'
import { type Direction, type Policy, policyKey } from '../model/policy.ts'
import { GroupIds } from '../service/ids.ts'
import { classFlows, type Term } from './class-flows.ts'
import { levelOfNamespaces, type Places } from './levels.ts'
import type { PeerSet, PeerSets } from './peer-sets.ts'
import { isolationTitle, ruleKey, ruleTitle } from './rule-names.ts'
import type { ClassSpec, Subjects } from './subjects.ts'
import { type PortsNamed, portNamesIn, termsOf } from './terms.ts'

/** What classes are made from. */
export interface ClassParts {
  readonly subjects: Subjects
  readonly places: Places
  readonly peers: PeerSets
  readonly ports: PortsNamed
  /** Takes the mark of an allowed connection away. */
  revoke(): Action
  set(key: string, fragment: Fragment | undefined): void
}

/** A class that pods are of. */
export interface ClassUse {
  /** What flows call it by. */
  readonly id: number
  /** Whether rules of the admin tier come first. */
  readonly isAdministered: boolean
}

interface State {
  readonly id: number
  readonly name: string
  readonly spec: ClassSpec
  isAdministered: boolean
  uses: number
  held: readonly PeerSet[]
  rules: ReadonlyMap<string, string>
}

/** The classes of this node's pods. What changes is planned by {@link settle}. */
export class Classes {
  readonly #parts: ClassParts
  readonly #ids = new GroupIds()
  readonly #byName = new Map<string, State>()
  readonly #byId = new Map<number, State>()
  readonly #ofPolicy = new Map<string, Set<State>>()
  readonly #dirty = new Set<State>()
  /** How many classes each rule is in. */
  readonly #rules = new Map<string, number>()

  constructor(parts: ClassParts) {
    this.#parts = parts
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0
  }

  /** The class of this spec, until {@link release} takes it back as often. */
  acquire(spec: ClassSpec): ClassUse {
    const name = JSON.stringify(spec)
    const state = this.#byName.get(name) ?? this.#create(name, spec)
    state.uses += 1
    state.isAdministered = spec.policies.some((key) => this.#parts.subjects.get(key)?.tier === 'admin')
    return state
  }

  release({ id }: ClassUse): void {
    const state = this.#byId.get(id)
    if (state === undefined) return
    state.uses -= 1
    if (state.uses > 0) return
    this.#byName.delete(state.name)
    this.#byId.delete(id)
    this.#ids.release(id)
    this.#dirty.delete(state)
    this.#unlink(state)
    this.#replace(state, [], new Map())
    this.#parts.set(classKey(state), undefined)
  }

  /** Plans what changed since the last call. */
  settle(): void {
    for (const state of this.#dirty) this.#plan(state)
    this.#dirty.clear()
  }

  /** A policy says other things than before about the pods that it selects. */
  replan(policy: string): void {
    for (const state of this.#ofPolicy.get(policy) ?? []) this.#dirty.add(state)
  }

  /** A name of ports stands for others than before. */
  portsChanged(names: readonly string[]): void {
    const changed = new Set(names)
    for (const state of this.#byId.values()) {
      if (state.spec.direction !== 'egress') continue
      const rules = this.#policiesOf(state.spec).flatMap(({ egress = [] }) => egress)
      if (rules.some((rule) => portNamesIn(rule).some((name) => changed.has(name)))) this.#dirty.add(state)
    }
  }

  /** Everything may look different. */
  replanAll(): void {
    for (const state of this.#byId.values()) this.#dirty.add(state)
  }

  #create(name: string, spec: ClassSpec): State {
    const id = this.#ids.of(name)
    const state: State = { id, name, spec, isAdministered: false, uses: 0, held: [], rules: new Map() }
    this.#byName.set(name, state)
    this.#byId.set(id, state)
    for (const key of spec.policies) {
      const users = this.#ofPolicy.get(key) ?? new Set()
      this.#ofPolicy.set(key, users.add(state))
    }
    this.#dirty.add(state)
    return state
  }

  #plan(state: State): void {
    const { spec, id } = state
    const policies = this.#policiesOf(spec)
    const isolating = policies.filter(({ tier }) => tier === 'namespace')
    const held: PeerSet[] = []
    const rules = new Map<string, string>()
    const terms = policies.flatMap((policy) => this.#terms(policy, spec, isolating.length > 0, held, rules))
    const key = classKey(state)
    const { direction, pending } = spec
    const isolated = isolating.length > 0
    const log = isolating.some((policy) => policy.log === true)
    const flows = classFlows({ key, id, direction, terms, isolated, pending, log, revoke: this.#parts.revoke() })
    const title = isolated ? isolationTitle(isolating, direction) : `pods under the cluster’s policies (${direction})`
    this.#parts.set(key, { key, title, flows, groups: [] })
    this.#replace(state, held, rules)
  }

  #terms(
    policy: Policy,
    { direction, named }: ClassSpec,
    isIsolated: boolean,
    held: PeerSet[],
    rules: Map<string, string>,
  ): readonly Term[] {
    const { tier, log = false } = policy
    // Whom a policy isolates, the baseline says nothing about.
    if (tier === 'firewall' || (tier === 'baseline' && isIsolated)) return []
    return (policy[direction] ?? []).flatMap((rule, index) => {
      const key = ruleKey(policyKey(policy), direction, index)
      rules.set(key, ruleTitle(policy, direction, index))
      const level =
        tier === 'namespace' ? levelOfNamespaces(direction) : this.#parts.places.levelOf(policy, tier, direction, index)
      return termsOf(rule, direction, named, this.#parts.ports).flatMap(({ peers, ports }): readonly Term[] => {
        if (peers === 'anybody') return [{ level, peers, ports, action: rule.action, rule: key, log }]
        if (peers.length === 0 || ports.length === 0) return []
        const set = this.#parts.peers.acquire(level, peers)
        held.push(set)
        return [{ level, peers: set, ports, action: rule.action, rule: key, log }]
      })
    })
  }

  /** In the order in which they count: keys are in order, and that of equal priorities stays. */
  #policiesOf({ policies }: ClassSpec): readonly Policy[] {
    return policies.flatMap((key) => this.#parts.subjects.get(key) ?? []).sort((a, b) => a.priority - b.priority)
  }

  /** New ones are held before old ones are let go: what both have stays as it is. */
  #replace(state: State, held: readonly PeerSet[], rules: ReadonlyMap<string, string>): void {
    for (const [key, title] of rules) this.#name(key, title)
    for (const key of state.rules.keys()) this.#unname(key)
    for (const set of state.held) this.#parts.peers.release(set)
    state.held = held
    state.rules = rules
  }

  /** A fragment without flows of its own: flows of classes carry its cookie. */
  #name(key: string, title: string): void {
    this.#rules.set(key, (this.#rules.get(key) ?? 0) + 1)
    this.#parts.set(key, { key, title, flows: [], groups: [] })
  }

  #unname(key: string): void {
    const count = (this.#rules.get(key) ?? 0) - 1
    if (count > 0) {
      this.#rules.set(key, count)
      return
    }
    this.#rules.delete(key)
    this.#parts.set(key, undefined)
  }

  #unlink(state: State): void {
    for (const policy of state.spec.policies) {
      const users = this.#ofPolicy.get(policy)
      users?.delete(state)
      if (users?.size === 0) this.#ofPolicy.delete(policy)
    }
  }
}

function classKey({ spec, id }: State): string {
  return `policy-class/${spec.direction}/${id}`
}

/** The directions that a pod has a class in. */
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress']
