/**
 * Deployments, ReplicaSets and StatefulSets.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Cause } from '../../http/status.ts'
import { forbiddenField, invalidAs, invalidValue } from '../../objects/causes.ts'
import { type Fields, fieldsAt, isFields, numberAt, textAt } from '../../objects/shape.ts'
import { changed, filled, without } from './fill.ts'
import { isChanged } from './pod.ts'
import type { Preparation } from './preparation.ts'
import { rolloutProblems } from './rollout.ts'
import { notNegative } from './syntax.ts'
import { completedTemplate, selectorChange, templateProblems } from './template.ts'

const REPLICA_SET_WORDS = { empty: 'deployment', invalid: 'invalid label selector', kind: 'ReplicaSet' }
const STATEFUL_SET_WORDS = { empty: 'statefulset', invalid: '', kind: 'StatefulSet' }

/** ReplicaSets. */
export const REPLICA_SET: Preparation = {
  complete: (set) => withSpec(set, { replicas: 1 }),
  problems: ({ spec }) => [...countProblems(fieldsAt(spec)), ...templateProblems(fieldsAt(spec), REPLICA_SET_WORDS)],
  changeProblems: selectorChange,
}

/** Deployments. */
export const DEPLOYMENT: Preparation = {
  complete: (deployment) => {
    const numbers = { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }
    const { spec } = withSpec(deployment, numbers)
    const strategy = filled(fieldsAt(spec, 'strategy'), { type: 'RollingUpdate' })
    return { ...deployment, spec: { ...fieldsAt(spec), strategy: completedStrategy(strategy) } }
  },
  problems: ({ spec }) => {
    const fields = fieldsAt(spec)
    return [
      ...notNegative('spec.replicas', fields['replicas']),
      ...templateProblems(fields, REPLICA_SET_WORDS),
      ...rolloutProblems(fieldsAt(fields, 'strategy')),
      ...['minReadySeconds', 'revisionHistoryLimit'].flatMap((name) => notNegative(`spec.${name}`, fields[name])),
      ...deadlineProblems(fields),
    ]
  },
  changeProblems: selectorChange,
}

/** StatefulSets. */
export const STATEFUL_SET: Preparation = {
  complete: (set) => {
    const { spec } = withSpec(set, {
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    })
    const update = filled(fieldsAt(spec, 'updateStrategy'), { type: 'RollingUpdate' })
    const rolling = { ...update, rollingUpdate: filled(fieldsAt(update, 'rollingUpdate'), { partition: 0 }) }
    const updateStrategy = update['type'] === 'RollingUpdate' ? rolling : update
    return { ...set, spec: { ...fieldsAt(spec), updateStrategy } }
  },
  problems: ({ spec }) => [
    ...managementProblems(fieldsAt(spec)),
    ...updateProblems(fieldsAt(spec, 'updateStrategy')),
    ...countProblems(fieldsAt(spec)),
    ...notNegative('spec.ordinals.start', numberAt(spec, 'ordinals', 'start')),
    ...templateProblems(fieldsAt(spec), STATEFUL_SET_WORDS),
  ],
  changeProblems: (set, before) => {
    const fixed = (object: KubeObject) => without(fieldsAt(object, 'spec'), CHANGEABLE)
    return isChanged(fixed(set), fixed(before)) ? [forbiddenField('spec', UNCHANGING)] : []
  },
}

const CHANGEABLE = [
  ...['replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy'],
  ...['minReadySeconds', 'revisionHistoryLimit'],
]
const UNCHANGING =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function withSpec(object: KubeObject, defaults: Fields): KubeObject {
  return { ...object, spec: completedTemplate(filled(fieldsAt(object, 'spec'), defaults)) }
}

function countProblems(spec: Fields): readonly Cause[] {
  return ['replicas', 'minReadySeconds'].flatMap((name) => notNegative(`spec.${name}`, spec[name]))
}

function completedStrategy(strategy: Fields): Fields {
  if (strategy['type'] !== 'RollingUpdate') return strategy
  const completed = { ...strategy, rollingUpdate: fieldsAt(strategy, 'rollingUpdate') }
  return changed(completed, 'rollingUpdate', (rolling) => filled(rolling, { maxUnavailable: '25%', maxSurge: '25%' }))
}

function deadlineProblems(spec: Fields): readonly Cause[] {
  const deadline = numberAt(spec, 'progressDeadlineSeconds')
  if (deadline === undefined || deadline > (numberAt(spec, 'minReadySeconds') ?? 0)) return []
  return [invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
}

function managementProblems(spec: Fields): readonly Cause[] {
  const policy = textAt(spec, 'podManagementPolicy')
  if (policy === 'OrderedReady' || policy === 'Parallel') return []
  return [invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'")]
}

function updateProblems(update: Fields): readonly Cause[] {
  const type = textAt(update, 'type')
  const partition = numberAt(update, 'rollingUpdate', 'partition') ?? 0
  if (type === 'RollingUpdate') return notNegative('spec.updateStrategy.rollingUpdate.partition', partition)
  if (type !== 'OnDelete') {
    const rolling = '(*apps.RollingUpdateStatefulSetStrategy)(nil)'
    const printed = `apps.StatefulSetUpdateStrategy{Type:${JSON.stringify(type)}, RollingUpdate:${rolling}}`
    return [invalidAs('spec.updateStrategy', printed, "must be 'RollingUpdate' or 'OnDelete'")]
  }
  if (!isFields(update['rollingUpdate'])) return []
  const most = 'MaxUnavailable:(*intstr.IntOrString)(nil)'
  const printed = `apps.RollingUpdateStatefulSetStrategy{Partition:${partition}, ${most}}`
  return [invalidAs('spec.updateStrategy.rollingUpdate', printed, "only allowed for updateStrategy 'RollingUpdate'")]
}
