/**
 * Carries out what a ReplicaSet needs.
 * @module
 */
import { KubeError } from '../../../kube/errors.ts'
import { PODS, REPLICA_SETS } from '../../../kube/resources.ts'
import { ownedBy } from '../owner.ts'
import { podFrom } from '../template.ts'
import { lookTwice, type Planned, type View, type World } from '../world.ts'
import { createOnce, removeExactly, settleClaims, slowStart, writeStatus } from '../writes.ts'
import { isDone, planReplicaSet, type ReplicaSetPlan } from './plan.ts'
import { type ReplicaSet, replicaSetOf } from './spec.ts'

/** Brings one ReplicaSet nearer to its wishes. */
export const reconcileReplicaSet = lookTwice({ look, isDone, carryOut })

async function look(
  world: World,
  view: View,
  namespace: string,
  name: string,
): Promise<Planned<ReplicaSet, ReplicaSetPlan> | undefined> {
  const object = await view.get(REPLICA_SETS, namespace, name)
  const set = object === undefined ? undefined : replicaSetOf(object)
  if (set === undefined) return undefined
  return { subject: set, plan: planReplicaSet(set, await view.list(PODS, namespace), world.now()) }
}

async function carryOut(world: World, set: ReplicaSet, plan: ReplicaSetPlan): Promise<void> {
  const owner = ownedBy(REPLICA_SETS, set.object)
  await settleClaims(world, PODS, owner, plan)
  const refusal = await makePods(world, set, plan.create)
  await slowStart(plan.remove, async (pod) => {
    const removed = await removeExactly(world, PODS, pod.object)
    if (removed) world.tell(set.object, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.name}`)
  })
  if (plan.status !== undefined) await writeStatus(world, REPLICA_SETS, set.object, plan.status)
  if (refusal !== undefined) throw refusal
}

/** A refused pod is told of and tried again later; the status is right all the same, since nothing is under way. */
async function makePods(world: World, set: ReplicaSet, names: readonly string[]): Promise<KubeError | undefined> {
  const owner = ownedBy(REPLICA_SETS, set.object)
  try {
    await slowStart(names, async (name) => {
      const pod = await createOnce(world, PODS, podFrom(set.template, { namespace: set.namespace, name, owner }))
      if (pod !== undefined) world.tell(set.object, 'Normal', 'SuccessfulCreate', `Created pod: ${name}`)
    })
    return undefined
  } catch (error) {
    if (!(error instanceof KubeError) || error.code === 'KUBE_UNAVAILABLE') throw error
    world.tell(set.object, 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    return error
  }
}
