/**
 * What a preview compares: the same cluster under two sets of policies.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Cidr } from '../../network/model/address.ts'
import type { Condition } from '../../network/model/condition.ts'
import { isWhole, type NetworkSet } from '../../network/model/network-set.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Namespace, Pod } from '../../network/model/pod.ts'
import { type Policy, type PolicyRef, policyKey } from '../../network/model/policy.ts'
import { closedPolicy } from '../../network/policy/closed-rules.ts'
import { matchesSet } from '../../network/policy/selector.ts'

/** All that counts for what a change of policies changes. */
export interface PreviewWorld {
  readonly namespaces: readonly Namespace[]
  readonly pods: readonly Pod[]
  readonly nodes: readonly NodeNetwork[]
  readonly podNetworks: readonly Cidr[]
  /** Addresses with labels. Absent: none. */
  readonly sets?: readonly NetworkSet[]
  /** Policies as they are. */
  readonly before: readonly Policy[]
  /** The same with the change. Those that stay are the same objects: see {@link changed}. */
  readonly after: readonly Policy[]
  /** Whether two namespaces may talk at all, whatever policies say. Absent: all may. */
  readonly mayTalk?: (a: string, b: string) => boolean
}

/** The same world with policies as they count where something of network sets cannot be read. */
export function closedWorld(world: PreviewWorld): PreviewWorld {
  const unread = (world.sets ?? []).filter((set) => !isWhole(set))
  if (unread.length === 0) return world
  const labels = new Map(world.namespaces.map((namespace) => [namespace.name, namespace.labels]))
  const isSelected = (where: Condition): boolean =>
    unread.some((set) => matchesSet(where, set, labels.get(set.namespace ?? '')))
  const policies = new Map<Policy, Policy>()
  const closed = (policy: Policy): Policy => {
    // What stays the same object stays so.
    const known = policies.get(policy) ?? closedPolicy(policy, isSelected)
    policies.set(policy, known)
    return known
  }
  return { ...world, before: world.before.map(closed), after: world.after.map(closed) }
}

/** What is to become of the policies that there are. */
export interface PolicyChange {
  readonly put: readonly Policy[]
  readonly remove: readonly PolicyRef[]
}

/** The policies after a change. One that says what it said before is the object that it was. */
export function changed(before: readonly Policy[], { put, remove }: PolicyChange): readonly Policy[] {
  const policies = new Map(before.map((policy) => [policyKey(policy), policy]))
  for (const ref of remove) policies.delete(policyKey(ref))
  for (const policy of put) {
    const known = policies.get(policyKey(policy))
    if (known === undefined || !saysTheSame(known, policy)) policies.set(policyKey(policy), policy)
  }
  return [...policies.values()]
}

function saysTheSame(a: Policy, b: Policy): boolean {
  const { uid: _a, problems: _p, ...one } = a
  const { uid: _b, problems: _q, ...other } = b
  return isDeepStrictEqual(one, other)
}
