/**
 * Tells planners what is different in a world of policies, as an agent's view of the cluster would: piece by piece.
 * @module
 */
import type { Pod } from '../../src/network/model/pod.ts'
import { type Policy, policyKey } from '../../src/network/model/policy.ts'
import type { NodePlanner } from '../../src/network/planner.ts'
import { podKey, type World } from '../tables/policy/world.ts'
import { endpointOf } from './rig.ts'

/** Which pieces come first. Agents hear of them in any order. */
export type Order = 'policies-first' | 'pods-first'

/** The tenant of a namespace. */
export type VniOf = (namespace: string) => number

/** A world of nobody. */
export const EMPTY: Omit<World, 'nodes' | 'podNetworks'> = {
  policies: [],
  namespaces: [],
  pods: [],
  names: new Map(),
}

/** Turns a planner that knows one world into one that knows another. */
export function steer(
  planner: NodePlanner,
  before: Pick<World, keyof typeof EMPTY>,
  after: Pick<World, keyof typeof EMPTY>,
  vniOf: VniOf,
  order: Order = 'policies-first',
): void {
  const steps = [
    () => steerPolicies(planner, before.policies, after.policies),
    () => steerNames(planner, before.names, after.names),
    () => steerNamespaces(planner, before.namespaces, after.namespaces, vniOf),
    () => steerPods(planner, before.pods, after.pods),
  ]
  for (const step of order === 'policies-first' ? steps : steps.toReversed()) step()
}

function steerPolicies(planner: NodePlanner, before: readonly Policy[], after: readonly Policy[]): void {
  const { gone, changed } = difference(before, after, policyKey)
  for (const policy of gone) planner.removePolicy(policyKey(policy))
  for (const policy of changed) planner.putPolicy(policy)
}

function steerNames(planner: NodePlanner, before: World['names'], after: World['names']): void {
  for (const name of before.keys()) if (!after.has(name)) planner.putName(name, undefined)
  for (const [name, addresses] of after) {
    if (!Bun.deepEquals(before.get(name), addresses)) planner.putName(name, addresses)
  }
}

function steerNamespaces(
  planner: NodePlanner,
  before: World['namespaces'],
  after: World['namespaces'],
  vniOf: VniOf,
): void {
  const { gone, changed } = difference(before, after, ({ name }) => name)
  for (const { name } of gone) {
    planner.removeNamespace(name)
    planner.removeTenant(name)
  }
  for (const namespace of changed) planner.putNamespace(namespace)
  for (const { name } of after) if (planner.vniOf(name) !== vniOf(name)) planner.putTenant(name, vniOf(name))
}

function steerPods(planner: NodePlanner, before: readonly Pod[], after: readonly Pod[]): void {
  const { node } = planner.context.self
  const { gone, changed } = difference(before, after, podKey)
  for (const pod of gone) {
    planner.removePod(podKey(pod))
    if (pod.node === node) planner.removeEndpoint(endpointOf(pod).id)
  }
  const known = new Map(before.map((pod) => [podKey(pod), pod]))
  for (const pod of changed) {
    const old = known.get(podKey(pod))
    const [was, is] = [old, pod].map((one) => (one?.node === node ? endpointOf(one) : undefined))
    if (was !== undefined && was.id !== is?.id) planner.removeEndpoint(was.id)
    if (is !== undefined && !Bun.deepEquals(was, is)) planner.putEndpoint(is)
    planner.putPod(pod)
  }
}

interface Difference<T> {
  readonly gone: readonly T[]
  /** New ones, and those that are not as before. */
  readonly changed: readonly T[]
}

function difference<T>(before: readonly T[], after: readonly T[], key: (one: T) => string): Difference<T> {
  const old = new Map(before.map((one) => [key(one), one]))
  const kept = new Set(after.map(key))
  return {
    gone: before.filter((one) => !kept.has(key(one))),
    changed: after.filter((one) => !Bun.deepEquals(old.get(key(one)), one)),
  }
}
