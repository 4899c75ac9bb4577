/**
 * From what is to be attached to its record.
 * @module
 */
import { type AddRequest, cniError } from '../../cni/index.ts'
import { type Ip, macFromIp } from '../../network/model/address.ts'
import type { Limits } from '../../network/model/bandwidth.ts'
import { endpointId } from '../../network/model/endpoint.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import type { AddTerms } from './add-limits.ts'
import { type Lease, linkName } from './lease.ts'

/** What is to be attached. */
export interface Order extends AddTerms {
  readonly request: AddRequest
  readonly limits: Limits
  /** As in the {@link Lease}. */
  readonly plan: string | undefined
}

/** The record of an attachment to be. Throws `node-range-missing` where there are no addresses. */
export function leaseFor(
  { request, namespace, mtu, limits, plan }: Order,
  addresses: readonly Ip[],
  ofport: number,
  planner: NodePlanner,
): Lease {
  const { containerId, ifname, netns, config } = request
  const [first] = addresses
  if (first === undefined) throw cniError('node-range-missing', { node: planner.context.self.node })
  const id = endpointId(containerId, ifname)
  const pod = request.args.pod
  const uid = pod?.uid === undefined ? {} : { podUid: pod.uid }
  const name = pod?.name ?? containerId.slice(0, 12)
  const held = isUnlimited(limits) ? {} : { limits }
  const place = { id, containerId, ifname, namespace, pod: name, ...uid }
  const endpoint = { ...place, mac: macFromIp(first), addresses, ofport, ...held }
  return { network: config.name, netns, link: linkName(id), mtu, endpoint, ...(plan === undefined ? {} : { plan }) }
}
