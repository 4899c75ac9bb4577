/**
 * The moment itself: every port of the other bridge becomes one of ours, and that bridge goes, in one transaction. Our
 * bridge has its flows by then.
 *
 * A call that was killed is taken up by the next one, wherever it was: leases are recorded in the transaction, links get our
 * names after it, and the mark by which an agent may delete them comes last.
 * @module
 */
import { closeFd, hasErrno, linkFind, linkSet, netnsOpen, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { BRIDGE, type BridgePlan, TUNNEL } from '../../network/host.ts'
import { advanceConfig, configOf } from '../../ovs/ovsdb/helpers/ports.ts'
import {
  byName,
  byUuid,
  deleteRows,
  everyRow,
  insert,
  type Monitor,
  mutate,
  named,
  type Operation,
  type OvsdbClient,
  waitForConfig,
} from '../../ovs/ovsdb/index.ts'
import type { EndpointLinks } from '../attach/endpoint-links.ts'
import { type Lease, leaseIds } from '../attach/lease.ts'
import { AgentError } from '../errors.ts'
import type { ForeignBridge, FoundPod } from './observed.ts'
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

/** How long ovs-vswitchd may take for all ports together, and for one when it is done with them. */
const PATIENCE_MS = 120_000
const PORT_PATIENCE_MS = 60_000

/**
 * Switches over. Resolves with the milliseconds until the last port forwards. `renamed` are pods of an earlier call that
 * was killed before it renamed their links.
 *
 * Links are renamed after the old bridge is gone: the kernel's datapath knows its ports by the names that links have now, and
 * a port that was renamed under it could not be removed any more. Open vSwitch tries missing ports again when links change.
 */
export async function switchOver(
  pods: readonly AdoptedPod[],
  renamed: readonly MovedPod[],
  parts: SwitchOverParts,
): Promise<number> {
  const { client, rtnl, signal, plan, hasTunnel } = parts
  const tables = await client.monitor(WATCHED, { signal })
  try {
    const started = performance.now()
    const nextCfg = configOf(await client.transact(operations(pods, parts)))
    const meanwhile = parts.meanwhile()
    await waitForConfig(tables, nextCfg, { signal, timeoutMs: PATIENCE_MS })
    const standing = [...renamed, ...pods].filter(({ host, lease }) => rename(rtnl, host.index, host.name, lease.link))
    const own = hasTunnel ? [] : [{ name: TUNNEL, ofport: plan.tunnel.ofport }]
    const ports = [...own, ...standing.map(({ lease }) => ({ name: lease.link, ofport: lease.endpoint.ofport }))]
    await meanwhile
    await Promise.all(ports.map((port) => untilForwarding(tables, port, parts)))
    return performance.now() - started
  } finally {
    tables.close()
  }
}

const WATCHED = {
  Open_vSwitch: { columns: ['cur_cfg'] },
  Interface: { columns: ['name', 'ofport', 'error'] },
} as const

/** Waits for a port's number. What Open vSwitch says of it before its link had this name means nothing. */
async function untilForwarding(
  tables: Monitor<typeof WATCHED>,
  { name, ofport }: { readonly name: string; readonly ofport: number },
  { rtnl, signal }: SwitchOverParts,
): Promise<void> {
  const isThere = (): true | undefined => (tables.byName('Interface', name)?.ofport === ofport ? true : undefined)
  try {
    await tables.waitFor(isThere, { what: `the OpenFlow port of ${name}`, signal, timeoutMs: PORT_PATIENCE_MS })
  } catch (error) {
    // A pod that has ended in this very moment is none any more.
    if (name !== TUNNEL && linkFind(rtnl, name) === undefined) return
    const told = tables.byName('Interface', name)?.error
    if (told === undefined) throw error
    const remedy = 'see ovs-vswitchd.log, then call this again'
    throw new AgentError('AGENT_PORT_FAILED', `Open vSwitch could not use ${name}: ${told}`, remedy, { cause: error })
  }
}

/** A pod whose port has been moved. */
export interface MovedPod {
  readonly lease: Lease
  readonly host: FoundPod['host']
}

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
