/**
 * Which policies name which network sets. What becomes of a set concerns those that name it, and costs no look at others.
 * @module
 */
import type { Condition } from '../model/condition.ts'
import { isWhole } from '../model/network-set.ts'
import { DIRECTIONS, type Policy, policyKey } from '../model/policy.ts'
import { ConditionIndex } from './condition-index.ts'
import type { NetworkSets } from './network-sets.ts'

/** A demand on network sets, once for all rules that make it. */
interface Use {
  readonly name: string
  readonly where: Condition
  /** Keys of the policies with such a rule, and whether one of those does anything but allow. */
  readonly policies: Map<string, boolean>
  /** Keys of the sets that meet it and of which something cannot be read. */
  readonly unread: Set<string>
}

/** What a change of a network set is to policies, by their keys. */
export interface SetChange {
  /** Those that name it, or named it before. */
  readonly naming: ReadonlySet<string>
  /** Those in which a rule that does not allow names sets that cannot be read since, or names such no more. */
  readonly turned: ReadonlySet<string>
}

/** The policies that name network sets. */
export class SetUses {
  readonly #sets: NetworkSets
  readonly #uses = new Map<string, Use>()
  readonly #byCondition = new ConditionIndex<Use>()
  readonly #ofPolicy = new Map<string, readonly Use[]>()
  /** The demands that a set met when it was last looked at. */
  readonly #ofSet = new Map<string, Set<Use>>()

  constructor(sets: NetworkSets) {
    this.#sets = sets
  }

  /** A policy appeared or changed. */
  put(policy: Policy): void {
    const key = policyKey(policy)
    const closing = new Map<Use, boolean>()
    for (const { where, isClosing } of demandsOf(policy)) {
      const use = this.#useOf(where)
      closing.set(use, isClosing || closing.get(use) === true)
    }
    for (const [use, isClosing] of closing) use.policies.set(key, isClosing)
    this.#leave(key, closing)
    if (closing.size > 0) this.#ofPolicy.set(key, [...closing.keys()])
    else this.#ofPolicy.delete(key)
  }

  /** A policy is gone. */
  remove(key: string): void {
    this.#leave(key, new Map())
    this.#ofPolicy.delete(key)
  }

  /** A set appeared, changed, or is gone; or its namespace has other labels. */
  setChanged(key: string): SetChange {
    const before = this.#ofSet.get(key) ?? NONE
    const [labelled, set] = [this.#sets.labelled(key), this.#sets.get(key)]
    const after = new Set(labelled === undefined ? [] : this.#byCondition.metBy(labelled))
    if (after.size > 0) this.#ofSet.set(key, after)
    else this.#ofSet.delete(key)
    const isUnread = set !== undefined && !isWhole(set)
    const turned = [...before, ...after].filter((use) => note(use, key, isUnread && after.has(use)))
    const named = [...before, ...after].flatMap(({ policies }) => [...policies.keys()])
    const closing = turned.flatMap(({ policies }) => [...policies].flatMap(([one, is]) => (is ? [one] : [])))
    return { naming: new Set(named), turned: new Set(closing) }
  }

  /** Whether some set that meets a demand of a policy cannot be read. */
  isUnread(where: Condition): boolean {
    return (this.#uses.get(JSON.stringify(where))?.unread.size ?? 0) > 0
  }

  #useOf(where: Condition): Use {
    const name = JSON.stringify(where)
    const known = this.#uses.get(name)
    if (known !== undefined) return known
    const use: Use = { name, where, policies: new Map(), unread: new Set() }
    this.#uses.set(name, use)
    this.#byCondition.add(use, where)
    for (const key of this.#sets.meeting(where)) {
      const met = this.#ofSet.get(key) ?? new Set()
      this.#ofSet.set(key, met.add(use))
      const set = this.#sets.get(key)
      if (set !== undefined && !isWhole(set)) use.unread.add(key)
    }
    return use
  }

  /** A policy makes none of its demands any more but these. */
  #leave(key: string, stay: ReadonlyMap<Use, unknown>): void {
    for (const use of this.#ofPolicy.get(key) ?? []) {
      if (stay.has(use)) continue
      use.policies.delete(key)
      if (use.policies.size === 0) this.#drop(use)
    }
  }

  #drop(use: Use): void {
    this.#uses.delete(use.name)
    this.#byCondition.delete(use)
    for (const key of this.#sets.meeting(use.where)) {
      const met = this.#ofSet.get(key)
      met?.delete(use)
      if (met?.size === 0) this.#ofSet.delete(key)
    }
  }
}

const NONE: ReadonlySet<Use> = new Set()

/** Whether it is another answer than before to whether something that meets the demand cannot be read. */
function note(use: Use, set: string, isUnread: boolean): boolean {
  const before = use.unread.size > 0
  if (isUnread) use.unread.add(set)
  else use.unread.delete(set)
  return before !== use.unread.size > 0
}

function demandsOf(policy: Policy): readonly { readonly where: Condition; readonly isClosing: boolean }[] {
  const rules = DIRECTIONS.flatMap((direction) => policy[direction] ?? [])
  return rules.flatMap(({ action, peers = [] }) =>
    peers.flatMap((peer) => (peer.type === 'sets' ? [{ where: peer.where, isClosing: action !== 'allow' }] : [])),
  )
}
