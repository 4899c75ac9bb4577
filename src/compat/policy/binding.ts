/**
 * How a kind of policies is kept in the Kubernetes API.
 * @module
 */
import type { ObjectName } from '../../kube/api.ts'
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { describeProblems } from '../../network/model/decode.ts'
import type { Policy, PolicyKind, PolicyProblem } from '../../network/model/policy.ts'
import { decodePolicy } from '../../network/model/validate-policy.ts'
import { annotationOf, at, nameOf, optionalField, qualifiedNameOf, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, namespacedPlace, objectOf } from '../merge.ts'
import { cut, Notes } from './notes.ts'

/** On a policy: `drops` has agents log what it drops. */
const LOG_ANNOTATION = 'weft.dev/log'

/** What a policy's `spec` says. */
export type PolicyBody = Omit<Policy, 'kind' | 'namespace' | 'name' | 'uid' | 'log' | 'problems'>

/** A kind of policies. */
export interface PolicyForm {
  readonly kind: PolicyKind
  readonly resource: Resource
  /** The only name that counts. Absent: every one does. */
  readonly only?: string
  /** Whether a server may be without it. */
  readonly optional?: boolean
  /** What `spec` says. What is not understood fails closed, and is noted. */
  read(spec: unknown, namespace: string, notes: Notes): PolicyBody
  /** The policy that allows nothing which this kind could forbid. */
  closed(namespace: string): PolicyBody
  /** `spec` for what a policy says. */
  write(policy: Policy): MergePatch
}

/** The translation of a kind of policies. An object that cannot be read is there all the same, closed. */
export function policyBinding<K extends PolicyKind>(form: PolicyForm & { readonly kind: K }): KubeBinding<K> {
  const { resource, only, write } = form
  const named = resource.namespaced ? qualifiedNameOf : nameOf
  const binding: KubeBinding<PolicyKind> = {
    resource,
    ...optionalField('isOptional', form.optional),
    place: resource.namespaced ? namespacedPlace : clusterPlace,
    nameOf: (object) => (only === undefined || nameOf(object) === only ? named(object) : undefined),
    decode: (object) => decode(form, object),
    encode: (policy) => objectOf(resource, placeOf(policy), { ...logOf(policy), spec: write(policy) }),
    patch: (policy) => ({ ...logOf(policy), spec: write(policy) }),
  }
  return binding as unknown as KubeBinding<K>
}

function decode({ kind, resource, read, closed }: PolicyForm, object: KubeObject): unknown {
  const namespace = textAt(object, 'metadata', 'namespace') ?? ''
  const head = {
    kind,
    ...optionalField('namespace', resource.namespaced ? namespace : undefined),
    name: nameOf(object),
    ...optionalField('uid', textAt(object, 'metadata', 'uid')),
    ...optionalField('log', annotationOf(object, LOG_ANNOTATION) === 'drops' ? true : undefined),
  }
  const notes = new Notes('spec')
  const policy = { ...head, ...read(at(object, 'spec'), namespace, notes), ...problemsOf(notes.problems) }
  const decoded = decodePolicy(policy)
  if (decoded.ok) return decoded.value
  const reason = cut(describeProblems(decoded.problems))
  return { ...head, ...closed(namespace), ...problemsOf([{ field: 'spec', reason }]) }
}

function logOf({ log }: Policy): MergePatch {
  return { metadata: { annotations: { [LOG_ANNOTATION]: log === true ? 'drops' : null } } }
}

function placeOf({ namespace, name }: Policy): ObjectName {
  return { name, ...optionalField('namespace', namespace) }
}

function problemsOf(problems: readonly PolicyProblem[]): { readonly problems?: readonly PolicyProblem[] } {
  return problems.length === 0 ? {} : { problems }
}
