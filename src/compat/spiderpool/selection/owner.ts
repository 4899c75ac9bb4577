/**
 * Whose pods a pod is one of, told by the pod alone: nothing is asked for on a pod's way in.
 * @module
 */
import type { Pod } from '../../../network/model/pod.ts'
import type { Labels } from '../../../network/model/policy.ts'
import type { PodOwner } from '../../../network/model/pool.ts'

const TEMPLATE_HASH = 'pod-template-hash'
/** A CronJob's Jobs have the minute of their time behind its name; these are the minutes from 2017 to 2160. */
const EARLIEST_MINUTE = 25_000_000

/**
 * The controller at the top: a Deployment, not its ReplicaSet; a CronJob, not its Job; any other as it is. Undefined for a
 * pod that nobody controls.
 *
 * What a Deployment's ReplicaSet has behind the Deployment's name is the pods' label `pod-template-hash`; what a CronJob's
 * Job has behind the CronJob's name is the scheduled time in minutes.
 */
export function topOwner({ controller, labels }: Pick<Pod, 'controller' | 'labels'>): PodOwner | undefined {
  if (controller === undefined) return undefined
  const { apiVersion, kind, name } = controller
  const [group] = apiVersion.split('/')
  if (group === 'apps' && kind === 'ReplicaSet') {
    const hash = labels?.[TEMPLATE_HASH]
    const isOfDeployment = hash !== undefined && name.endsWith(`-${hash}`) && name.length > hash.length + 1
    return isOfDeployment ? { apiVersion, kind: 'Deployment', name: name.slice(0, -hash.length - 1) } : controller
  }
  if (group === 'batch' && kind === 'Job') {
    const [, cronJob, minute] = /^(.+)-(\d{8})$/.exec(name) ?? []
    const isOfCronJob = cronJob !== undefined && Number(minute) >= EARLIEST_MINUTE
    return isOfCronJob ? { apiVersion, kind: 'CronJob', name: cronJob } : controller
  }
  return controller
}

/** Whether the next pod of the same name is to have the same addresses: those of Kubernetes's own StatefulSets. */
export function keepsAddresses(owner: PodOwner | undefined): owner is PodOwner {
  return owner?.kind === 'StatefulSet' && owner.apiVersion.startsWith('apps/')
}

/** Selectors of pools that were made for an application have these keys; they mean the pod's owner, not its labels. */
export const APPLICATION_KEYS = {
  group: 'ipam.spidernet.io/app-api-group',
  version: 'ipam.spidernet.io/app-api-version',
  kind: 'ipam.spidernet.io/app-kind',
  namespace: 'ipam.spidernet.io/app-namespace',
  name: 'ipam.spidernet.io/app-name',
} as const

/** What selectors of pools that were made for an application find of a pod; nothing of one that nobody controls. */
export function applicationLabels({ namespace }: Pick<Pod, 'namespace'>, owner: PodOwner | undefined): Labels {
  if (owner === undefined) return {}
  const [version = '', group = ''] = owner.apiVersion.split('/').toReversed()
  return {
    [APPLICATION_KEYS.group]: group,
    [APPLICATION_KEYS.version]: version,
    [APPLICATION_KEYS.kind]: owner.kind,
    [APPLICATION_KEYS.namespace]: namespace,
    [APPLICATION_KEYS.name]: owner.name,
  }
}
