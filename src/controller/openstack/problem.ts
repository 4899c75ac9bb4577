/**
 * What is in the way of a pool, for people: the object of OpenStack, and what to do.
 * @module
 */
import type { PoolProblem } from '../../network/model/neutron.ts'
import { MAX_NEUTRON_PROBLEM } from '../../network/model/validate-neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'

/** Why there is no pool, or no larger one, though Neutron answers. */
export type PortsReason =
  /** No port, or more than one, can be the VM's. */
  | 'PORTS_NO_PARENT'
  /** The VM's port has no trunk. */
  | 'PORTS_NO_TRUNK'
  /** The VM's port is not in the pods' network. */
  | 'PORTS_OTHER_NETWORK'
  /** Two nodes would write to one port. */
  | 'PORTS_SHARED_PARENT'
  /** No subnet is left, or none of those that are named. */
  | 'PORTS_NO_SUBNET'
  | 'PORTS_NO_GROUP'
  /** Pods ask for groups that are not there. */
  | 'PORTS_POD_GROUP'
  | 'PORTS_AMBIGUOUS'
  /** Pods still have ports of what the network was before. */
  | 'PORTS_CHANGING'
  | 'PORTS_FULL'
  | 'OPENSTACK_QUOTA'
  | 'PORTS_NO_VLAN'

/** A problem that is found here, not by Neutron. */
export class PortsError extends Error {
  override readonly name = 'PortsError'
  readonly code: PortsReason
  readonly remedy: string
  /** Whether it is one node's alone. */
  readonly isOfNode: boolean

  constructor(code: PortsReason, message: string, remedy: string, isOfNode = false) {
    super(message)
    this.code = code
    this.remedy = remedy
    this.isOfNode = isOfNode
  }
}

/** What passes by itself. All else waits for somebody to do something. */
const PASSING: ReadonlySet<string> = new Set([
  ...['OPENSTACK_UNAVAILABLE', 'OPENSTACK_REVISION', 'OPENSTACK_ENDED', 'OPENSTACK_GARBAGE'],
])
/** Seconds: how often is tried again what waits for somebody. */
export const RETRY_S = 60

/** A failure as what is told of a pool; undefined for a defect of ours. */
export function problemOf(network: string, error: unknown): PoolProblem | undefined {
  if (!(error instanceof OpenStackError || error instanceof PortsError)) return undefined
  const problem = `${error.message}; ${error.remedy}`.slice(0, MAX_NEUTRON_PROBLEM)
  return { network, reason: error.code, problem, ...(PASSING.has(error.code) ? {} : { retryAfter: RETRY_S }) }
}

/** Whether a failure leaves open what is in Neutron now. */
export function leavesDoubt(error: unknown): boolean {
  return !(error instanceof PortsError) && !(error instanceof OpenStackError && isRefusal(error))
}

/** Neutron said no to a call as a whole. */
function isRefusal({ code, isUncertain }: OpenStackError): boolean {
  return (
    !isUncertain && (code === 'OPENSTACK_QUOTA' || code === 'OPENSTACK_EXHAUSTED' || code === 'OPENSTACK_UNAUTHORIZED')
  )
}
