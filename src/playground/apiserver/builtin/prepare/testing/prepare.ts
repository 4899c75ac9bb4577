/**
 * Preparing objects in tests.
 * @module
 */
import type { KubeObject } from '../../../../../kube/object.ts'
import { ApiError } from '../../../contract.ts'
import { applyPatch } from '../../../patch/index.ts'
import { builtinResources } from '../../index.ts'
import type { Change } from './changes.ts'
import { REFUSED_CONTAINERS } from './refused-containers.ts'
import { REFUSED_NETWORK_POLICIES } from './refused-network-policies.ts'
import { REFUSED_OTHERS } from './refused-others.ts'
import { REFUSED_PODS } from './refused-pods.ts'
import { REFUSED_SERVICES } from './refused-services.ts'
import { REFUSED_WORKLOADS } from './refused-workloads.ts'

const RESOURCES = new Map(builtinResources().map((resource) => [resource.kind, resource]))

export const REFUSED = [
  ...REFUSED_PODS,
  ...REFUSED_CONTAINERS,
  ...REFUSED_WORKLOADS,
  ...REFUSED_SERVICES,
  ...REFUSED_NETWORK_POLICIES,
  ...REFUSED_OTHERS,
]

export function resourceOf(kind: string) {
  const resource = RESOURCES.get(kind)
  if (resource === undefined) throw new Error(`${kind} is not served`)
  return resource
}

/** As it would come over the wire, into the default namespace where it names none. */
export function prepared(object: KubeObject, before?: KubeObject): KubeObject {
  const { namespaced, prepare } = resourceOf(object.kind)
  const sent: KubeObject = JSON.parse(JSON.stringify(object))
  const metadata = { ...(namespaced ? { namespace: 'default' } : {}), ...sent.metadata }
  return prepare({ ...sent, metadata }, before)
}

/** The words of the refusal without their beginning; undefined where there is none. */
export function wordsOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return plainWords(error.message)
  }
}

/** Without saying of which object. */
export function plainWords(message: string): string {
  return message.replace(/^\S+ "\w+" is invalid: |^\w+ in version "\w+" cannot be handled as a \w+: /, '')
}

/** Changes an object as a merge patch does. */
export function patched([before, patch]: Change): KubeObject {
  const stored = prepared(before)
  const next = applyPatch('merge', stored, patch, resourceOf(before.kind)) as KubeObject
  return prepared(next, stored)
}
