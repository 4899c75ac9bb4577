/**
 * How everything that Weft shares is kept in the Kubernetes API: OpenShift SDN's objects where there are such,
 * Kubernetes' own, and two of Weft's: a machine's network, and beside it what its agent reports (`nodeReports`).
 * @module
 */
import type { KubeBindings } from '../kube/binding.ts'
import { endpointSliceBinding } from './kubernetes/endpoint-slice.ts'
import { namespaceBinding, nodeBinding } from './kubernetes/node.ts'
import { podBinding } from './kubernetes/pod.ts'
import { serviceBinding } from './kubernetes/service.ts'
import { clusterNetworkBinding } from './openshift/cluster-network.ts'
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
}

/** The same for an agent, whose pods are those of its node: what it reads does not grow with the cluster. */
export function nodeBindings(node: string): KubeBindings {
  return { ...weftBindings, Pod: { ...podBinding, selection: { fieldSelector: `spec.nodeName=${node}` } } }
}
