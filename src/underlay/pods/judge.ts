/**
 * CHECK, STATUS and GC.
 * @module
 */
import { configurationProblem } from '../../agent/plugins/configure.ts'
import { type AttachmentKey, type CniResult, cniError } from '../../cni/index.ts'
import type { UnderlayNetconf } from '../../compat/ovn-underlay/netconf.ts'
import { linkFind, openRtnl } from '../../linux/index.ts'
import { readPods, readState } from '../state.ts'
import { detachRow, isOf, type PodInterface, type PodPlace } from './attach.ts'
import { reasonNotReady } from './take.ts'

/** Throws `check-failed` with how an interface is not as ADD made it. */
export async function checkPod({ ovs, rtnl }: PodPlace, pod: PodInterface, result: CniResult): Promise<void> {
  const { pods, cache } = await readState(ovs)
  const row = pods.find((one) => isOf(one, pod))
  if (row === undefined) throw differs('Open vSwitch has no port for it')
  const port = cache.find(({ id }) => id === row.port)
  if (port === undefined) throw differs(`port ${row.port} is no more in the cache of this node`)
  if (row.error !== undefined) throw differs(`Open vSwitch says of ${row.link}: ${row.error}`)
  if (row.tag !== port.vlan) throw differs(`${row.link} has VLAN ${row.tag ?? 'none'} instead of ${port.vlan}`)
  if (linkFind(rtnl, row.link)?.up !== true) throw differs(`link ${row.link} is gone or down`)
  const told = result.ips.find(({ address }) => address.split('/')[0] === port.address)
  if (told === undefined) throw differs(`it has address ${port.address}, which the result does not name`)
  using inside = openRtnl({ nsFd: pod.nsFd })
  const link = linkFind(inside, pod.ifname)
  if (link === undefined) throw differs(`interface ${pod.ifname} is gone from the container`)
  if (link.mac !== port.mac)
    throw differs(`interface ${pod.ifname} has MAC address ${link.mac ?? 'none'} instead of ${port.mac}`)
  if (!link.up) throw differs(`interface ${pod.ifname} is down`)
  const problem = configurationProblem(pod, { ips: [told], routes: port.gateway === undefined ? [] : [DEFAULT_ROUTE] })
  if (problem !== undefined) throw differs(problem)
}

const DEFAULT_ROUTE = { dst: '0.0.0.0/0' }

/** Throws why no pod can be attached. */
export async function statusOfPods({ ovs }: PodPlace, { bridge }: UnderlayNetconf): Promise<void> {
  const state = await readState(ovs)
  if (!state.datapaths.has(bridge)) {
    throw cniError('status-not-ready', { reason: `Open vSwitch has no bridge ${bridge}` })
  }
  const reason = reasonNotReady(state)
  if (reason !== undefined) throw cniError('status-not-ready', { reason })
}

/** Detaches every interface of the network but the valid ones. */
export async function collectPods(
  place: PodPlace,
  network: string,
  valid: readonly AttachmentKey[],
  hostBridge: string,
): Promise<void> {
  const pods = await readPods(place.ovs)
  const left = pods.filter((row) => row.network === network && !valid.some((key) => isOf(row, key)))
  for (const row of left) await detachRow(place, row, hostBridge)
}

function differs(difference: string): Error {
  return cniError('check-failed', { difference })
}
