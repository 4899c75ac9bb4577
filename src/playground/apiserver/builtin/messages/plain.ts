/**
 * Namespaces, configuration, accounts, events and leases.
 * @module
 */
import type { Messages } from './message.ts'

export const PLAIN_MESSAGES = {
  Namespace: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'NamespaceSpec', 'What the namespace shall be.'],
    status: [3, 'NamespaceStatus', 'What it is.'],
  },
  NamespaceSpec: {
    finalizers: [1, '[]string', 'Who still has to clean up in it.'],
  },
  NamespaceStatus: {
    phase: [1, 'string', 'Active or Terminating.'],
    conditions: [2, '[]NamespaceCondition', 'What is true of it at the moment.', 'merge:type'],
  },
  NamespaceCondition: {
    type: [1, 'string', 'What it is about.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastTransitionTime: [4, 'Time', 'Since when.'],
    reason: [5, 'string', 'Why, in one word.'],
    message: [6, 'string', 'Why, in words.'],
  },
  ConfigMap: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    immutable: [4, '*bool', 'Whether its entries stay as they are.'],
    data: [2, '{}string', 'Entries that are text.'],
    binaryData: [3, '{}bytes', 'Entries that are bytes.'],
  },
  Secret: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    immutable: [5, '*bool', 'Whether its entries stay as they are.'],
    data: [2, '{}bytes', 'Its entries, in base64.'],
    stringData: [4, '{}string', 'Entries as text; written only, and added to data.'],
    type: [3, 'string', 'What it is for.'],
  },
  ServiceAccount: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    secrets: [2, '[]ObjectReference', 'Secrets of the account.', 'merge:name'],
    imagePullSecrets: [3, '[]LocalObjectReference', 'Secrets to get images with.'],
    automountServiceAccountToken: [4, '*bool', 'Whether its pods get a token.'],
  },
  ObjectReference: {
    kind: [1, 'string', 'Its kind.'],
    namespace: [2, 'string', 'Its namespace.'],
    name: [3, 'string', 'Its name.'],
    uid: [4, 'string', 'Its UID.'],
    apiVersion: [5, 'string', 'Its group and version.'],
    resourceVersion: [6, 'string', 'Which state of it.'],
    fieldPath: [7, 'string', 'Which part of it.'],
  },
  Event: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    involvedObject: [2, 'ObjectReference', 'What it happened to.'],
    reason: [3, 'string', 'What happened, in one word.'],
    message: [4, 'string', 'What happened, in words.'],
    source: [5, 'EventSource', 'Who says so.'],
    firstTimestamp: [6, 'Time', 'When it first happened.'],
    lastTimestamp: [7, 'Time', 'When it last happened.'],
    count: [8, 'int32', 'How often it happened.'],
    type: [9, 'string', 'Normal or Warning.'],
    eventTime: [10, 'MicroTime', 'When it happened.'],
    series: [11, '*EventSeries', 'How it went on.'],
    action: [12, 'string', 'What was done.'],
    related: [13, '*ObjectReference', 'What else it is about.'],
    reportingComponent: [14, 'string', 'Who says so.'],
    reportingInstance: [15, 'string', 'Which of those.'],
  },
  EventSource: {
    component: [1, 'string', 'Who.'],
    host: [2, 'string', 'On which node.'],
  },
  EventSeries: {
    count: [1, 'int32', 'How often.'],
    lastObservedTime: [2, 'MicroTime', 'When last.'],
  },
  Lease: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'LeaseSpec', 'Who holds it, and for how long.'],
  },
  LeaseSpec: {
    holderIdentity: [1, '*string', 'Who holds it.'],
    leaseDurationSeconds: [2, '*int32', 'Seconds after which it may be taken.'],
    acquireTime: [3, '*MicroTime', 'Since when it is held.'],
    renewTime: [4, '*MicroTime', 'When it was last renewed.'],
    leaseTransitions: [5, '*int32', 'How often it changed hands.'],
    strategy: [6, '*string', 'How its holder is chosen.'],
    preferredHolder: [7, '*string', 'To whom it should go.'],
  },
  Scale: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'ScaleSpec', 'How many shall be.'],
    status: [3, 'ScaleStatus', 'How many are.'],
  },
  ScaleSpec: {
    replicas: [1, 'int32', 'How many.'],
  },
  ScaleStatus: {
    replicas: [1, 'int32', 'How many.'],
    selector: [2, 'string', 'Their labels, as a selector.'],
  },
} as const satisfies Messages
