/**
 * Kubernetes namespaces of a playground come and go.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Tenant } from '../network/model/tenant.ts'
import type { Registry } from '../registry/registry.ts'
import { ensure, forget } from './cluster.ts'
import { PlaygroundError } from './errors.ts'
import type { Layout } from './layout.ts'
import { deletePod } from './pods.ts'

const PATIENCE = 10_000

/** Makes a namespace and waits for its tenant. Throws PLAY_TIMEOUT when no controller gives it one. */
export async function addPlayNamespace(registry: Registry, name: string): Promise<Tenant> {
  await ensure(registry, 'Namespace', name, { name, uid: randomUUID() })
  const end = performance.now() + PATIENCE
  while (performance.now() < end) {
    const tenant = await registry.get('Tenant', name)
    if (tenant !== undefined) return tenant.value
    await Bun.sleep(20)
  }
  throw new PlaygroundError(
    'PLAY_TIMEOUT',
    `${name} got no VNI within ${PATIENCE / 1000} s`,
    'is weft controller running?',
  )
}

/** Deletes a namespace with its pods; their names. Throws PLAY_NOT_FOUND when there is none. */
export async function deletePlayNamespace(
  layout: Layout,
  registry: Registry,
  name: string,
): Promise<readonly string[]> {
  if ((await registry.get('Namespace', name)) === undefined) {
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no namespace ${name}`, '`weft tenant list` shows them')
  }
  const pods = (await registry.list('Pod')).objects.filter(({ value }) => value.namespace === name)
  for (const { value } of pods) await deletePod(layout, registry, name, value.name)
  await forget(registry, 'Namespace', name)
  return pods.map((pod) => pod.name)
}
