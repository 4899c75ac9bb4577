/**
 * A cluster's configuration for tests.
 * @module
 */
import { cidr } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'

/** A small cluster, with what the test changes. */
export function clusterOf(change: Partial<Cluster> = {}): Cluster {
  return {
    networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
    serviceNetworks: [],
    tenancy: 'multitenant',
    encapsulation: { type: 'vxlan', port: 4789 },
    underlay: 4,
    services: 'weft',
    ...change,
  }
}
