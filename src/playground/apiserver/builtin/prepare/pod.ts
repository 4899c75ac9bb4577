/**
 * Pods: their defaults, and what of them stays as it is.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Cause } from '../../http/status.ts'
import { forbiddenField } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, numberAt, valueAt } from '../../objects/shape.ts'
import { changedContainers, completedContainer, completedPodContainer } from './container.ts'
import { changedItems, filled, without } from './fill.ts'
import { podProblems } from './pod-problems.ts'
import type { Preparation } from './preparation.ts'
import { completedVolume } from './volume.ts'

/** Pods. What admission plug-ins of a cluster add (tolerations, a priority) is not added. */
export const POD: Preparation = {
  complete: (pod) => ({ ...pod, spec: completedOwnSpec(fieldsAt(pod, 'spec')) }),
  problems: (pod) => podProblems(fieldsAt(pod, 'spec'), 'spec'),
  changeProblems: (pod, before) => changeProblems(fieldsAt(pod, 'spec'), completedOwnSpec(fieldsAt(before, 'spec'))),
}

/** A pod's spec, as in a pod or in a template. */
export function completedPodSpec(spec: Fields): Fields {
  const account = spec['serviceAccountName'] || spec['serviceAccount']
  const grace = numberAt(spec, 'terminationGracePeriodSeconds')
  const basic = filled(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...(account ? { serviceAccountName: account, serviceAccount: account } : {}),
  })
  const patient = grace !== undefined && grace < 0 ? { ...basic, terminationGracePeriodSeconds: 1 } : basic
  return changedItems(changedContainers(patient, completedContainer), 'volumes', completedVolume)
}

function completedOwnSpec(spec: Fields): Fields {
  const isOnHostNetwork = spec['hostNetwork'] === true
  const completed = changedContainers(completedPodSpec(spec), (container) =>
    completedPodContainer(container, isOnHostNetwork),
  )
  return filled(completed, { enableServiceLinks: true })
}

const UNCHANGING =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

function changeProblems(spec: Fields, before: Fields): readonly Cause[] {
  const added = ['containers', 'initContainers']
    .filter((list) => arrayAt(spec, list).length !== arrayAt(before, list).length)
    .map((list) => forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers'))
  if (added.length > 0) return added
  const kept = arrayAt(before, 'tolerations').every((old) =>
    arrayAt(spec, 'tolerations').some((toleration) => Bun.deepEquals(toleration, old)),
  )
  if (kept && Bun.deepEquals(fixedPart(spec), fixedPart(before))) return []
  return [forbiddenField('spec', UNCHANGING)]
}

/** What of a pod's spec may not change. */
function fixedPart(spec: Fields): unknown {
  const rest = without(spec, ['activeDeadlineSeconds', 'tolerations'])
  return meaningOf(changedContainers(rest, (container) => without(container, ['image'])))
}

/** A value without what means the same as its absence. */
function meaningOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaningOf)
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, meaningOf(inner)] as const)
      .filter(([, inner]) => !isNothing(inner)),
  )
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Whether the part of an object at a path means another than it did. */
export function isChanged(
  object: KubeObject | Fields,
  before: KubeObject | Fields,
  ...path: readonly string[]
): boolean {
  return !Bun.deepEquals(meaningOf(valueAt(object, ...path)), meaningOf(valueAt(before, ...path)))
}
