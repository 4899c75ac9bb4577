/**
 * The moment itself: every port of the other bridge becomes one of ours, and that bridge goes, in one transaction. Our
 * bridge has its flows by then.
 *
 * A call that was killed is taken up by the next one, wherever it was: links have our names from just before the
 * transaction on, leases are recorded in it, and the links' mark, by which an agent may delete them, comes last.
 * @module
 */
import { closeFd, hasErrno, linkFind, linkSet, netnsOpen, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { BRIDGE, type BridgePlan, TUNNEL } from '../../network/host.ts'
import { advanceConfig } from '../../ovs/ovsdb/helpers/ports.ts'
import {
  byName,
  byUuid,
  deleteRows,
  everyRow,
  insert,
  mutate,
  named,
  type Operation,
  type OvsdbClient,
  waitForOfport,
} from '../../ovs/ovsdb/index.ts'
import type { EndpointLinks } from '../attach/endpoint-links.ts'
import { type Lease, leaseIds } from '../attach/lease.ts'
import { MONITORED } from '../attach/tables.ts'
import type { ForeignBridge } from './observed.ts'
import type { AdoptedPod } from './plan.ts'

/** What there is to work with. */
export interface SwitchOverParts {
  readonly client: OvsdbClient
  readonly rtnl: RtnlSocket
  readonly links: EndpointLinks
  readonly bridge: ForeignBridge | undefined
  readonly plan: BridgePlan
  readonly hasTunnel: boolean
  /** Done as soon as the transaction is recorded, while Open vSwitch is at work. */
  meanwhile(): Promise<void>
  readonly signal: AbortSignal
}

/** How long ovs-vswitchd may take for all ports together. */
const PATIENCE_MS = 120_000

/** Switches over. Resolves with the milliseconds from the first renamed link to the last port that forwards. */
export async function switchOver(pods: readonly AdoptedPod[], parts: SwitchOverParts): Promise<number> {
  const { client, rtnl, signal, plan, hasTunnel } = parts
  const tables = await client.monitor(MONITORED, { signal })
  try {
    const started = performance.now()
    // A pod that ends in this very moment is none any more.
    const standing = pods.filter(({ host, lease }) => rename(rtnl, host.index, host.name, lease.link))
    await client.transact(operations(standing, parts))
    const own = hasTunnel ? [] : [{ name: TUNNEL, requested: plan.tunnel.ofport }]
    const ports = [...own, ...standing.map(({ lease }) => ({ name: lease.link, requested: lease.endpoint.ofport }))]
    const forwards = ports.map(({ name, requested }) =>
      waitForOfport(tables, name, { requested, signal, timeoutMs: PATIENCE_MS }),
    )
    const [, ...results] = await Promise.allSettled([parts.meanwhile(), ...forwards])
    const took = performance.now() - started
    const failed = results.find((result, i) => {
      const name = ports[i]?.name ?? ''
      return result.status === 'rejected' && (name === TUNNEL || linkFind(rtnl, name) !== undefined)
    })
    if (failed?.status === 'rejected') throw failed.reason
    return took
  } finally {
    tables.close()
  }
}

/** A pod whose ports have been moved. */
interface Finished {
  readonly lease: Lease
  readonly shrinkTo?: number | undefined
}

/** Puts our mark on the links of pods that were taken over, and lowers their MTU where it has to be. */
export function finish(pods: readonly Finished[], links: EndpointLinks, rtnl: RtnlSocket): void {
  for (const pod of pods) {
    try {
      finishOne(pod, links, rtnl)
    } catch (error) {
      // It has ended meanwhile; the agent finds that out by itself.
      if (linkFind(rtnl, pod.lease.link) !== undefined) throw error
    }
  }
}

function finishOne({ lease, shrinkTo }: Finished, links: EndpointLinks, rtnl: RtnlSocket): void {
  const fd = netnsOpen(lease.netns)
  try {
    links.own(lease, { fd, path: lease.netns })
    if (shrinkTo === undefined) return
    using inside = openRtnl({ nsFd: fd })
    linkSet(inside, lease.endpoint.ifname, { mtu: shrinkTo })
    linkSet(rtnl, lease.link, { mtu: shrinkTo })
  } finally {
    closeFd(fd)
  }
}

/**
 * Whether the link is there, under its new name. Kernels before 6.2 rename links only while they are down; what the pod
 * sends in that moment is lost.
 */
function rename(rtnl: RtnlSocket, index: number, from: string, to: string): boolean {
  try {
    if (from === to) return linkFind(rtnl, index) !== undefined
    try {
      linkSet(rtnl, index, { name: to })
    } catch (error) {
      if (!hasErrno(error, 'EBUSY')) throw error
      linkSet(rtnl, index, { up: false })
      linkSet(rtnl, index, { name: to })
      linkSet(rtnl, index, { up: true })
    }
    return true
  } catch (error) {
    if (hasErrno(error, 'ENODEV')) return false
    throw error
  }
}

function operations(pods: readonly AdoptedPod[], { bridge, plan, hasTunnel }: SwitchOverParts): readonly Operation[] {
  const { type, options, ofport } = plan.tunnel
  const tunnel = {
    name: TUNNEL,
    row: { type, options, ofport_request: ofport, external_ids: { 'weft-owner': 'weft-agent' } },
  }
  const ports = [
    ...(hasTunnel ? [] : [tunnel]),
    ...pods.map(({ lease }) => ({
      name: lease.link,
      row: { ofport_request: lease.endpoint.ofport, external_ids: leaseIds(lease) },
    })),
  ]
  return [
    ...ports.flatMap(({ name, row }, i) => [
      insert('Interface', { ...row, name }, `interface${i}`),
      insert('Port', { name, interfaces: [named(`interface${i}`)] }, `port${i}`),
    ]),
    mutate('Bridge', byName(BRIDGE), [['ports', 'insert', ports.map((_, i) => named(`port${i}`))]]),
    ...(bridge === undefined ? [] : [mutate('Open_vSwitch', everyRow, [['bridges', 'delete', [bridge.uuid]]])]),
    ...(bridge?.qos ?? []).map((uuid) => deleteRows('QoS', byUuid(uuid))),
    ...advanceConfig(),
  ]
}
