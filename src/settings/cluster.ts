/**
 * What the settings say about a new cluster.
 * @module
 */
import type { Cidr, Family } from '../network/model/address.ts'
import type { Cluster, ClusterNetwork } from '../network/model/cluster.ts'
import { SETTINGS, type Settings } from './table.ts'

/** What somebody wants the cluster's configuration to be. What is absent is found out. */
export interface ClusterWish {
  readonly podNetworks?: readonly ClusterNetwork[]
  readonly serviceNetworks?: readonly Cidr[]
  readonly tenancy: Cluster['tenancy']
  readonly encapsulation: Cluster['encapsulation']['type']
  readonly tunnelPort?: number
  readonly underlay?: Family
  readonly services: Cluster['services']
  readonly mtu?: number
}

/** The section `cluster` of the settings. */
export function clusterWish(settings: Settings): ClusterWish {
  const { 'cluster.podNetworks': podNetworks, 'cluster.serviceNetworks': serviceNetworks } = settings
  const { 'cluster.tunnelPort': tunnelPort, 'cluster.underlay': underlay, 'cluster.mtu': mtu } = settings
  return {
    ...(podNetworks === undefined ? {} : { podNetworks }),
    // An empty list is what a generated file may say for none.
    ...(serviceNetworks === undefined || serviceNetworks.length === 0 ? {} : { serviceNetworks }),
    tenancy: settings['cluster.tenancy'] ?? SETTINGS['cluster.tenancy'].default,
    encapsulation: settings['cluster.encapsulation'] ?? SETTINGS['cluster.encapsulation'].default,
    ...(tunnelPort === undefined ? {} : { tunnelPort }),
    ...(underlay === undefined ? {} : { underlay: underlay === 'IPv6' ? 6 : 4 }),
    services: settings['cluster.services'] ?? SETTINGS['cluster.services'].default,
    ...(mtu === undefined ? {} : { mtu }),
  }
}
