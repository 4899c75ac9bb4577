/**
 * Tells the cluster how this node does: a report of its own where the registry has such, else the `status` of its own
 * NodeNetwork, and nothing else of it.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { NodeNetworkStatus } from '../../network/model/node.ts'
import { type Registry, RegistryError } from '../../registry/registry.ts'

const ATTEMPTS = 5

/** Writes the status unless it is there already. Throws a RegistryError when the registry is away. */
export async function reportStatus(registry: Registry, node: string, status: NodeNetworkStatus): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const stored = await registry.get('NodeNetwork', node)
    if (stored === undefined) return
    if (registry.report !== undefined) return await registry.report(stored.value, status)
    if (isDeepStrictEqual(stored.value.status, status)) return
    try {
      await registry.update('NodeNetwork', node, { ...stored.value, status }, stored.revision)
      return
    } catch (error) {
      // The controller wrote in between: look again.
      const isRace = error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT'
      if (!isRace || attempt === ATTEMPTS) throw error
    }
  }
}
