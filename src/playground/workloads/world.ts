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

/** The parts of a controller that counts; the module's comment says why it looks twice. */
export interface Counting<Subject, Plan extends { readonly wake?: number }> {
  /** The object with what is to be done about it; undefined if there is no such object. */
  look(world: World, view: View, namespace: string, name: string): Promise<Planned<Subject, Plan> | undefined>
  isDone(plan: Plan): boolean
  carryOut(world: World, subject: Subject, plan: Plan): Promise<void>
}

export interface Planned<Subject, Plan> {
  readonly subject: Subject
  readonly plan: Plan
}

/** Looks at the copies, then, if there is something to do, at the API itself, and does what that look says. */
export function lookTwice<Subject, Plan extends { readonly wake?: number }>({
  look,
  isDone,
  carryOut,
}: Counting<Subject, Plan>): Reconcile {
  return async (world, namespace, name) => {
    const first = await look(world, world.copies, namespace, name)
    if (first === undefined || isDone(first.plan)) return first?.plan.wake
    const fresh = await look(world, liveView(world.api, world.signal), namespace, name)
    if (fresh === undefined || isDone(fresh.plan)) return fresh?.plan.wake
    await carryOut(world, fresh.subject, fresh.plan)
    return fresh.plan.wake
  }
}

/** A view that asks the API itself. */
function liveView(api: KubeApi, signal: AbortSignal): View {
  return {
    get: (resource, namespace, name) => api.get(resource, namespace === '' ? { name } : { name, namespace }, signal),
    list: async (resource, namespace) => (await api.list(resource, { namespace }, signal)).items,
  }
}
