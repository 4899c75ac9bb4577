/**
 * Why a controller has nothing to do: for whoever wonders.
 * @module
 */
import type { Unreadable } from '../kube/invalid.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'

/** Why there is no cluster configuration, as a sentence. `unreadable` tells of one that is there and makes no sense. */
export async function whyNoCluster(registry: Pick<Registry, 'get'>, unreadable?: Unreadable): Promise<string> {
  try {
    await registry.get('Cluster', 'default')
  } catch (error) {
    if (error instanceof RegistryError) return `nothing is done: ${error.message}`
  }
  const reason = unreadable?.get('Cluster/default')
  return reason === undefined ? NO_CLUSTER : `nothing is done: ${reason}`
}

const NO_CLUSTER = 'there is no cluster configuration: nothing is done until there is a ClusterNetwork "default"'
