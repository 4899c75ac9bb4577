/**
 * The API of the Kubernetes network policy group (`policy.networking.k8s.io`): its kinds, in the versions that are read.
 * @module
 */
import type { Resource } from '../../kube/object.ts'

const GROUP = { group: 'policy.networking.k8s.io', namespaced: false } as const

export const ADMIN_NETWORK_POLICIES: Resource = {
  ...GROUP,
  version: 'v1alpha1',
  plural: 'adminnetworkpolicies',
  kind: 'AdminNetworkPolicy',
}

export const BASELINE_ADMIN_NETWORK_POLICIES: Resource = {
  ...GROUP,
  version: 'v1alpha1',
  plural: 'baselineadminnetworkpolicies',
  kind: 'BaselineAdminNetworkPolicy',
}

export const CLUSTER_NETWORK_POLICIES: Resource = {
  ...GROUP,
  version: 'v1alpha2',
  plural: 'clusternetworkpolicies',
  kind: 'ClusterNetworkPolicy',
}
