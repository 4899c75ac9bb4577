/**
 * The definitions of the objects that Weft keeps in the Kubernetes API and that are not Kubernetes' own. They are data,
 * and part of the program: whoever brings up a cluster needs no file for it.
 * @module
 */
import clusterNetworks from '../../deploy/crds/clusternetworks.yaml'
import hostSubnets from '../../deploy/crds/hostsubnets.yaml'
import netNamespaces from '../../deploy/crds/netnamespaces.yaml'
import nodeNetworks from '../../deploy/crds/nodenetworks.yaml'
import nodeReports from '../../deploy/crds/nodereports.yaml'
import type { KubeObject } from '../kube/object.ts'

/** Every CustomResourceDefinition, as in `deploy/crds/`. */
export function weftCrds(): readonly KubeObject[] {
  return [clusterNetworks, hostSubnets, netNamespaces, nodeNetworks, nodeReports] as readonly KubeObject[]
}
