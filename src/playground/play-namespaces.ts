/**
 * Kubernetes namespaces of a playground come and go.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import { NAMESPACES, PODS } from '../kube/resources.ts'
import type { Tenant } from '../network/model/tenant.ts'
import type { Registry } from '../registry/registry.ts'
import { PlaygroundError } from './errors.ts'
import { ensure, namespaceObject } from './objects.ts'
import { until } from './processes.ts'

const PATIENCE = 10_000
const DELETE_PATIENCE = 60_000

/** Makes a namespace and waits for its tenant. Throws PLAY_TIMEOUT when no controller gives it one. */
export async function addPlayNamespace(api: KubeApi, registry: Registry, name: string): Promise<Tenant> {
  await ensure(api, NAMESPACES, namespaceObject(name))
  let tenant: Tenant | undefined
  const given = async (): Promise<boolean> => {
    tenant = (await registry.get('Tenant', name))?.value
    return tenant !== undefined
  }
  if ((await until(given, PATIENCE)) && tenant !== undefined) return tenant
  const message = `${name} got no VNI within ${PATIENCE / 1000} s`
  throw new PlaygroundError('PLAY_TIMEOUT', message, 'is weft controller running?')
}

/** Deletes a namespace with its pods; their names. Throws PLAY_NOT_FOUND when there is none, PLAY_TIMEOUT. */
export async function deletePlayNamespace(api: KubeApi, name: string): Promise<readonly string[]> {
  const pods = (await api.list(PODS, { namespace: name })).items
  try {
    await api.delete(NAMESPACES, { name })
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 'KUBE_NOT_FOUND') throw error
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no namespace "${name}"`, '`weft tenant list` shows them')
  }
  const gone = await until(async () => (await api.get(NAMESPACES, { name })) === undefined, DELETE_PATIENCE)
  if (!gone) {
    throw new PlaygroundError('PLAY_TIMEOUT', `${name} is not gone yet`, '`weft play status` shows what runs')
  }
  return pods.map(({ metadata }) => metadata.name)
}
