/**
 * Keeps the EndpointSlices of a Service right. Pods may be seen late, what we wrote ourselves may not: before anything is
 * written the Service's own slices are read afresh, so that no endpoint is put into two of them.
 * @module
 */
import { ENDPOINT_SLICES, PODS, SERVICES } from '../../../kube/resources.ts'
import type { World } from '../world.ts'
import { createOnce, removeExactly, unless } from '../writes.ts'
import { isDone, planSlices, SERVICE_LABEL } from './plan.ts'
import { slicedService } from './service.ts'

/** Brings the slices of one Service nearer to what its pods are. */
export async function reconcileEndpoints(world: World, namespace: string, name: string): Promise<undefined> {
  const { api, copies, signal } = world
  const object = await copies.get(SERVICES, namespace, name)
  const service = object === undefined ? undefined : slicedService(object)
  if (service === undefined) return
  const pods = await copies.list(PODS, namespace)
  const known = await copies.list(ENDPOINT_SLICES, namespace)
  if (isDone(planSlices(service, pods, known))) return
  const own = { namespace, labelSelector: `${SERVICE_LABEL}=${name}` }
  const { items } = await api.list(ENDPOINT_SLICES, own, signal)
  const others = known.filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] !== name)
  const plan = planSlices(service, pods, [...others, ...items])
  for (const slice of plan.create) await createOnce(world, ENDPOINT_SLICES, slice)
  for (const slice of plan.replace) {
    await unless(['KUBE_NOT_FOUND'], api.replace(ENDPOINT_SLICES, slice, undefined, signal))
  }
  for (const slice of plan.remove) await removeExactly(world, ENDPOINT_SLICES, slice)
}
