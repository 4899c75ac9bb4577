/**
 * Why a pod's namespace has no tenant that its agent knows of.
 * @module
 */
import type { Registry } from '../../registry/registry.ts'
import type { MissingTenant } from './attachments.ts'

/** What the cluster says of a namespace without a tenant. */
export async function whyNoTenant(registry: Registry, name: string): Promise<MissingTenant> {
  const namespace = await registry.get('Namespace', name)
  if (namespace === undefined) return { reason: 'unknown' }
  const { problem } = namespace.value
  return problem === undefined ? { reason: 'unassigned' } : { reason: 'refused', problem }
}
