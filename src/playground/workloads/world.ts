/**
 * What a controller works with: a view of the objects to decide by, and the API to write to.
 *
 * Reflected copies lag behind our own writes, so a controller that counts (pods of a ReplicaSet) looks twice: a plan
 * made from the copies only says whether there is anything to do; the plan that is carried out is made from a fresh,
 * consistent read. Each key has one worker at a time, so nothing of ours is under way meanwhile, and no bookkeeping of
 * expected events is needed that a crash would lose.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'

/** Objects as they are, or as they were a moment ago. */
export interface View {
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>
  list(resource: Resource, namespace: string): Promise<readonly KubeObject[]>
}

/** Says what happened to an object, for `kubectl describe`. Never throws. */
export type Tell = (about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void

/** A controller's surroundings. */
export interface World {
  readonly api: KubeApi
  readonly copies: View
  readonly tell: Tell
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly signal: AbortSignal
}

/** What to do about one object, by namespace and name. Resolves with milliseconds after which to look again, if ever. */
export type Reconcile = (world: World, namespace: string, name: string) => Promise<number | undefined>

/** A view that asks the API itself. */
export function liveView(api: KubeApi, signal: AbortSignal): View {
  return {
    get: (resource, namespace, name) => api.get(resource, namespace === '' ? { name } : { name, namespace }, signal),
    list: async (resource, namespace) => (await api.list(resource, { namespace }, signal)).items,
  }
}
