/**
 * The definitions of the objects that Weft keeps in the Kubernetes API and that are not Kubernetes' own. They are data,
 * and part of the program: whoever brings up a cluster needs no file for it.
 * @module
 */
import clusterNetworks from '../../deploy/crds/clusternetworks.yaml'
import egressNetworkPolicies from '../../deploy/crds/egressnetworkpolicies.yaml'
import hostSubnets from '../../deploy/crds/hostsubnets.yaml'
import netNamespaces from '../../deploy/crds/netnamespaces.yaml'
import adminNetworkPolicies from '../../deploy/crds/network-policy-api/adminnetworkpolicies.yaml'
import baselineAdminNetworkPolicies from '../../deploy/crds/network-policy-api/baselineadminnetworkpolicies.yaml'
import clusterNetworkPolicies from '../../deploy/crds/network-policy-api/clusternetworkpolicies.yaml'
import nodeNetworks from '../../deploy/crds/nodenetworks.yaml'
import nodeReports from '../../deploy/crds/nodereports.yaml'
import type { KubeObject } from '../kube/object.ts'

/** Every CustomResourceDefinition, as in `deploy/crds/`. */
export function weftCrds(): readonly KubeObject[] {
  return [
    clusterNetworks,
    egressNetworkPolicies,
    hostSubnets,
    netNamespaces,
    nodeNetworks,
    nodeReports,
  ] as readonly KubeObject[]
}

/**
 * Those of `policy.networking.k8s.io`, as in `deploy/crds/network-policy-api/`. They are no part of an installation: a
 * cluster may have its own.
 */
export function networkPolicyApiCrds(): readonly KubeObject[] {
  return [adminNetworkPolicies, baselineAdminNetworkPolicies, clusterNetworkPolicies] as readonly KubeObject[]
}
