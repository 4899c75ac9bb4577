/**
 * Keeps the EndpointSlices of a Service right.
 *
 * The copies are enough here: slices are written only as they were read, and made under names that follow from what was
 * read, so that a copy that lags leads to a refused write and another look, never to an endpoint twice.
 * @module
 */
import { ENDPOINT_SLICES, PODS, SERVICES } from '../resources.ts'
import type { World } from '../world.ts'
import { createOnce, removeExactly, unless } from '../writes.ts'
import { planSlices } from './plan.ts'
import { slicedService } from './service.ts'

/** Brings the slices of one Service nearer to what its pods are. */
export async function reconcileEndpoints(world: World, namespace: string, name: string): Promise<undefined> {
  const { api, copies, signal } = world
  const object = await copies.get(SERVICES, namespace, name)
  const service = object === undefined ? undefined : slicedService(object)
  if (service === undefined) return
  const slices = await copies.list(ENDPOINT_SLICES, namespace)
  const plan = planSlices(service, await copies.list(PODS, namespace), slices)
  for (const slice of plan.create) await createOnce(world, ENDPOINT_SLICES, slice)
  for (const slice of plan.replace) {
    await unless(['KUBE_NOT_FOUND'], api.replace(ENDPOINT_SLICES, slice, undefined, signal))
  }
  for (const slice of plan.remove) await removeExactly(world, ENDPOINT_SLICES, slice)
}
