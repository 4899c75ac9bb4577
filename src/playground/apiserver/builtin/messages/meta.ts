/**
 * What every object has, and what calls carry.
 * @module
 */
import type { Messages } from './message.ts'

export const META_MESSAGES = {
  ObjectMeta: {
    name: [1, 'string', 'Its name, unique among its kind in its namespace.'],
    generateName: [2, 'string', 'How a name made by the server starts, where name is absent.'],
    namespace: [3, 'string', 'The namespace that it is in.'],
    selfLink: [4, 'string', 'No longer used.'],
    uid: [5, 'string', 'Its number, never given twice.'],
    resourceVersion: [6, 'string', 'The revision of its last change.'],
    generation: [7, 'int64', 'How often what is wanted of it changed.'],
    creationTimestamp: [8, 'Time', 'When it was created.'],
    deletionTimestamp: [9, '*Time', 'When it shall be gone.'],
    deletionGracePeriodSeconds: [10, '*int64', 'Seconds that it has to end.'],
    labels: [11, '{}string', 'What it is selected by.'],
    annotations: [12, '{}string', 'Notes on it, by whoever.'],
    ownerReferences: [13, '[]OwnerReference', 'Objects without which it is removed.', 'merge:uid'],
    finalizers: [14, '[]string', 'Who has to agree before it is gone.', 'merge'],
    managedFields: [17, '[]Ignored', 'Not kept.'],
  },
  OwnerReference: {
    kind: [1, 'string', 'Its kind.'],
    name: [3, 'string', 'Its name.'],
    uid: [4, 'string', 'Its UID.'],
    apiVersion: [5, 'string', 'Its group and version.'],
    controller: [6, '*bool', 'Whether it is the one that manages the object.'],
    blockOwnerDeletion: [7, '*bool', 'Whether it stays until this object is gone, when deleted in the foreground.'],
  },
  LabelSelector: {
    matchLabels: [1, '{}string', 'Labels that are needed; all have to hold.'],
    matchExpressions: [2, '[]LabelSelectorRequirement', 'Conditions on labels; all have to hold.'],
  },
  LabelSelectorRequirement: {
    key: [1, 'string', 'The label.'],
    operator: [2, 'string', 'In, NotIn, Exists or DoesNotExist.'],
    values: [3, '[]string', 'What it is compared with.'],
  },
  Condition: {
    type: [1, 'string', 'What it is about.'],
    status: [2, 'string', 'True, False or Unknown.'],
    observedGeneration: [3, 'int64', 'The generation that it is about.'],
    lastTransitionTime: [4, 'Time', 'Since when.'],
    reason: [5, 'string', 'Why, in one word.'],
    message: [6, 'string', 'Why, in words.'],
  },
  DeleteOptions: {
    gracePeriodSeconds: [1, '*int64', 'Seconds that it has to end.'],
    preconditions: [2, '*Preconditions', 'What has to be true of it.'],
    orphanDependents: [3, '*bool', 'No longer used.'],
    propagationPolicy: [4, '*string', 'Foreground, Background or Orphan.'],
    dryRun: [5, '[]string', 'All only tries.'],
  },
  Preconditions: {
    uid: [1, '*string', 'Its UID.'],
    resourceVersion: [2, '*string', 'Its revision.'],
  },
} as const satisfies Messages
