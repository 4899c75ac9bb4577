/**
 * ADD and DEL of a pod's interface on the node's logical switch. The row of the interface in Open vSwitch is the record: it comes
 * with the port of the switch, and goes with it.
 * @module
 */
import { configureInterface } from '../../agent/plugins/configure.ts'
import { type CniResult, EMPTY_RESULT, NO_DNS } from '../../cni/index.ts'
import type { CachedPort } from '../../compat/ovn-underlay/cache.ts'
import type { UnderlayNetconf } from '../../compat/ovn-underlay/netconf.ts'
import type { RtnlSocket } from '../../linux/index.ts'
import { delPorts, type OvsdbClient, waitForOfport } from '../../ovs/ovsdb/index.ts'
import { type PodRow, readPods, readState } from '../state.ts'
import { dressPodLink, linkName, makePodLink, type PodLink, removePodLink } from './links.ts'
import { forgetPod, rememberPod } from './neighbours.ts'
import { takePort } from './take.ts'

/** Where it is done. */
export interface PodPlace {
  readonly rtnl: RtnlSocket
  readonly ovs: OvsdbClient
}

/** An interface of a pod. */
export interface PodInterface {
  readonly containerId: string
  readonly ifname: string
  /** The CNI network's name. */
  readonly network: string
  readonly pod: string | undefined
  /** The pod's namespace: a descriptor, and the path that the runtime knows it by. */
  readonly nsFd: number
  readonly netns: string
}

/** What Ethernet carries, where Neutron says nothing of it. */
const USUAL_MTU = 1500
/** How long ovs-vswitchd may take for a port, in milliseconds. */
const PORT_MS = 10_000

/** Attaches it, or throws with nothing left. An interface that is there already is made anew with the address it had. */
export async function attachPod(
  place: PodPlace,
  pod: PodInterface,
  { bridge, hostBridge, mtu: asked }: UnderlayNetconf,
): Promise<CniResult> {
  const { ovs, rtnl } = place
  const before = await readState(ovs)
  const own = before.pods.filter((row) => isOf(row, pod))
  for (const row of own) await detachRow(place, row, hostBridge)
  const mtu = asked ?? before.record?.mtu ?? USUAL_MTU
  const link: PodLink = { ...pod, name: linkName(pod.containerId, pod.ifname), mtu }
  await makePodLink(rtnl, link)
  try {
    const port = await takePort(ovs, { ...pod, bridge, link: link.name }, own[0]?.port)
    dressPodLink(link, port.mac, before.datapaths.get(bridge) === 'netdev')
    const result = resultFor(pod, link, port)
    await configureInterface(pod, result, new AbortController().signal)
    rememberPod(rtnl, hostBridge, port.address, port.mac)
    await opened(ovs, link.name)
    return result
  } catch (error) {
    await detachPod(place, pod, hostBridge)
    throw error
  }
}

/** Detaches it; nothing where it is gone. */
export async function detachPod(
  place: PodPlace,
  pod: Pick<PodInterface, 'containerId' | 'ifname'>,
  hostBridge: string,
): Promise<void> {
  for (const row of await readPods(place.ovs)) if (isOf(row, pod)) await detachRow(place, row, hostBridge)
  await removePodLink(place.rtnl, linkName(pod.containerId, pod.ifname))
}

/** Takes a row's port, link and neighbour away. The record goes last: whoever is killed before it is followed by another DEL. */
export async function detachRow({ ovs, rtnl }: PodPlace, row: PodRow, hostBridge: string): Promise<void> {
  forgetPod(rtnl, hostBridge, row.address)
  await removePodLink(rtnl, row.link)
  await delPorts(ovs, [row.link])
}

/** Whether a row is that of an interface. */
export function isOf(row: PodRow, { containerId, ifname }: Pick<PodInterface, 'containerId' | 'ifname'>): boolean {
  return row.containerId === containerId && row.ifname === ifname
}

/** What ADD answers for an interface with a port. */
export function resultFor({ ifname, netns }: PodInterface, { name, mtu }: PodLink, port: CachedPort): CniResult {
  const { address, prefixLength, mac, gateway } = port
  return {
    ...EMPTY_RESULT,
    interfaces: [{ name }, { name: ifname, mac, mtu, sandbox: netns }],
    ips: [{ address: `${address}/${prefixLength}`, interface: 1, ...(gateway === undefined ? {} : { gateway }) }],
    routes: gateway === undefined ? [] : [{ dst: '0.0.0.0/0', gw: gateway }],
    dns: NO_DNS,
  }
}

async function opened(ovs: OvsdbClient, name: string): Promise<void> {
  const monitor = await ovs.monitor({
    Interface: { columns: ['name', 'ofport', 'error'], where: [['name', '==', name]] },
  })
  try {
    await waitForOfport(monitor, name, { timeoutMs: PORT_MS })
  } finally {
    monitor.close()
  }
}
