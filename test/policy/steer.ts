/**
 * Tells a planner what is different in another world, step by step as an agent would hear of it.
 * @module
 */

import { networkSetKey } from '../../src/network/model/network-set.ts'
import { policyKey } from '../../src/network/model/policy.ts'
import type { NodePlanner } from '../../src/network/planner.ts'
import { type Order, tell } from '../tables/policy/telling.ts'
import { podKey, type Step, type World } from '../tables/policy/world.ts'

/** What a world can lack. */
export type Contents = Pick<World, 'policies' | 'namespaces' | 'pods' | 'names' | 'sets'>

/** A world of nobody. */
export const EMPTY: Contents = { policies: [], namespaces: [], pods: [], names: new Map() }

/** Turns a planner that knows one world into one that knows another. Namespaces never go. */
export function steer(planner: NodePlanner, before: Contents, after: Contents, order: Order): void {
  let { pods } = before
  for (const step of stepsBetween(before, after, order)) {
    tell(planner, step, pods)
    if (step.op === 'remove-pod') pods = pods.filter((pod) => podKey(pod) !== step.key)
  }
}

/** The steps from one world to another. An address rests: who had it goes before the next one comes. */
function stepsBetween(before: Contents, after: Contents, order: Order): readonly Step[] {
  const policies = difference(before.policies, after.policies, policyKey)
  const pods = difference(before.pods, after.pods, podKey)
  const namespaces = difference(before.namespaces, after.namespaces, ({ name }) => name)
  const sets = difference(before.sets ?? [], after.sets ?? [], networkSetKey)
  const uids = new Map(after.pods.map((pod) => [podKey(pod), pod.uid]))
  const leaving = before.pods.filter((pod) => uids.get(podKey(pod)) !== pod.uid)
  const steps: readonly Step[] = [
    ...namespaces.changed.map((namespace): Step => ({ op: 'put-namespace', namespace })),
    ...pods.changed.map((pod): Step => ({ op: 'put-pod', pod })),
    ...policies.gone.map((key): Step => ({ op: 'remove-policy', key })),
    ...policies.changed.map((policy): Step => ({ op: 'put-policy', policy })),
    ...sets.gone.map((key): Step => ({ op: 'remove-set', key })),
    ...sets.changed.map((set): Step => ({ op: 'put-set', set })),
    ...names(before, after),
  ]
  return [
    ...leaving.map((pod): Step => ({ op: 'remove-pod', key: podKey(pod) })),
    ...(order === 'pods-first' ? steps : steps.toReversed()),
  ]
}

function names(before: Contents, after: Contents): readonly Step[] {
  const gone = [...before.names.keys()].filter((name) => !after.names.has(name))
  const changed = [...after.names].filter(([name, addresses]) => !Bun.deepEquals(before.names.get(name), addresses))
  return [
    ...gone.map((name): Step => ({ op: 'put-name', name, addresses: undefined })),
    ...changed.map(([name, addresses]): Step => ({ op: 'put-name', name, addresses })),
  ]
}

/** The keys of what is no more, and what is new or other than before. */
function difference<T>(before: readonly T[], after: readonly T[], key: (one: T) => string) {
  const old = new Map(before.map((one) => [key(one), one]))
  const kept = new Set(after.map(key))
  return {
    gone: [...old.keys()].filter((one) => !kept.has(one)),
    changed: after.filter((one) => !Bun.deepEquals(old.get(key(one)), one)),
  }
}
