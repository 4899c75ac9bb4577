/**
 * Hosts outside the cluster as OpenShift SDN's administrators declare them (F5 and other load balancers): a HostSubnet
 * with the annotation `assign-subnet`. Here such a host is a NodeNetwork; the HostSubnet is answered with its range. When
 * the HostSubnet goes, the API server's garbage collector takes the NodeNetwork, which names it as its owner.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { familyOf, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { GLOBAL_VNI, MAX_VNI } from '../../network/model/tenant.ts'
import { annotationOf, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { NODE_NETWORKS } from '../weft/node-network.ts'
import { ASSIGN_SUBNET, FIXED_VNI } from './resources.ts'

/** What is to be done for such a host. */
export type AssignedHostCall =
  /** A NodeNetwork is to be made. */
  | { readonly op: 'declare'; readonly object: KubeObject }
  /** The NodeNetwork is to say what the HostSubnet says now. */
  | { readonly op: 'amend'; readonly patch: MergePatch }
  /** The HostSubnet is to say the range. */
  | { readonly op: 'answer'; readonly patch: MergePatch }
  /** Nothing can be done, for a reason that people should know. */
  | { readonly op: 'refuse'; readonly why: string }

/** Whether a HostSubnet declares a host outside the cluster. */
export function isAssigned(object: KubeObject): boolean {
  return annotationOf(object, ASSIGN_SUBNET) !== undefined
}

/** The call after which host and HostSubnet agree; undefined when they do. `network` is the machine of that name. */
export function decideAssignedHost(network: NodeNetwork | undefined, object: KubeObject): AssignedHostCall | undefined {
  const address = addressIn(object)
  const vni = vniIn(object)
  if (address === undefined) return refuse(`hostIP is no IPv4 address (write the host's own)`)
  if (vni === undefined) return refuse(`${FIXED_VNI} is no number from 0 to ${MAX_VNI} (correct or remove it)`)
  if (network === undefined) return { op: 'declare', object: declaration(object, address, vni) }
  if (network.machine.kind === 'node') return refuse('a node of the cluster has that name (choose another)')
  if (network.machine.vni !== vni || !network.addresses.includes(address)) {
    const others = network.addresses.filter((one) => familyOf(one) === 6)
    return { op: 'amend', patch: { spec: { external: { vni }, addresses: [address, ...others] } } }
  }
  const range = network.ranges.find((one) => familyOf(one) === 4)
  return range === undefined || textAt(object, 'subnet') === range
    ? undefined
    : { op: 'answer', patch: { subnet: range } }
}

function declaration(object: KubeObject, address: Ip, vni: number): KubeObject {
  const { name, uid } = object.metadata
  const subnet = parseCidr(textAt(object, 'subnet') ?? '')
  const owner = { apiVersion: object.apiVersion, kind: object.kind, name, uid }
  return objectOf(NODE_NETWORKS, clusterPlace(name), {
    metadata: { ownerReferences: uid === undefined ? [] : [owner] },
    spec: { external: { vni }, addresses: [address], ranges: subnet === undefined ? [] : [subnet] },
  })
}

function addressIn(object: KubeObject): Ip | undefined {
  const address = parseIp(textAt(object, 'hostIP') ?? '')
  return address !== undefined && familyOf(address) === 4 ? address : undefined
}

function vniIn(object: KubeObject): number | undefined {
  const text = annotationOf(object, FIXED_VNI)
  if (text === undefined) return GLOBAL_VNI
  const vni = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN
  return vni <= MAX_VNI ? vni : undefined
}

function refuse(why: string): AssignedHostCall {
  return { op: 'refuse', why }
}
