/**
 * Tells a node's planner what an agent would hear of.
 */
import type { Pod } from '../../../src/network/model/pod.ts'
import { GLOBAL_VNI } from '../../../src/network/model/tenant.ts'
import type { NodePlanner } from '../../../src/network/planner.ts'
import { endpointOf } from './packets.ts'
import { podKey, type Step, type World } from './world.ts'

/** What is heard of first. Agents hear of things in any order. */
export type Order = 'policies-first' | 'pods-first'

/** The steps from nothing to a world. */
export function stepsTo(
  { namespaces, pods, policies, names, sets = [] }: World,
  order: Order = 'pods-first',
): readonly Step[] {
  const steps: readonly Step[] = [
    ...namespaces.map((namespace): Step => ({ op: 'put-namespace', namespace })),
    ...pods.map((pod): Step => ({ op: 'put-pod', pod })),
    ...policies.map((policy): Step => ({ op: 'put-policy', policy })),
    ...sets.map((set): Step => ({ op: 'put-set', set })),
    ...[...names].map(([name, addresses]): Step => ({ op: 'put-name', name, addresses })),
  ]
  return order === 'pods-first' ? steps : steps.toReversed()
}

/** Tells of one step; `pods` are those before it. Pods of the node itself are attached to it. */
export function tell(planner: NodePlanner, step: Step, pods: readonly Pod[]): void {
  switch (step.op) {
    case 'put-policy':
      planner.putPolicy(step.policy)
      return
    case 'remove-policy':
      planner.removePolicy(step.key)
      return
    case 'put-namespace':
      planner.putNamespace(step.namespace)
      planner.putTenant(step.namespace.name, GLOBAL_VNI)
      return
    case 'put-set':
      planner.putNetworkSet(step.set)
      return
    case 'remove-set':
      planner.removeNetworkSet(step.key)
      return
    case 'put-name':
      planner.putName(step.name, step.addresses)
      return
    case 'put-pod':
      attach(
        planner,
        step.pod,
        pods.find((pod) => podKey(pod) === podKey(step.pod)),
      )
      planner.putPod(step.pod)
      return
    case 'remove-pod':
      attach(
        planner,
        undefined,
        pods.find((pod) => podKey(pod) === step.key),
      )
      planner.removePod(step.key)
  }
}

/** Attaches what is here, and takes away what was and is no more. */
function attach(planner: NodePlanner, pod: Pod | undefined, old: Pod | undefined): void {
  const [was, is] = [old, pod].map((one) => (one?.node === planner.context.self.node ? endpointOf(one) : undefined))
  if (was !== undefined && was.id !== is?.id) planner.removeEndpoint(was.id)
  if (is !== undefined && was?.id !== is.id) planner.putEndpoint(is)
}
