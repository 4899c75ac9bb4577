/**
 * The resources that the controllers of the playground read and write.
 * @module
 */
import type { Resource } from '../../kube/object.ts'

export const PODS: Resource = core('pods', 'Pod')
export const SERVICES: Resource = core('services', 'Service')
export const NODES: Resource = { ...core('nodes', 'Node'), namespaced: false }
export const DEPLOYMENTS: Resource = apps('deployments', 'Deployment')
export const REPLICA_SETS: Resource = apps('replicasets', 'ReplicaSet')
export const STATEFUL_SETS: Resource = apps('statefulsets', 'StatefulSet')
export const CONTROLLER_REVISIONS: Resource = apps('controllerrevisions', 'ControllerRevision')
export const ENDPOINT_SLICES: Resource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
}

function core(plural: string, kind: string): Resource {
  return { group: '', version: 'v1', plural, kind, namespaced: true }
}

function apps(plural: string, kind: string): Resource {
  return { group: 'apps', version: 'v1', plural, kind, namespaced: true }
}
