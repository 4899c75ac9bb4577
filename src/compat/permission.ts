/**
 * A permission of an account at a Kubernetes API, and which calls it allows.
 * @module
 */
import type { KubeCall, Verb } from '../kube/call.ts'
import type { Resource } from '../kube/object.ts'

/** Who has permissions. Accounts of external hosts are made by administrators, one for each: `weft-host-<name>`. */
export type Account = 'agent' | 'controller' | 'external-host'

/** Something that an account may do. */
export interface Permission {
  readonly resource: Pick<Resource, 'group' | 'plural'>
  readonly verbs: readonly Verb[]
  /** These objects only. Creations and collections cannot be told apart by a name. */
  readonly names?: readonly string[]
  /** In this namespace only; absent: everywhere. */
  readonly namespace?: string
  /** Kept back where no admission policy bounds it to the account's own node: there it would reach every node's. */
  readonly onlyWithPolicy?: true
  /** What for. */
  readonly why: string
}

/** Whether permissions allow a call. */
export function allows(permissions: readonly Permission[], call: KubeCall): boolean {
  return permissions.some((one) => covers(one, call))
}

/** Whether one permission allows a call. */
export function covers({ resource, verbs, names, namespace }: Permission, call: KubeCall): boolean {
  const isKind = call.group === resource.group && nameOf(call) === resource.plural
  if (!isKind || !verbs.includes(call.verb)) return false
  if (namespace !== undefined && namespace !== call.namespace) return false
  return names === undefined || (call.name !== undefined && names.includes(call.name))
}

/** As roles have it: `pods/status`. */
function nameOf({ resource, subresource }: KubeCall): string {
  return subresource === undefined ? resource : `${resource}/${subresource}`
}
