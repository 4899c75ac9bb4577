/**
 * A case of policies: a cluster, and what changes in it step by step.
 */
import type { Ip } from '../../../src/network/model/address.ts'
import { type NetworkSet, networkSetKey } from '../../../src/network/model/network-set.ts'
import type { NodeNetwork } from '../../../src/network/model/node.ts'
import type { Namespace, Pod } from '../../../src/network/model/pod.ts'
import { type Policy, policyKey } from '../../../src/network/model/policy.ts'
import type { PolicyWorld } from '../../../src/network/policy/verdict.ts'
import { NAMESPACES, NODES, POD_NETWORKS, PODS } from './objects.ts'

/** A world whose parts can be gone through again. */
export interface World extends PolicyWorld {
  readonly policies: readonly Policy[]
  readonly namespaces: readonly Namespace[]
  readonly pods: readonly Pod[]
  readonly nodes: readonly NodeNetwork[]
  readonly sets?: readonly NetworkSet[]
}

/** One thing that an agent hears of. */
export type Step =
  | { readonly op: 'put-policy'; readonly policy: Policy }
  | { readonly op: 'remove-policy'; readonly key: string }
  | { readonly op: 'put-pod'; readonly pod: Pod }
  | { readonly op: 'remove-pod'; readonly key: string }
  | { readonly op: 'put-namespace'; readonly namespace: Namespace }
  | { readonly op: 'put-set'; readonly set: NetworkSet }
  | { readonly op: 'remove-set'; readonly key: string }
  | { readonly op: 'put-name'; readonly name: string; readonly addresses: readonly Ip[] | undefined }

/** What changes at once: connections are asked about after all of its steps. */
export interface Change {
  readonly about: string
  readonly steps: readonly Step[]
}

/** A world and what becomes of it. */
export interface PolicyCase {
  readonly name: string
  readonly start: World
  readonly changes: readonly Change[]
}

/** The nine pods, and these policies. */
export function worldWith(policies: readonly Policy[], change: Partial<World> = {}): World {
  const fixed = { namespaces: NAMESPACES, pods: PODS, nodes: NODES, podNetworks: POD_NETWORKS, names: new Map() }
  return { ...fixed, policies, ...change }
}

/** Every world of a case: the first, and one after each change. */
export function worldsOf({ start, changes }: PolicyCase): readonly World[] {
  const worlds = [start]
  for (const { steps } of changes) worlds.push(steps.reduce(after, worlds.at(-1) ?? start))
  return worlds
}

/** What a step makes of a world. */
export function after(world: World, step: Step): World {
  switch (step.op) {
    case 'put-policy':
      return { ...world, policies: put(world.policies, step.policy, policyKey) }
    case 'remove-policy':
      return { ...world, policies: world.policies.filter((policy) => policyKey(policy) !== step.key) }
    case 'put-pod':
      return { ...world, pods: put(world.pods, step.pod, podKey) }
    case 'remove-pod':
      return { ...world, pods: world.pods.filter((pod) => podKey(pod) !== step.key) }
    case 'put-namespace':
      return { ...world, namespaces: put(world.namespaces, step.namespace, ({ name }) => name) }
    case 'put-set':
      return { ...world, sets: put(world.sets ?? [], step.set, networkSetKey) }
    case 'remove-set':
      return { ...world, sets: (world.sets ?? []).filter((set) => networkSetKey(set) !== step.key) }
    case 'put-name': {
      const names = new Map(world.names)
      if (step.addresses === undefined) names.delete(step.name)
      else names.set(step.name, step.addresses)
      return { ...world, names }
    }
  }
}

/** What a pod is known by. */
export function podKey({ namespace, name }: Pod): string {
  return `${namespace}/${name}`
}

function put<T>(list: readonly T[], one: T, key: (one: T) => string): readonly T[] {
  return [...list.filter((other) => key(other) !== key(one)), one]
}
