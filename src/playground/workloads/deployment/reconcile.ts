/**
 * Carries out what a Deployment needs.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../../kube/resources.ts'
import { ownedBy } from '../owner.ts'
import { lookTwice, type Planned, type View, type World } from '../world.ts'
import { createOnce, placeOf, removeExactly, settleClaims, unless, writeStatus } from '../writes.ts'
import { type DeploymentPlan, isDone, planDeployment, type SetChange } from './plan.ts'
import { REVISION } from './sets.ts'
import { type Deployment, deploymentOf } from './spec.ts'

/** Brings one Deployment nearer to its wishes. */
export const reconcileDeployment = lookTwice({ look, isDone, carryOut })

async function look(
  world: World,
  view: View,
  namespace: string,
  name: string,
): Promise<Planned<Deployment, DeploymentPlan> | undefined> {
  const object = await view.get(DEPLOYMENTS, namespace, name)
  const deployment = object === undefined ? undefined : deploymentOf(object)
  if (deployment === undefined) return undefined
  // Pods after their sets: a pod that is counted belongs to a set that was seen.
  const sets = await view.list(REPLICA_SETS, namespace)
  return { subject: deployment, plan: planDeployment(deployment, sets, await view.list(PODS, namespace), world.now()) }
}

async function carryOut(world: World, deployment: Deployment, plan: DeploymentPlan): Promise<void> {
  await settleClaims(world, REPLICA_SETS, ownedBy(DEPLOYMENTS, deployment.object), plan)
  if (plan.create !== undefined) await makeSet(world, deployment, plan.create)
  for (const change of plan.resize) await resize(world, deployment, change)
  if (plan.annotate !== undefined) await annotate(world, plan.annotate.object, plan.annotate.annotations)
  for (const set of plan.remove) await removeExactly(world, REPLICA_SETS, set)
  const object = plan.revision === undefined ? deployment.object : await number(world, deployment, plan.revision)
  if (plan.status !== undefined && object !== undefined) await writeStatus(world, DEPLOYMENTS, object, plan.status)
}

async function makeSet(world: World, deployment: Deployment, set: KubeObject): Promise<void> {
  const made = await createOnce(world, REPLICA_SETS, set)
  if (made === undefined) return
  const replicas = (set['spec'] as { readonly replicas: number }).replicas
  world.tell(
    deployment.object,
    'Normal',
    'ScalingReplicaSet',
    `Scaled up replica set ${set.metadata.name} to ${replicas}`,
  )
}

/** Only if it is still as it was counted: two sets never grow on account of the same room. */
async function resize(world: World, deployment: Deployment, { object, from, to }: SetChange): Promise<void> {
  const patch = { metadata: { resourceVersion: object.metadata.resourceVersion }, spec: { replicas: to } }
  const { api, signal } = world
  const done = await unless(
    ['KUBE_NOT_FOUND'],
    api.patch(REPLICA_SETS, placeOf(object), 'merge', patch, undefined, signal),
  )
  if (done === undefined) return
  const direction = to > from ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${object.metadata.name} from ${from} to ${to}`
  world.tell(deployment.object, 'Normal', 'ScalingReplicaSet', message)
}

async function annotate({ api, signal }: World, set: KubeObject, annotations: unknown): Promise<void> {
  const patch = { metadata: { uid: set.metadata.uid, annotations } }
  await unless(['KUBE_NOT_FOUND'], api.patch(REPLICA_SETS, placeOf(set), 'merge', patch, undefined, signal))
}

async function number(
  { api, signal }: World,
  { object }: Deployment,
  revision: number,
): Promise<KubeObject | undefined> {
  const patch = { metadata: { uid: object.metadata.uid, annotations: { [REVISION]: String(revision) } } }
  return unless(['KUBE_NOT_FOUND'], api.patch(DEPLOYMENTS, placeOf(object), 'merge', patch, undefined, signal))
}
