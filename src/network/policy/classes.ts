/**
 * The classes of this node's pods, each with the flows of its policies. A class lives as long as a pod is of it.
 * @module
 */
import type { Action } from '../../flow/flow.ts'
import type { Fragment } from '../fragments/fragment.ts'
import { comparePolicies, type Direction, type Policy, policyKey } from '../model/policy.ts'
import { StableIds } from '../pipeline/stable-ids.ts'
import { classFlows, type Term } from './class-flows.ts'
import { isBeyondAll, type Places } from './levels.ts'
import type { PeerSet, PeerSets } from './peer-sets.ts'
import { isolationKey, isolationTitle, policyTitle, ruleKey, ruleTitle } from './rule-names.ts'
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

/** A class that pods are of. Its number may become another until {@link Classes.settle}. */
export interface ClassUse {
  /** What flows call it by; 0 before {@link Classes.number}. */
  readonly id: number
  readonly spec: ClassSpec
  /** Whether rules of the admin tier come first. */
  readonly isAdministered: boolean
}

interface State {
  id: number
  /** Of the members, the one that the class is numbered by. */
  label: string | undefined
  readonly name: string
  readonly spec: ClassSpec
  isAdministered: boolean
  /** Pods that look alike to all policies, with how many there are of each. */
  readonly members: Map<string, number>
  held: readonly PeerSet[]
  rules: ReadonlyMap<string, string>
}

/**
 * The classes of this node's pods. What changes is planned by {@link settle}.
 *
 * A class is numbered by its pods and not by its policies: where the same pods get one policy more, the class keeps its
 * number, and the flows of its other policies stay as they are. Of all looks that its pods have, the first in order gives the
 * number, so an agent that starts anew gives the same.
 */
export class Classes {
  readonly #parts: ClassParts
  readonly #ids = new StableIds()
  readonly #owners = new Map<string, State>()
  readonly #states = new Map<string, State>()
  readonly #ofPolicy = new Map<string, Set<State>>()
  readonly #dirty = new Set<State>()
  /** Those that pods joined or left. */
  readonly #changed = new Set<State>()
  /** Numbers whose flows belong to nobody, unless somebody got them meanwhile. */
  readonly #retired = new Map<number, Direction>()
  /** How many classes each rule is in. */
  readonly #rules = new Map<string, number>()

  constructor(parts: ClassParts) {
    this.#parts = parts
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#changed.size > 0
  }

  /** A pod that looks like this is of the class of this spec, until {@link leave}. */
  join(spec: ClassSpec, look: string): ClassUse {
    const name = JSON.stringify(spec)
    const state = this.#states.get(name) ?? this.#create(name, spec)
    state.members.set(look, (state.members.get(look) ?? 0) + 1)
    state.isAdministered = spec.policies.some((key) => this.#parts.subjects.get(key)?.tier === 'admin')
    this.#changed.add(state)
    return state
  }

  leave(use: ClassUse, look: string): void {
    const state = use as State
    const count = (state.members.get(look) ?? 0) - 1
    if (count > 0) state.members.set(look, count)
    else state.members.delete(look)
    this.#changed.add(state)
  }

  /** Gives classes their numbers; returns those that had another before. */
  number(): ReadonlySet<ClassUse> {
    const changes = [...this.#changed].flatMap((state) => {
      const label = state.members.size === 0 ? undefined : firstOf(state.members.keys())
      return label === state.label ? [] : [{ state, before: state.label, label }]
    })
    for (const { state, before } of changes) {
      if (before === undefined) continue
      if (this.#owners.get(before) === state) this.#owners.delete(before)
      this.#retired.set(state.id, state.spec.direction)
    }
    for (const { state, label } of changes) {
      state.label = label
      if (label === undefined) continue
      this.#owners.set(label, state)
      state.id = this.#ids.of(label)
      this.#dirty.add(state)
    }
    for (const { before } of changes) {
      if (before !== undefined && !this.#owners.has(before)) this.#ids.release(this.#ids.of(before))
    }
    return new Set(changes.flatMap(({ state, before, label }) => (before && label ? [state] : [])))
  }

  /** Plans what changed since the last call. */
  settle(): void {
    for (const state of this.#dirty) if (state.members.size > 0) this.#plan(state)
    this.#dirty.clear()
    for (const state of this.#changed) if (state.members.size === 0) this.#drop(state)
    this.#changed.clear()
    const standing = new Set([...this.#owners.values()].map(({ id }) => id))
    for (const [id, direction] of this.#retired)
      if (!standing.has(id)) this.#parts.set(classKey(direction, id), undefined)
    this.#retired.clear()
  }

  /** A policy says other things than before about the pods that it selects. */
  replan(policy: string): void {
    for (const state of this.#ofPolicy.get(policy) ?? []) this.#dirty.add(state)
  }

  /** A name of ports stands for others than before. */
  portsChanged(names: readonly string[]): void {
    const changed = new Set(names)
    for (const state of this.#states.values()) {
      if (state.spec.direction !== 'egress') continue
      const rules = this.#policiesOf(state.spec).flatMap(({ egress = [] }) => egress)
      if (rules.some((rule) => portNamesIn(rule).some((name) => changed.has(name)))) this.#dirty.add(state)
    }
  }

  /** Everything may look different. */
  replanAll(): void {
    for (const state of this.#states.values()) this.#dirty.add(state)
  }

  #create(name: string, spec: ClassSpec): State {
    const fresh = { id: 0, label: undefined, isAdministered: false, held: [], rules: new Map<string, string>() }
    const state: State = { ...fresh, name, spec, members: new Map() }
    this.#states.set(name, state)
    for (const key of spec.policies) {
      const users = this.#ofPolicy.get(key) ?? new Set()
      this.#ofPolicy.set(key, users.add(state))
    }
    return state
  }

  #drop(state: State): void {
    this.#states.delete(state.name)
    this.#unlink(state)
    this.#replace(state, [], new Map())
  }

  #plan(state: State): void {
    const { spec, id } = state
    const policies = this.#policiesOf(spec)
    const isolating = policies.filter(({ tier }) => tier === 'namespace')
    const held: PeerSet[] = []
    const rules = new Map<string, string>()
    const { direction, pending } = spec
    const passes = isolating.some((policy) => policy[direction]?.some(({ action }) => action === 'pass'))
    const isFinal = isolating.length > 0 && !passes
    const terms = policies.flatMap((policy) => this.#terms(policy, spec, isFinal, held, rules))
    const key = classKey(spec.direction, id)
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
    isFinal: boolean,
    held: PeerSet[],
    rules: Map<string, string>,
  ): readonly Term[] {
    const { tier } = policy
    // Whom a policy isolates, the baseline says nothing about, unless something is passed on to it.
    if (tier === 'firewall' || (tier === 'baseline' && isFinal)) return []
    if (tier === 'namespace') rules.set(isolationKey(policyKey(policy), direction), policyTitle(policy))
    return (policy[direction] ?? []).flatMap((rule, index) => {
      const key = ruleKey(policyKey(policy), direction, index)
      rules.set(key, ruleTitle(policy, direction, index))
      const log = policy.log === true || rule.log === true
      const level = this.#parts.places.levelOf(policy, tier, direction, index)
      if (isBeyondAll(level)) return [{ level, peers: 'anybody', ports: [{}], action: 'deny', rule: key, log }]
      return termsOf(rule, direction, named, this.#parts.ports).flatMap(({ peers, ports }): readonly Term[] => {
        if (peers === 'anybody') return [{ level, peers, ports, action: rule.action, rule: key, log }]
        if (peers.length === 0 || ports.length === 0) return []
        const set = this.#parts.peers.acquire(level, peers)
        held.push(set)
        return [{ level, peers: set, ports, action: rule.action, rule: key, log }]
      })
    })
  }

  /** In the order in which they count. */
  #policiesOf({ policies }: ClassSpec): readonly Policy[] {
    return policies.flatMap((key) => this.#parts.subjects.get(key) ?? []).sort(comparePolicies)
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

function classKey(direction: Direction, id: number): string {
  return `policy-class/${direction}/${id}`
}

function firstOf(texts: Iterable<string>): string | undefined {
  let first: string | undefined
  for (const text of texts) if (first === undefined || text < first) first = text
  return first
}
