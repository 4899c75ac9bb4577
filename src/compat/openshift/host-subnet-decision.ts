/**
 * What is to be done about a HostSubnet.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { annotationOf } from '../fields.ts'
import { hostSubnetOf, hostSubnetRepair, isNodesHostSubnet } from './host-subnet.ts'
import { ASSIGN_SUBNET } from './resources.ts'

/** A call on the API. */
export type HostSubnetCall =
  | { readonly op: 'create'; readonly object: KubeObject }
  | { readonly op: 'patch'; readonly patch: Readonly<Record<string, unknown>> }
  | { readonly op: 'delete' }

/**
 * The call after which the HostSubnet of a name shows the node's network of that name, undefined when it does. What
 * belongs to hosts outside the cluster is left alone.
 */
export function decideHostSubnet(
  network: NodeNetwork | undefined,
  object: KubeObject | undefined,
): HostSubnetCall | undefined {
  const wanted = network === undefined ? undefined : hostSubnetOf(network)
  if (object === undefined) return wanted === undefined ? undefined : { op: 'create', object: wanted }
  if (annotationOf(object, ASSIGN_SUBNET) !== undefined) return undefined
  if (wanted === undefined) return isNodesHostSubnet(object) ? { op: 'delete' } : undefined
  const patch = hostSubnetRepair(object, wanted)
  return patch === undefined ? undefined : { op: 'patch', patch }
}
