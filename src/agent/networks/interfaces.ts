/**
 * What a pod's interfaces as a whole have to be like, told before anything is made: how many it may ask for, what they may be
 * called, and which of them it may choose.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import type { DelegatePlan } from '../../compat/multus/delegates.ts'
import { refusedAt } from '../../compat/multus/errors.ts'
import { NETWORKS, type NetworkSelection } from '../../compat/multus/selection.ts'
import type { Pod } from '../../network/model/pod.ts'
import { POD_LINK } from '../plugins/coordinator/numbers.ts'
import type { Wanted } from './resolve.ts'

/** Spiderpool's annotation by which a pod chooses the interface of its default route. */
export const DEFAULT_ROUTE_NIC = 'ipam.spidernet.io/default-route-nic'

/** Throws `annotation-invalid` where a pod asks for more networks than an administrator lets pods have. */
export function checkCount(wishes: readonly NetworkSelection[], most: number): void {
  if (wishes.length <= most) return
  const expected = `must not be more than ${most} (attachments.networksPerPod), and are ${wishes.length}`
  throw cniError('annotation-invalid', { annotation: NETWORKS, field: 'networks', expected })
}

/**
 * Throws `annotation-invalid` where a pod that a coordinator leads to its node asks for an interface of the name that the
 * coordinator's has, or for its default route by an interface that it does not have.
 */
export function checkNames(pod: Pod | undefined, plans: readonly DelegatePlan[], wanted: readonly Wanted[]): void {
  if (!wanted.some(({ plugins }) => plugins.some(({ type }) => type === 'coordinator'))) return
  const taken = plans.find(({ ifname }) => ifname === POD_LINK)
  if (taken !== undefined) throw nameTaken(taken)
  const nic = pod?.wishes?.[DEFAULT_ROUTE_NIC] ?? ''
  const names = plans.map(({ ifname }) => ifname)
  if (nic === '' || names.includes(nic)) return
  const expected = `must be an interface of the pod, which has ${names.join(', ')}`
  throw cniError('annotation-invalid', { annotation: DEFAULT_ROUTE_NIC, field: 'value', expected })
}

function nameTaken({ network, ifname }: DelegatePlan): Error {
  const expected = `must not be ${POD_LINK}, which leads a pod with a coordinator to its node`
  if (network.kind === 'selected') return refusedAt(network.selection.place, 'interface', expected)
  return cniError('environment-invalid', { name: 'CNI_IFNAME', value: ifname, expected })
}
