/**
 * A node of a cluster where packets between pods go without a tunnel: one node is reached so, another is not. For the case
 * table of such packets.
 * @module
 */
import { UNKNOWN_REACH } from '../../src/network/fabric/way.ts'
import { hostPlan } from '../../src/network/host.ts'
import { ip } from '../../src/network/model/address.ts'
import type { Fabric } from '../../src/network/model/cluster.ts'
import type { Pod } from '../../src/network/model/pod.ts'
import { DIRECT_PORT } from '../../src/network/pipeline/stages.ts'
import type { NodePlanner } from '../../src/network/planner.ts'
import { type Fields, OTHER_MAC } from './packets.ts'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from './sample-node.ts'

/** Pods of node2, by the last number of their addresses: of `shop`, of `bank`, and a global one. */
export const FAR = { shop: 9, bank: 10, global: 11, unknown: 12 } as const
/** The same of node3, to which there is no way without a tunnel. */
export const far4 = (node: number, host: number): string => `10.${127 + node}.0.${host}`
export const far6 = (node: number, host: number): string => `fd00:10:128:${node}::${host}`

/** The sample node in such a cluster. */
export function directPlanner(otherwise: Fabric['otherwise'] = 'tunnel'): NodePlanner {
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'direct', otherwise } })
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } as const
  for (const n of [2, 3]) {
    planner.putPeer({ ...sampleNode(n), status })
    const { node, addresses } = sampleNode(n)
    const [v4 = ip('192.0.2.1'), v6 = ip('2001:db8::1')] = addresses
    const link = 'eth0'
    if (n === 2)
      planner.putPlace(node, {
        reach: { 4: 'open', 6: 'open' },
        places: { 4: { link, address: v4 }, 6: { link, address: v6 } },
      })
    else planner.putPlace(node, { reach: UNKNOWN_REACH, places: {} })
    for (const [namespace, name, host] of [
      ['shop', 'far', FAR.shop],
      ['bank', 'far', FAR.bank],
      ['default', 'far', FAR.global],
    ] as const)
      planner.putPod(farPod(namespace, `${name}-${node}`, node, [far4(n, host), far6(n, host)]))
  }
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  return planner
}

/** A pod of another node. */
export function farPod(namespace: string, name: string, node: string, addresses: readonly string[]): Pod {
  return { namespace, name, uid: `uid-${namespace}-${name}`, node, addresses: addresses.map((one) => ip(one)) }
}

/** A packet that the node's stack let in of another node's pod. */
export const arriving: Fields = { in_port: DIRECT_PORT, eth_src: '0a:58:a9:fe:4d:02', eth_dst: '0a:58:a9:fe:4d:01' }
/** From elsewhere. */
export const elsewhere: Fields = { ...arriving, eth_src: OTHER_MAC }
