/**
 * How everything that Weft shares is kept in the Kubernetes API: OpenShift SDN's objects where there are such,
 * Kubernetes' own, the Kubernetes network policy group's, and two of Weft's: a machine's network, and beside it what its agent reports (`nodeReports`).
 * @module
 */
import type { KubeBindings } from '../kube/binding.ts'
import { endpointSliceBinding } from './kubernetes/endpoint-slice.ts'
import { networkPolicyBinding } from './kubernetes/network-policy.ts'
import { namespaceBinding, nodeBinding } from './kubernetes/node.ts'
import { podBinding } from './kubernetes/pod.ts'
import { serviceBinding } from './kubernetes/service.ts'
import { adminNetworkPolicyBinding } from './network-policy-api/admin.ts'
import { baselineAdminNetworkPolicyBinding } from './network-policy-api/baseline.ts'
import { clusterNetworkPolicyBinding } from './network-policy-api/cluster.ts'
import { clusterNetworkBinding } from './openshift/cluster-network.ts'
import { egressNetworkPolicyBinding } from './openshift/egress-network-policy.ts'
import { netNamespaceBinding } from './openshift/net-namespace.ts'
import { nodeNetworkBinding } from './weft/node-network.ts'

/** Every kind's translation. */
export const weftBindings: KubeBindings = {
  Cluster: clusterNetworkBinding,
  Node: nodeBinding,
  NodeNetwork: nodeNetworkBinding,
  Namespace: namespaceBinding,
  Tenant: netNamespaceBinding,
  Pod: podBinding,
  Service: serviceBinding,
  EndpointSlice: endpointSliceBinding,
  NetworkPolicy: networkPolicyBinding,
  AdminNetworkPolicy: adminNetworkPolicyBinding,
  BaselineAdminNetworkPolicy: baselineAdminNetworkPolicyBinding,
  ClusterNetworkPolicy: clusterNetworkPolicyBinding,
  EgressNetworkPolicy: egressNetworkPolicyBinding,
}
