/**
 * The API of OpenShift SDN: what its objects and annotations are called.
 * @module
 */
import type { Resource } from '../../kube/object.ts'

const GROUP = { group: 'network.openshift.io', version: 'v1', namespaced: false } as const

/** The cluster's network configuration; only the one named `default` counts. */
export const CLUSTER_NETWORKS: Resource = { ...GROUP, plural: 'clusternetworks', kind: 'ClusterNetwork' }

/** A node's IPv4 range. */
export const HOST_SUBNETS: Resource = { ...GROUP, plural: 'hostsubnets', kind: 'HostSubnet' }

/** A namespace's virtual network. */
export const NET_NAMESPACES: Resource = { ...GROUP, plural: 'netnamespaces', kind: 'NetNamespace' }

/** Where the pods of a namespace may connect to outside the cluster. */
export const EGRESS_NETWORK_POLICIES: Resource = {
  ...GROUP,
  plural: 'egressnetworkpolicies',
  kind: 'EgressNetworkPolicy',
  namespaced: true,
}

/** On a NetNamespace: `global`, `join:<namespace>` or `isolate`, until it is done. */
export const CHANGE_NETWORK = 'pod.network.openshift.io/multitenant.change-network'

/** On a HostSubnet: the uid of the Node that it belongs to. External hosts have none. */
export const NODE_UID = 'pod.network.openshift.io/node-uid'

/** On a HostSubnet: somebody outside the cluster asks for a range. */
export const ASSIGN_SUBNET = 'pod.network.openshift.io/assign-subnet'

/** On such a HostSubnet: the virtual network that the host belongs to, in decimal. */
export const FIXED_VNI = 'pod.network.openshift.io/fixed-vnid-host'
