/**
 * What a bare API server needs before Weft's objects can be kept in it, and how it is emptied again.
 * @module
 */
import { weftBindings } from '../../src/compat/bindings.ts'
import { everyCrd } from '../../src/compat/crds.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../src/kube/resources.ts'
import { KINDS } from '../../src/registry/codec.ts'
import type { Kind } from '../../src/registry/registry.ts'
import { eventually } from './process.ts'

/** Makes the API server know Weft's own kinds, and waits until it serves them. */
export async function installCrds(api: KubeApi): Promise<void> {
  for (const crd of everyCrd()) await api.create(CUSTOM_RESOURCE_DEFINITIONS, crd)
  for (const kind of KINDS) await eventually(() => api.list(weftBindings[kind].resource), 30_000)
}

/** Whether an object is the API server's own. */
export function isForeign(kind: Kind, name: string): boolean {
  if (kind === 'Namespace') return name === 'default' || name.startsWith('kube-')
  return name === 'default/kubernetes'
}

/** Removes every object that is not the API server's own. Nobody but us does what controllers would. */
export async function removeAll(api: KubeApi): Promise<void> {
  for (const kind of KINDS) {
    const { resource, nameOf } = weftBindings[kind]
    const { items } = await api.list(resource)
    const ours = items.filter((item) => !isForeign(kind, nameOf(item) ?? ''))
    for (const item of ours) await remove(api, resource, item)
  }
}

async function remove(api: KubeApi, resource: Resource, object: KubeObject): Promise<void> {
  await api.delete(resource, object.metadata, { gracePeriodSeconds: 0 })
  if (resource.kind !== 'Namespace') return
  const doomed = await api.get(resource, object.metadata)
  if (doomed !== undefined) await api.replace(resource, { ...doomed, spec: { finalizers: [] } }, 'finalize')
}
