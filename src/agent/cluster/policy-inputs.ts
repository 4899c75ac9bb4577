/**
 * What policies say, and whom they speak of: the plan is told, and until there is one it is kept for it.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Ip } from '../../network/model/address.ts'
import { isWhole, type NetworkSet, type NetworkSetKind, networkSetKey } from '../../network/model/network-set.ts'
import type { Namespace, Pod } from '../../network/model/pod.ts'
import { type Policy, type PolicyKind, policyKey } from '../../network/model/policy.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { Watcher } from './watcher.ts'

/** What of a plan is told of policies. */
export type PolicyTarget = Pick<
  NodePlanner,
  | 'putPolicy'
  | 'removePolicy'
  | 'putNetworkSet'
  | 'removeNetworkSet'
  | 'putPod'
  | 'removePod'
  | 'putNamespace'
  | 'removeNamespace'
  | 'putName'
  | 'wantedNames'
>

/** Policies, the pods of all nodes, and namespaces. */
export class PolicyInputs {
  readonly namespaces: Watcher<Namespace> & Feed
  readonly pods: Watcher<Pod> & Feed
  readonly #policies: Input<Policy>
  readonly #sets: Input<NetworkSet>
  readonly #ofKinds: LastGood<Policy>[] = []
  readonly #changed: () => void
  readonly #names = new Map<string, readonly Ip[]>()
  #plan: PolicyTarget | undefined

  /** `changed` is called whenever a plan was told of something. */
  constructor(changed: () => void) {
    this.#changed = changed
    this.namespaces = new Input(changed, {
      nameOf: ({ name }) => name,
      put: (plan, namespace) => plan.putNamespace(namespace),
      remove: (plan, name) => plan.removeNamespace(name),
      isSame: (a, b) => isDeepStrictEqual(a.labels, b.labels),
    })
    this.pods = new Input(changed, {
      nameOf: ({ namespace, name }) => `${namespace}/${name}`,
      put: (plan, pod) => plan.putPod(pod),
      remove: (plan, name) => plan.removePod(name),
      // Of what happens to a pod most is nothing to policies: it becomes ready, its containers start again.
      isSame: (a, b) => isDeepStrictEqual(partOf(a), partOf(b)),
    })
    this.#policies = new Input<Policy>(changed, {
      nameOf: policyKey,
      put: (plan, policy) => plan.putPolicy(policy),
      remove: (plan, key) => plan.removePolicy(key),
      isSame: (a, b) => isDeepStrictEqual(a, b),
    })
    this.#sets = new Input<NetworkSet>(changed, {
      nameOf: networkSetKey,
      put: (plan, set) => plan.putNetworkSet(set),
      remove: (plan, key) => plan.removeNetworkSet(key),
      isSame: (a, b) => isDeepStrictEqual(a, b),
    })
  }

  /** For the policies of a kind. One with a selector that cannot be read goes on as it last could be. */
  policiesOf(kind: PolicyKind): Watcher<Policy> {
    const policies = new LastGood(this.#policies, kind, policyKey, ({ isUnread }) => isUnread !== true)
    this.#ofKinds.push(policies)
    return policies
  }

  /** Policies that go on as they last could be read, as what they say now cannot be. */
  kept(): readonly Policy[] {
    return this.#ofKinds.flatMap((policies) => policies.kept())
  }

  /** For the network sets of a kind. One of which something cannot be read goes on as it last could be. */
  setsOf(kind: NetworkSetKind): Watcher<NetworkSet> {
    return new LastGood(this.#sets, kind, networkSetKey, isWhole)
  }

  /** DNS names that policies of pods here speak of; none before there is a plan. */
  wantedNames(): ReadonlySet<string> {
    return this.#plan?.wantedNames() ?? NO_NAMES
  }

  /** What a DNS name stands for; undefined while nobody knows. */
  putName(name: string, addresses: readonly Ip[] | undefined): void {
    if (addresses === undefined) this.#names.delete(name)
    else this.#names.set(name, addresses)
    this.#plan?.putName(name, addresses)
    this.#changed()
  }

  /** What the names that were resolved stand for. */
  names(): ReadonlyMap<string, readonly Ip[]> {
    return this.#names
  }

  /** There is a plan: it gets all that is there, and is told from now on. */
  feed(plan: PolicyTarget): void {
    this.#plan = plan
    for (const input of [this.namespaces, this.pods, this.#sets, this.#policies]) input.feed(plan)
  }
}

const NO_NAMES: ReadonlySet<string> = new Set()

interface Feed {
  feed(plan: PolicyTarget): void
}

/** How a plan is told of one kind of objects. */
interface Form<T> {
  nameOf(value: T): string
  put(plan: PolicyTarget, value: T): void
  remove(plan: PolicyTarget, name: string): void
  /** Whether two objects of one name are the same to policies. */
  isSame(a: T, b: T): boolean
}

class Input<T> implements Watcher<T>, Feed {
  readonly #changed: () => void
  readonly #form: Form<T>
  #plan: PolicyTarget | undefined
  /** Empty once there is a plan: that keeps what it needs. */
  readonly #waiting = new Map<string, T>()

  constructor(changed: () => void, form: Form<T>) {
    this.#changed = changed
    this.#form = form
  }

  put(value: T, before?: T): void {
    if (this.#plan === undefined) {
      this.#waiting.set(this.#form.nameOf(value), value)
      return
    }
    if (before !== undefined && this.#form.isSame(before, value)) return
    this.#form.put(this.#plan, value)
    this.#changed()
  }

  remove(name: string): void {
    this.#waiting.delete(name)
    if (this.#plan === undefined) return
    this.#form.remove(this.#plan, name)
    this.#changed()
  }

  feed(plan: PolicyTarget): void {
    this.#plan = plan
    for (const value of this.#waiting.values()) this.#form.put(plan, value)
    this.#waiting.clear()
  }
}

/**
 * Tells an input of the objects of a kind; what cannot be read leaves in force what could be, where that is known. Another object
 * of the same name, which may come without a word of the former's end, was never anything else.
 */
class LastGood<T extends { readonly uid?: string }> implements Watcher<T> {
  readonly #input: Watcher<T>
  readonly #kind: string
  readonly #keyOf: (value: T) => string
  readonly #isGood: (value: T) => boolean
  /** Those of which something that could be read is in force: that. */
  readonly #good = new Map<string, T>()
  /** Those of them that cannot be read now. */
  readonly #kept = new Set<string>()

  constructor(input: Watcher<T>, kind: string, keyOf: (value: T) => string, isGood: (value: T) => boolean) {
    this.#input = input
    this.#kind = kind
    this.#keyOf = keyOf
    this.#isGood = isGood
  }

  put(value: T, before?: T): void {
    const key = this.#keyOf(value)
    const good = this.#good.get(key)
    if (!this.#isGood(value) && good !== undefined && good.uid === value.uid) {
      this.#kept.add(key)
      return
    }
    this.#kept.delete(key)
    if (this.#isGood(value)) this.#good.set(key, value)
    else this.#good.delete(key)
    // What was in force before is not what the registry had before, where that could not be read.
    this.#input.put(value, before !== undefined && this.#isGood(before) ? before : undefined)
  }

  kept(): readonly T[] {
    return [...this.#kept].flatMap((key) => this.#good.get(key) ?? [])
  }

  remove(name: string): void {
    const key = `${this.#kind}/${name}`
    this.#good.delete(key)
    this.#kept.delete(key)
    this.#input.remove(key)
  }
}

function partOf({ uid, node, addresses, labels, namedPorts }: Pod): readonly unknown[] {
  return [uid, node, addresses, labels, namedPorts]
}
