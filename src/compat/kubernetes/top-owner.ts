/**
 * Who manages a pod at the top: the Deployment behind its ReplicaSet, the CronJob behind its Job. Nothing further is
 * looked for, as Spiderpool does.
 * @module
 */
import type { KubeObject, Resource } from '../../kube/object.ts'
import { REPLICA_SETS } from '../../kube/resources.ts'
import type { PodOwner } from '../../network/model/pool.ts'
import { controllerIn } from './owner.ts'

export const JOBS: Resource = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true }
export const CRON_JOBS: Resource = { ...JOBS, plural: 'cronjobs', kind: 'CronJob' }

/** Who may stand behind whom. */
const BEHIND: Readonly<Record<string, { readonly resource: Resource; readonly kind: string }>> = {
  'apps/v1 ReplicaSet': { resource: REPLICA_SETS, kind: 'Deployment' },
  'batch/v1 Job': { resource: JOBS, kind: 'CronJob' },
}

/** The resource to read in order to know who stands behind a pod's controller; undefined when nobody can. */
export function resourceBehind({ apiVersion, kind }: PodOwner): Resource | undefined {
  const key = `${apiVersion} ${kind}`
  return Object.hasOwn(BEHIND, key) ? BEHIND[key]?.resource : undefined
}

/** The top, after the object of a pod's controller was read: its own controller, where that is of the kind that counts. */
export function topBehind(controller: PodOwner, object: KubeObject): PodOwner {
  const above = controllerIn(object)
  return above?.kind === BEHIND[`${controller.apiVersion} ${controller.kind}`]?.kind
    ? (above ?? controller)
    : controller
}
