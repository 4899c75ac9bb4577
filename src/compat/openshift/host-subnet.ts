/**
 * HostSubnets: the IPv4 view of the nodes' networks, for whoever reads OpenShift SDN's objects. The controller writes
 * them, Weft itself never reads them.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { familyOf } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { annotationOf, at, textAt } from '../fields.ts'
import { clusterPlace, objectOf } from '../merge.ts'
import { ASSIGN_SUBNET, HOST_SUBNETS, NODE_UID } from './resources.ts'

/** The HostSubnet of a node's network; undefined when there is nothing of IPv4, or no Node, to tell of. */
export function hostSubnetOf({ node, machine, addresses, ranges }: NodeNetwork): KubeObject | undefined {
  const hostIP = addresses.find((address) => familyOf(address) === 4)
  const subnet = ranges.find((range) => familyOf(range) === 4)
  if (hostIP === undefined || subnet === undefined || machine.kind !== 'node') return undefined
  const metadata = { annotations: { [NODE_UID]: machine.uid } }
  return objectOf(HOST_SUBNETS, clusterPlace(node), { metadata, host: node, hostIP, subnet })
}

/** Whether a HostSubnet is a node's view; others belong to hosts outside the cluster and are left alone. */
export function isNodesHostSubnet(object: KubeObject): boolean {
  return annotationOf(object, NODE_UID) !== undefined && annotationOf(object, ASSIGN_SUBNET) === undefined
}

/** The merge patch that makes `object` show what `wanted` shows; undefined when it does. */
export function hostSubnetRepair(
  object: KubeObject,
  wanted: KubeObject,
): Readonly<Record<string, unknown>> | undefined {
  const fields = ['host', 'hostIP', 'subnet'].filter((field) => textAt(object, field) !== at(wanted, field))
  const uid = annotationOf(wanted, NODE_UID)
  const isStamped = annotationOf(object, NODE_UID) === uid
  if (fields.length === 0 && isStamped) return undefined
  return {
    ...Object.fromEntries(fields.map((field) => [field, at(wanted, field)])),
    ...(isStamped ? {} : { metadata: { annotations: { [NODE_UID]: uid } } }),
  }
}
