/**
 * One interface of one pod on this node, as the agent's lease record in OVSDB has it.
 * @module
 */
import type { Ip, Mac } from './address.ts'
import type { Limits } from './bandwidth.ts'

/** One interface of one pod on this node. */
export interface Endpoint {
  /** `<container id>/<interface name>`: what a runtime calls the attachment by. */
  readonly id: string
  readonly containerId: string
  readonly ifname: string
  readonly namespace: string
  readonly pod: string
  readonly podUid?: string
  readonly mac: Mac
  /** At most one of each family. */
  readonly addresses: readonly Ip[]
  /** The OpenFlow port number of its OVS port. */
  readonly ofport: number
  /** What it is held to; absent: no limit. */
  readonly limits?: Limits
}

/** The name that endpoints are known by: the attachment's id. */
export function endpointId(containerId: string, ifname: string): string {
  return `${containerId}/${ifname}`
}
