/**
 * Carries out what a StatefulSet needs.
 * @module
 */
import { CONTROLLER_REVISIONS, PODS, STATEFUL_SETS } from '../../../kube/resources.ts'
import { ownedBy } from '../owner.ts'
import { lookTwice, type Planned, type View, type World } from '../world.ts'
import { createOnce, placeOf, removeExactly, settleClaims, slowStart, unless, writeStatus } from '../writes.ts'
import { isDone, planStatefulSet, type StatefulSetPlan } from './plan.ts'
import { type StatefulSet, statefulSetOf } from './spec.ts'
import { VOLUMES_REFUSED } from './status.ts'

/** Brings one StatefulSet nearer to its wishes. */
export const reconcileStatefulSet = lookTwice({ look, isDone, carryOut })

async function look(
  world: World,
  view: View,
  namespace: string,
  name: string,
): Promise<Planned<StatefulSet, StatefulSetPlan> | undefined> {
  const object = await view.get(STATEFUL_SETS, namespace, name)
  const set = object === undefined ? undefined : statefulSetOf(object)
  if (set === undefined) return undefined
  const revisions = await view.list(CONTROLLER_REVISIONS, namespace)
  return { subject: set, plan: planStatefulSet(set, await view.list(PODS, namespace), revisions, world.now()) }
}

async function carryOut(world: World, set: StatefulSet, plan: StatefulSetPlan): Promise<void> {
  const { update, create, renumber, forget } = plan.revisions
  if (create) await createOnce(world, CONTROLLER_REVISIONS, update)
  if (renumber !== undefined) {
    const patch = { metadata: { uid: update.metadata.uid }, revision: renumber }
    const at = placeOf(update)
    await unless(['KUBE_NOT_FOUND'], world.api.patch(CONTROLLER_REVISIONS, at, 'merge', patch, undefined, world.signal))
  }
  await settleClaims(world, PODS, ownedBy(STATEFUL_SETS, set.object), plan)
  await slowStart(plan.create, async (pod) => {
    const made = await createOnce(world, PODS, pod)
    if (made !== undefined) tellAbout(world, set, 'SuccessfulCreate', `create Pod ${pod.metadata.name}`)
  })
  await slowStart(plan.remove, async (pod) => {
    const removed = await removeExactly(world, PODS, pod.object)
    if (removed) tellAbout(world, set, 'SuccessfulDelete', `delete Pod ${pod.name}`)
  })
  for (const revision of forget) await removeExactly(world, CONTROLLER_REVISIONS, revision)
  if (plan.status === undefined) return
  if (set.wantsVolumes) world.tell(set.object, 'Warning', 'FailedCreate', VOLUMES_REFUSED)
  await writeStatus(world, STATEFUL_SETS, set.object, plan.status)
}

function tellAbout(world: World, set: StatefulSet, reason: string, action: string): void {
  world.tell(set.object, 'Normal', reason, `${action} in StatefulSet ${set.name} successful`)
}
