/**
 * What the settings say about a new cluster.
 * @module
 */
import type { Cidr, Family } from '../network/model/address.ts'
import type { Cluster, ClusterNetwork, Fabric } from '../network/model/cluster.ts'
import type { Settings } from './table.ts'

/** What somebody wants the cluster's configuration to be. What is absent is found out. */
export interface ClusterWish {
  readonly podNetworks?: readonly ClusterNetwork[]
  readonly serviceNetworks?: readonly Cidr[]
  readonly tenancy?: Cluster['tenancy']
  readonly encapsulation?: Cluster['encapsulation']['type']
  readonly fabric?: Fabric['way']
  readonly withoutWay?: Fabric['otherwise']
  readonly tunnelPort?: number
  readonly rangesPerNode?: number
  readonly underlay?: Family
  readonly services?: Cluster['services']
  readonly mtu?: number
}

/** The section `cluster` of the settings: what is in the file, and nothing else. */
export function clusterWish(settings: Settings): ClusterWish {
  const serviceNetworks = settings['cluster.serviceNetworks']
  const underlay = settings['cluster.underlay']
  return {
    ...field('podNetworks', settings['cluster.podNetworks']),
    // An empty list is what a generated file may say for none.
    ...field('serviceNetworks', serviceNetworks?.length === 0 ? undefined : serviceNetworks),
    ...field('tenancy', settings['cluster.tenancy']),
    ...field('encapsulation', settings['cluster.encapsulation']),
    ...field('fabric', settings['cluster.fabric']),
    ...field('withoutWay', settings['cluster.withoutWay']),
    ...field('tunnelPort', settings['cluster.tunnelPort']),
    ...field('rangesPerNode', settings['cluster.rangesPerNode']),
    ...field('underlay', underlay === undefined ? undefined : UNDERLAYS[underlay]),
    ...field('services', settings['cluster.services']),
    ...field('mtu', settings['cluster.mtu']),
  }
}

const UNDERLAYS = { IPv4: 4, IPv6: 6 } as const

function field<K extends keyof ClusterWish>(key: K, value: ClusterWish[K]): Pick<ClusterWish, K> | object {
  return value === undefined ? {} : { [key]: value }
}
