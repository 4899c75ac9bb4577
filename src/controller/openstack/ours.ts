/**
 * How the ports of a pool are known in Neutron: by their tags alone. There is no other book of them (docs/adr/0037).
 * @module
 */
import { OURS, tagOf } from '../../compat/ipam-neutron/names.ts'
import type { Port } from '../../openstack/neutron/model.ts'

/** Whose ports. */
export interface PoolOwner {
  /** What tells this cluster from others that use the same project: the uid of its namespace kube-system. */
  readonly cluster: string
  readonly node: string
  /** The NeutronNetwork's name. */
  readonly network: string
}

/** Tags of every port that a cluster's controller made. */
export function clusterTags(cluster: string): readonly string[] {
  return [OURS, tagOf('weft-cluster', cluster)]
}

/** Tags of a node's ports, whichever network they are of. */
export function nodeTags({ cluster, node }: Omit<PoolOwner, 'network'>): readonly string[] {
  return [...clusterTags(cluster), tagOf('weft-node', node)]
}

/** Tags of a pool's ports. */
export function poolTags(owner: PoolOwner): readonly string[] {
  return [...nodeTags(owner), tagOf('weft-pool', owner.network)]
}

/** A port's name, for people; where ports cannot have tags from the beginning, what finds them before they do. */
export function poolPortName({ cluster, node, network }: PoolOwner): string {
  return `weft/${cluster.slice(0, 8)}/${node}/${network}`.slice(0, MOST_NAME)
}

const MOST_NAME = 255

/** Whether a port has all of these tags. What a filter let through is looked at once more before it is deleted. */
export function hasTags(port: Pick<Port, 'tags'>, tags: readonly string[]): boolean {
  return tags.every((tag) => port.tags.includes(tag))
}
