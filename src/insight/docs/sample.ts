/**
 * The node whose flows illustrate the pipeline's page: one pod, one remote node, both families.
 * @module
 */
import { nodeContext } from '../../network/context.ts'
import { cidr, ip, type Mac } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { endpointId } from '../../network/model/endpoint.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { FIRST_ENDPOINT_PORT } from '../../network/pipeline/stages.ts'
import { NodePlanner } from '../../network/planner.ts'

/** The plan of the sample node. Addresses of the underlay are those of RFC 5737. */
export function pageSample(): NodePlanner {
  const context = nodeContext(CLUSTER, node(1), 1450)
  if (context === undefined) throw new Error('the sample node has ranges')
  const planner = new NodePlanner(context)
  planner.putPeer({ ...node(2), status: { ready: true, uplinkMtu: 1500, datapath: 'netdev' } })
  planner.putTenant('shop', 42)
  planner.putEndpoint({
    id: endpointId('sample', 'eth0'),
    containerId: 'sample',
    ifname: 'eth0',
    namespace: 'shop',
    pod: 'web',
    mac: '0a:58:0a:80:00:02' as Mac,
    addresses: [ip('10.128.0.2'), ip('fd00:10:128:1::2')],
    ofport: FIRST_ENDPOINT_PORT,
  })
  return planner
}

const CLUSTER: Cluster = {
  networks: [
    { cidr: cidr('10.128.0.0/14'), hostBits: 9 },
    { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
  ],
  serviceNetworks: [cidr('172.30.0.0/16')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

function node(n: number): NodeNetwork {
  return {
    node: `node${n}`,
    machine: { kind: 'node', uid: `uid-${n}` },
    addresses: [ip(`192.0.2.${10 + n}`)],
    ranges: [cidr(`10.${126 + 2 * n}.0.0/23`), cidr(`fd00:10:128:${n}::/64`)],
  }
}
