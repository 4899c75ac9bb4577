/**
 * Objects that are not kept: questions whether something is allowed, evictions, bindings.
 * @module
 */
import type { Messages } from './message.ts'

export const CALL_MESSAGES = {
  SelfSubjectAccessReview: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'SelfSubjectAccessReviewSpec', 'What is asked.'],
    status: [3, 'SubjectAccessReviewStatus', 'The answer.'],
  },
  SelfSubjectAccessReviewSpec: {
    resourceAttributes: [1, '*ResourceAttributes', 'About a resource.'],
    nonResourceAttributes: [2, '*NonResourceAttributes', 'About a path.'],
  },
  SubjectAccessReviewStatus: {
    allowed: [1, 'bool', 'Whether it is allowed.'],
    denied: [4, 'bool', 'Whether it is forbidden for good.'],
    reason: [2, 'string', 'Why.'],
    evaluationError: [3, 'string', 'What went wrong while judging.'],
  },
  ResourceAttributes: {
    namespace: [1, 'string', 'The namespace.'],
    verb: [2, 'string', 'What shall be done.'],
    group: [3, 'string', 'The group.'],
    version: [4, 'string', 'The version.'],
    resource: [5, 'string', 'The resource.'],
    subresource: [6, 'string', 'The part of it.'],
    name: [7, 'string', 'The object.'],
  },
  NonResourceAttributes: {
    path: [1, 'string', 'The path.'],
    verb: [2, 'string', 'What shall be done.'],
  },
  Eviction: {
    metadata: [1, 'ObjectMeta', 'Which pod.'],
    deleteOptions: [2, '*DeleteOptions', 'How it is deleted.'],
  },
  Binding: {
    metadata: [1, 'ObjectMeta', 'Which pod.'],
    target: [2, 'ObjectReference', 'Its node.'],
  },
} as const satisfies Messages
