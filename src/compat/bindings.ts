/**
 * How everything that Weft shares is kept in the Kubernetes API: OpenShift SDN's objects where there are such,
 * Kubernetes' own, the Kubernetes network policy group's, Calico's, Spiderpool's, Multus's, and Weft's: a machine's network, beside it
 * what its agent reports (`nodeReports`), claims on addresses, and ports of Neutron's.
 * @module
 */
import type { KubeBindings } from '../kube/binding.ts'
import type { Kind } from '../registry/registry.ts'
import { bgpConfigurationBinding } from './calico/bgp/configuration.ts'
import { bgpFilterBinding } from './calico/bgp/filter.ts'
import { bgpPeerBinding } from './calico/bgp/peer.ts'
import { bgpRangeBinding } from './calico/bgp/pool.ts'
import { globalNetworkSetBinding, networkSetBinding } from './calico/policy/network-set.ts'
import { calicoNetworkPolicyBinding, globalNetworkPolicyBinding } from './calico/policy/policy.ts'
import { endpointSliceBinding } from './kubernetes/endpoint-slice.ts'
import { networkPolicyBinding } from './kubernetes/network-policy.ts'
import { namespaceBinding, nodeBinding } from './kubernetes/node.ts'
import { podBinding } from './kubernetes/pod.ts'
import { serviceBinding } from './kubernetes/service.ts'
import { attachmentDefinitionBinding } from './multus/attachment-definition.ts'
import { adminNetworkPolicyBinding } from './network-policy-api/admin.ts'
import { baselineAdminNetworkPolicyBinding } from './network-policy-api/baseline.ts'
import { clusterNetworkPolicyBinding } from './network-policy-api/cluster.ts'
import { clusterNetworkBinding } from './openshift/cluster-network.ts'
import { egressNetworkPolicyBinding } from './openshift/egress-network-policy.ts'
import { netNamespaceBinding } from './openshift/net-namespace.ts'
import { coordinatorBinding } from './spiderpool/coordinator.ts'
import { ipPoolBinding } from './spiderpool/ip-pool.ts'
import { reservedIpBinding } from './spiderpool/reserved-ip.ts'
import { addressClaimBinding } from './weft/address-claim.ts'
import { neutronNetworkBinding } from './weft/neutron-network.ts'
import { nodeNetworkBinding } from './weft/node-network.ts'
import { nodePortsBinding, portUseBinding } from './weft/node-ports.ts'

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
  AddressPool: ipPoolBinding,
  ReservedAddresses: reservedIpBinding,
  AddressClaim: addressClaimBinding,
  AttachmentDefinition: attachmentDefinitionBinding,
  Coordinator: coordinatorBinding,
  BgpConfiguration: bgpConfigurationBinding,
  BgpFilter: bgpFilterBinding,
  BgpPeering: bgpPeerBinding,
  BgpRange: bgpRangeBinding,
  NeutronNetwork: neutronNetworkBinding,
  NodePorts: nodePortsBinding,
  PortUse: portUseBinding,
  NetworkPolicy: networkPolicyBinding,
  AdminNetworkPolicy: adminNetworkPolicyBinding,
  BaselineAdminNetworkPolicy: baselineAdminNetworkPolicyBinding,
  ClusterNetworkPolicy: clusterNetworkPolicyBinding,
  EgressNetworkPolicy: egressNetworkPolicyBinding,
  CalicoNetworkPolicy: calicoNetworkPolicyBinding,
  GlobalNetworkPolicy: globalNetworkPolicyBinding,
  NetworkSet: networkSetBinding,
  GlobalNetworkSet: globalNetworkSetBinding,
}

/** What those who wrote an object call its kind, where they are told of it in their words. */
export function kindWord(kind: Kind): string {
  const { fieldOf, resource } = weftBindings[kind]
  return fieldOf === undefined ? kind : resource.kind
}
