/**
 * Kinds that are read from protobuf.
 * @module
 */
import { apiVersionOf } from '../../../kube/object.ts'
import { builtinResources, MESSAGES } from '../builtin/index.ts'

const READ: ReadonlyMap<string, string> = new Map([
  ...builtinResources()
    .filter(({ kind }) => MESSAGES.has(kind))
    .map((resource): [string, string] => [`${apiVersionOf(resource)}/${resource.kind}`, resource.kind]),
  ['authorization.k8s.io/v1/SelfSubjectAccessReview', 'SelfSubjectAccessReview'],
  ['autoscaling/v1/Scale', 'Scale'],
  ['policy/v1/Eviction', 'Eviction'],
  ['v1/Binding', 'Binding'],
])

/** The message of a kind; undefined when it is not read. Options of deletions come in any group. */
export function messageOf(apiVersion: string, kind: string): string | undefined {
  return kind === 'DeleteOptions' ? kind : READ.get(`${apiVersion}/${kind}`)
}
