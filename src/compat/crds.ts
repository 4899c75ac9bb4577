/**
 * The definitions of the objects that Weft keeps in the Kubernetes API and that are not Kubernetes' own. They are data,
 * and part of the program: whoever brings up a cluster needs no file for it.
 * @module
 */
import addressClaims from '../../deploy/crds/addressclaims.yaml'
import calicoBgpConfigurations from '../../deploy/crds/calico/bgpconfigurations.yaml'
import calicoBgpFilters from '../../deploy/crds/calico/bgpfilters.yaml'
import calicoBgpPeers from '../../deploy/crds/calico/bgppeers.yaml'
import globalNetworkPolicies from '../../deploy/crds/calico/globalnetworkpolicies.yaml'
import globalNetworkSets from '../../deploy/crds/calico/globalnetworksets.yaml'
import calicoIpPools from '../../deploy/crds/calico/ippools.yaml'
import calicoNetworkPolicies from '../../deploy/crds/calico/networkpolicies.yaml'
import networkSets from '../../deploy/crds/calico/networksets.yaml'
import clusterNetworks from '../../deploy/crds/clusternetworks.yaml'
import egressNetworkPolicies from '../../deploy/crds/egressnetworkpolicies.yaml'
import hostSubnets from '../../deploy/crds/hostsubnets.yaml'
import networkAttachmentDefinitions from '../../deploy/crds/multus/network-attachment-definitions.yaml'
import netNamespaces from '../../deploy/crds/netnamespaces.yaml'
import adminNetworkPolicies from '../../deploy/crds/network-policy-api/adminnetworkpolicies.yaml'
import baselineAdminNetworkPolicies from '../../deploy/crds/network-policy-api/baselineadminnetworkpolicies.yaml'
import clusterNetworkPolicies from '../../deploy/crds/network-policy-api/clusternetworkpolicies.yaml'
import neutronNetworks from '../../deploy/crds/neutronnetworks.yaml'
import nodeNetworks from '../../deploy/crds/nodenetworks.yaml'
import nodePorts from '../../deploy/crds/nodeports.yaml'
import nodeReports from '../../deploy/crds/nodereports.yaml'
import portUses from '../../deploy/crds/portuses.yaml'
import spiderCoordinators from '../../deploy/crds/spiderpool/spidercoordinators.yaml'
import spiderEndpoints from '../../deploy/crds/spiderpool/spiderendpoints.yaml'
import spiderIpPools from '../../deploy/crds/spiderpool/spiderippools.yaml'
import spiderMultusConfigs from '../../deploy/crds/spiderpool/spidermultusconfigs.yaml'
import spiderReservedIps from '../../deploy/crds/spiderpool/spiderreservedips.yaml'
import spiderSubnets from '../../deploy/crds/spiderpool/spidersubnets.yaml'
import type { KubeObject } from '../kube/object.ts'

/** Every CustomResourceDefinition of an installation, as in `deploy/crds/`. */
export function weftCrds(): readonly KubeObject[] {
  return [
    addressClaims,
    clusterNetworks,
    egressNetworkPolicies,
    hostSubnets,
    netNamespaces,
    neutronNetworks,
    nodeNetworks,
    nodePorts,
    nodeReports,
    portUses,
  ] as readonly KubeObject[]
}

/**
 * Those of others, by their folder in `deploy/crds/`. They are no part of an installation: a cluster may have its own.
 */
export const FOREIGN_CRDS = {
  calico: [
    calicoBgpConfigurations,
    calicoBgpFilters,
    calicoBgpPeers,
    globalNetworkPolicies,
    globalNetworkSets,
    calicoIpPools,
    calicoNetworkPolicies,
    networkSets,
  ],
  'network-policy-api': [adminNetworkPolicies, baselineAdminNetworkPolicies, clusterNetworkPolicies],
  spiderpool: [
    spiderCoordinators,
    spiderEndpoints,
    spiderIpPools,
    spiderMultusConfigs,
    spiderReservedIps,
    spiderSubnets,
  ],
  multus: [networkAttachmentDefinitions],
} as unknown as Readonly<Record<'calico' | 'network-policy-api' | 'spiderpool' | 'multus', readonly KubeObject[]>>

/** Everything that Weft can work with: {@link weftCrds} and {@link FOREIGN_CRDS}. */
export function everyCrd(): readonly KubeObject[] {
  return [...weftCrds(), ...Object.values(FOREIGN_CRDS).flat()]
}
