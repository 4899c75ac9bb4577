/**
 * Coming from OpenShift SDN: the ranges in its nodes' HostSubnets, as a registry that the nodes' networks can be taken
 * from. Once Weft's controller runs HostSubnets are a view that it writes, so this comes before.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject } from '../../kube/object.ts'
import { familyOf, parseCidr, parseIp } from '../../network/model/address.ts'
import type { Node, NodeNetwork } from '../../network/model/node.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import type { Registry } from '../../registry/registry.ts'
import { annotationOf, nameOf, textAt } from '../fields.ts'
import { isAssigned } from './assigned-host.ts'
import { HOST_SUBNETS, NODE_UID } from './resources.ts'

/** The nodes' networks as HostSubnets have them, and HostSubnets that say nothing usable, in words. */
export interface HostSubnetRanges {
  readonly networks: readonly NodeNetwork[]
  readonly unreadable: readonly string[]
}

/**
 * A registry that holds what `target` does, and beside it a network for every HostSubnet of a node. The second is what
 * could not be read.
 */
export async function hostSubnetSource(
  api: Pick<KubeApi, 'list'>,
  target: Registry,
): Promise<{ readonly source: Registry; readonly unreadable: readonly string[] }> {
  const source = new MemoryRegistry()
  for (const { name, value } of (await target.list('Cluster')).objects) await source.create('Cluster', name, value)
  for (const { name, value } of (await target.list('Tenant')).objects) await source.create('Tenant', name, value)
  const nodes = new Map((await target.list('Node')).objects.map(({ name, value }) => [name, value]))
  const there = new Map((await target.list('NodeNetwork')).objects.map(({ name, value }) => [name, value]))
  const { networks, unreadable } = rangesIn((await api.list(HOST_SUBNETS)).items, nodes, there)
  for (const network of networks) await source.create('NodeNetwork', network.node, network)
  return { source, unreadable }
}

/** The networks in HostSubnets. One that has come over already is told as it is there, with its range of IPv6. */
export function rangesIn(
  objects: readonly KubeObject[],
  nodes: ReadonlyMap<string, Node>,
  there: ReadonlyMap<string, NodeNetwork>,
): HostSubnetRanges {
  const networks: NodeNetwork[] = []
  const unreadable: string[] = []
  for (const object of objects) {
    // Hosts outside the cluster are brought over by the controller.
    if (isAssigned(object)) continue
    const name = nameOf(object) ?? ''
    const read = networkIn(object, name, nodes.get(name), there.get(name))
    if (typeof read === 'string') unreadable.push(`HostSubnet ${name}: ${read}`)
    else networks.push(read)
  }
  return { networks, unreadable }
}

function networkIn(
  object: KubeObject,
  name: string,
  node: Node | undefined,
  there: NodeNetwork | undefined,
): NodeNetwork | string {
  const range = parseCidr(textAt(object, 'subnet') ?? '')
  const hostIp = parseIp(textAt(object, 'hostIP') ?? '')
  if (range === undefined || familyOf(range) === 6) return 'its subnet is no IPv4 network'
  if (there?.ranges.includes(range)) return there
  const addresses = node?.addresses ?? (hostIp === undefined ? [] : [hostIp])
  const uid = node?.uid ?? annotationOf(object, NODE_UID) ?? 'unknown'
  return { node: name, machine: { kind: 'node', uid }, addresses, ranges: [range] }
}
