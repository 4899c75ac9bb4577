/**
 * Tells a planner what is different in another world, step by step as an agent would hear of it.
 * @module
 */

import { policyKey } from '../../src/network/model/policy.ts'
import type { NodePlanner } from '../../src/network/planner.ts'
import { type Order, tell } from '../tables/policy/telling.ts'
import { podKey, type Step, type World } from '../tables/policy/world.ts'

/** What a world can lack. */
export type Contents = Pick<World, 'policies' | 'namespaces' | 'pods' | 'names'>

/** A world of nobody. */
export const EMPTY: Contents = { policies: [], namespaces: [], pods: [], names: new Map() }

/** Turns a planner that knows one world into one that knows another. Namespaces never go. */
export function steer(planner: NodePlanner, before: Contents, after: Contents, order: Order): void {
  for (const step of stepsBetween(before, after, order)) tell(planner, step, before.pods)
}

/** The steps from one world to another, those that take something away first. */
function stepsBetween(before: Contents, after: Contents, order: Order): readonly Step[] {
  const policies = difference(before.policies, after.policies, policyKey)
  const pods = difference(before.pods, after.pods, podKey)
  const namespaces = difference(before.namespaces, after.namespaces, ({ name }) => name)
  const steps: readonly Step[] = [
    ...pods.gone.map((key): Step => ({ op: 'remove-pod', key })),
    ...namespaces.changed.map((namespace): Step => ({ op: 'put-namespace', namespace })),
    ...pods.changed.map((pod): Step => ({ op: 'put-pod', pod })),
    ...policies.gone.map((key): Step => ({ op: 'remove-policy', key })),
    ...policies.changed.map((policy): Step => ({ op: 'put-policy', policy })),
    ...names(before, after),
  ]
  return order === 'pods-first' ? steps : steps.toReversed()
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
