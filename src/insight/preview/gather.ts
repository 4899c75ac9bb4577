/**
 * The cluster that a preview is about, out of shared state. No agent is asked.
 * @module
 */

import { NETWORK_SET_KINDS } from '../../network/model/network-set.ts'
import { POLICY_KINDS } from '../../network/model/policy.ts'
import { GLOBAL_VNI } from '../../network/model/tenant.ts'
import type { Registry } from '../../registry/registry.ts'
import { InsightError } from '../errors.ts'
import type { PreviewWorld } from './world.ts'

/** Everything but the change. Throws what the registry throws, and INSIGHT_REGISTRY_UNREACHABLE where there is no cluster. */
export async function gatherWorld(registry: Registry): Promise<Omit<PreviewWorld, 'after'>> {
  const [clusters, namespaces, tenants, pods, nodes, sets, ...policies] = await Promise.all([
    registry.list('Cluster'),
    registry.list('Namespace'),
    registry.list('Tenant'),
    registry.list('Pod'),
    registry.list('NodeNetwork'),
    Promise.all(NETWORK_SET_KINDS.map((kind) => registry.list(kind))),
    ...POLICY_KINDS.map((kind) => registry.list(kind)),
  ])
  const [cluster] = valuesOf(clusters)
  if (cluster === undefined) {
    const remedy = 'make one, or name another cluster: --kubeconfig FILE'
    throw new InsightError('INSIGHT_REGISTRY_UNREACHABLE', 'there is no cluster configuration', remedy)
  }
  const vnis = new Map(valuesOf(tenants).map(({ namespace, vni }) => [namespace, vni]))
  const mayTalk = (a: string, b: string): boolean => {
    const [one, other] = [vnis.get(a), vnis.get(b)]
    // One that has no number yet will have one.
    if (one === undefined || other === undefined) return true
    return one === other || one === GLOBAL_VNI || other === GLOBAL_VNI
  }
  return {
    namespaces: valuesOf(namespaces),
    pods: valuesOf(pods),
    nodes: valuesOf(nodes),
    sets: sets.flatMap((listing) => valuesOf(listing)),
    podNetworks: cluster.networks.map(({ cidr }) => cidr),
    before: policies.flatMap((listing) => valuesOf(listing)),
    ...(cluster.tenancy === 'multitenant' ? { mayTalk } : {}),
  }
}

function valuesOf<T>({ objects }: { readonly objects: readonly { readonly value: T }[] }): readonly T[] {
  return objects.map(({ value }) => value)
}
