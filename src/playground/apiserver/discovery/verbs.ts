/**
 * What can be done with resources and their parts.
 * @module
 */
import type { ServedResource, Subresource } from '../contract.ts'

/** A part of a resource, as discovery tells it. */
export interface Part {
  readonly name: Subresource
  readonly kind: string
  /** Where the part's kind is not of the resource's own group and version. */
  readonly groupVersion?: readonly [group: string, version: string]
  readonly verbs: readonly string[]
}

/** What every resource allows. */
export const VERBS: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** Namespaces are only deleted one by one. */
export function verbsOf({ group, plural }: ServedResource): readonly string[] {
  return group === '' && plural === 'namespaces' ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS
}

const CHANGED: readonly string[] = ['get', 'patch', 'update']

/** The parts of a resource that have addresses. */
export function partsOf({ kind, subresources }: ServedResource): readonly Part[] {
  const parts: Readonly<Record<Subresource, Part>> = {
    status: { name: 'status', kind, verbs: CHANGED },
    scale: { name: 'scale', kind: 'Scale', groupVersion: ['autoscaling', 'v1'], verbs: CHANGED },
    log: { name: 'log', kind, verbs: ['get'] },
    exec: { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    attach: { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    binding: { name: 'binding', kind: 'Binding', verbs: ['create'] },
    eviction: { name: 'eviction', kind: 'Eviction', groupVersion: ['policy', 'v1'], verbs: ['create'] },
    finalize: { name: 'finalize', kind, verbs: ['update'] },
  }
  return subresources.map((name) => parts[name])
}
