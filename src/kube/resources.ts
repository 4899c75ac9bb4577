/**
 * Kubernetes' own resources, as far as Weft reads or writes them.
 * @module
 */
import type { Resource } from './object.ts'

export const CONFIG_MAPS: Resource = core('configmaps', 'ConfigMap')
export const EVENTS: Resource = core('events', 'Event')
export const NAMESPACES: Resource = clusterWide(core('namespaces', 'Namespace'))
export const NODES: Resource = clusterWide(core('nodes', 'Node'))
export const PODS: Resource = core('pods', 'Pod')
export const SECRETS: Resource = core('secrets', 'Secret')
export const SERVICES: Resource = core('services', 'Service')

export const CONTROLLER_REVISIONS: Resource = apps('controllerrevisions', 'ControllerRevision')
export const DAEMON_SETS: Resource = apps('daemonsets', 'DaemonSet')
export const DEPLOYMENTS: Resource = apps('deployments', 'Deployment')
export const REPLICA_SETS: Resource = apps('replicasets', 'ReplicaSet')
export const STATEFUL_SETS: Resource = apps('statefulsets', 'StatefulSet')

export const CUSTOM_RESOURCE_DEFINITIONS: Resource = clusterWide(
  namespaced('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition'),
)
export const ENDPOINT_SLICES: Resource = namespaced('discovery.k8s.io', 'endpointslices', 'EndpointSlice')
/** Of 1.33 and later; behind a switch before. */
export const SERVICE_CIDRS: Resource = clusterWide(namespaced('networking.k8s.io', 'servicecidrs', 'ServiceCIDR'))
export const NETWORK_POLICIES: Resource = namespaced('networking.k8s.io', 'networkpolicies', 'NetworkPolicy')
export const LEASES: Resource = namespaced('coordination.k8s.io', 'leases', 'Lease')

function core(plural: string, kind: string): Resource {
  return namespaced('', plural, kind)
}

function apps(plural: string, kind: string): Resource {
  return namespaced('apps', plural, kind)
}

function namespaced(group: string, plural: string, kind: string): Resource {
  return { group, version: 'v1', plural, kind, namespaced: true }
}

function clusterWide(resource: Resource): Resource {
  return { ...resource, namespaced: false }
}
