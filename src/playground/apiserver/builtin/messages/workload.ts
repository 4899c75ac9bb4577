/**
 * What makes pods.
 * @module
 */
import type { Messages } from './message.ts'

export const WORKLOAD_MESSAGES = {
  Deployment: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'DeploymentSpec', 'What the deployment shall be.'],
    status: [3, 'DeploymentStatus', 'What it is.'],
  },
  DeploymentSpec: {
    replicas: [1, '*int32', 'How many pods; 1 unless given.'],
    selector: [2, '*LabelSelector', 'Labels of its pods; the template must have them.'],
    template: [3, 'PodTemplateSpec', 'What its pods are made from.'],
    strategy: [4, 'DeploymentStrategy', 'How old pods give way to new ones.', 'retainKeys'],
    minReadySeconds: [5, 'int32', 'Seconds for which a pod has to be ready before it counts as available.'],
    revisionHistoryLimit: [6, '*int32', 'How many old ReplicaSets are kept.'],
    paused: [7, 'bool', 'Whether changes wait.'],
    progressDeadlineSeconds: [9, '*int32', 'Seconds without progress after which it has failed.'],
  },
  DeploymentStrategy: {
    type: [1, 'string', 'RollingUpdate or Recreate.'],
    rollingUpdate: [2, '*RollingUpdateDeployment', 'For RollingUpdate.'],
  },
  RollingUpdateDeployment: {
    maxUnavailable: [1, '*IntOrString', 'How many may be missing; a number or a percentage.'],
    maxSurge: [2, '*IntOrString', 'How many more there may be; a number or a percentage.'],
  },
  DeploymentStatus: {
    observedGeneration: [1, 'int64', 'The generation that this is about.'],
    replicas: [2, 'int32', 'Pods that it has.'],
    updatedReplicas: [3, 'int32', 'Pods made from the present template.'],
    readyReplicas: [7, 'int32', 'Pods that are ready.'],
    availableReplicas: [4, 'int32', 'Pods that are available.'],
    unavailableReplicas: [5, 'int32', 'Pods that are missing.'],
    conditions: [6, '[]DeploymentCondition', 'What is true of it at the moment.', 'merge:type'],
    collisionCount: [8, '*int32', 'How often a name for a ReplicaSet was taken.'],
  },
  DeploymentCondition: {
    type: [1, 'string', 'Available, Progressing or ReplicaFailure.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastUpdateTime: [6, 'Time', 'When it was last looked at.'],
    lastTransitionTime: [7, 'Time', 'Since when.'],
    reason: [4, 'string', 'Why, in one word.'],
    message: [5, 'string', 'Why, in words.'],
  },
  ReplicaSet: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'ReplicaSetSpec', 'What the set shall be.'],
    status: [3, 'ReplicaSetStatus', 'What it is.'],
  },
  ReplicaSetSpec: {
    replicas: [1, '*int32', 'How many pods; 1 unless given.'],
    minReadySeconds: [4, 'int32', 'Seconds for which a pod has to be ready before it counts as available.'],
    selector: [2, '*LabelSelector', 'Labels of its pods; the template must have them.'],
    template: [3, 'PodTemplateSpec', 'What its pods are made from.'],
  },
  ReplicaSetStatus: {
    replicas: [1, 'int32', 'Pods that it has.'],
    fullyLabeledReplicas: [2, 'int32', 'Pods with all labels of the template.'],
    readyReplicas: [4, 'int32', 'Pods that are ready.'],
    availableReplicas: [5, 'int32', 'Pods that are available.'],
    observedGeneration: [3, 'int64', 'The generation that this is about.'],
    conditions: [6, '[]ReplicaSetCondition', 'What is true of it at the moment.', 'merge:type'],
  },
  ReplicaSetCondition: {
    type: [1, 'string', 'ReplicaFailure.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastTransitionTime: [3, 'Time', 'Since when.'],
    reason: [4, 'string', 'Why, in one word.'],
    message: [5, 'string', 'Why, in words.'],
  },
  StatefulSet: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'StatefulSetSpec', 'What the set shall be.'],
    status: [3, 'StatefulSetStatus', 'What it is.'],
  },
  StatefulSetSpec: {
    replicas: [1, '*int32', 'How many pods; 1 unless given.'],
    selector: [2, '*LabelSelector', 'Labels of its pods; the template must have them.'],
    template: [3, 'PodTemplateSpec', 'What its pods are made from.'],
    serviceName: [5, 'string', 'The headless service below which its pods have names.'],
    podManagementPolicy: [6, 'string', 'OrderedReady or Parallel.'],
    updateStrategy: [7, 'StatefulSetUpdateStrategy', 'How old pods give way to new ones.'],
    revisionHistoryLimit: [8, '*int32', 'How many old revisions are kept.'],
    minReadySeconds: [9, 'int32', 'Seconds for which a pod has to be ready before it counts as available.'],
    persistentVolumeClaimRetentionPolicy: [
      10,
      '*StatefulSetPersistentVolumeClaimRetentionPolicy',
      'Without effect: volumes are not claimed.',
    ],
    ordinals: [11, '*StatefulSetOrdinals', 'How its pods are numbered.'],
  },
  StatefulSetUpdateStrategy: {
    type: [1, 'string', 'RollingUpdate or OnDelete.'],
    rollingUpdate: [2, '*RollingUpdateStatefulSetStrategy', 'For RollingUpdate.'],
  },
  RollingUpdateStatefulSetStrategy: {
    partition: [1, '*int32', 'Pods with a smaller number stay as they are.'],
    maxUnavailable: [2, '*IntOrString', 'How many may be missing; a number or a percentage.'],
  },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    whenDeleted: [1, 'string', 'Retain or Delete, when the set is deleted.'],
    whenScaled: [2, 'string', 'Retain or Delete, when the set shrinks.'],
  },
  StatefulSetOrdinals: {
    start: [1, 'int32', 'The first number.'],
  },
  StatefulSetStatus: {
    observedGeneration: [1, 'int64', 'The generation that this is about.'],
    replicas: [2, 'int32', 'Pods that it has.'],
    readyReplicas: [3, 'int32', 'Pods that are ready.'],
    currentReplicas: [4, 'int32', 'Pods of the current revision.'],
    updatedReplicas: [5, 'int32', "Pods of the update's revision."],
    currentRevision: [6, 'string', 'The revision before the update.'],
    updateRevision: [7, 'string', 'The revision of the update.'],
    collisionCount: [9, '*int32', 'How often a name for a revision was taken.'],
    conditions: [10, '[]StatefulSetCondition', 'What is true of it at the moment.', 'merge:type'],
    availableReplicas: [11, 'int32', 'Pods that are available.'],
  },
  ControllerRevision: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    data: [2, 'Any', 'What is kept, such as the template of a StatefulSet.'],
    revision: [3, 'int64', 'Its place in the history.'],
  },
  StatefulSetCondition: {
    type: [1, 'string', 'What it is about.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastTransitionTime: [3, 'Time', 'Since when.'],
    reason: [4, 'string', 'Why, in one word.'],
    message: [5, 'string', 'Why, in words.'],
  },
} as const satisfies Messages
