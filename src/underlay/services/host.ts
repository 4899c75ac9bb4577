/**
 * Services by the host: what kube-proxy translates, it translates on the Linux bridge that pods' frames pass. For that packets with a
 * VLAN have to be shown to iptables, the bridge has to know the router's MAC and pods', and routes have to say which of
 * them is meant: they are looked up for packets that come in by the bridge alone.
 * @module
 */
import type { CachedPort } from '../../compat/ovn-underlay/cache.ts'
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import {
  applyRuleset,
  hasErrno,
  type Link,
  linkFind,
  linkList,
  neighReplace,
  type RtnlSocket,
  type RuleSpec,
  ruleAdd,
  ruleDel,
  type SysctlKey,
  sysctlGet,
  sysctlSet,
} from '../../linux/index.ts'
import { forgetPod, rememberPod } from '../pods/neighbours.ts'
import type { PodRow } from '../state.ts'
import { applyRoutes, PROTOCOL, TABLE, withdrawRoutes } from './routes.ts'
import { NO_ZONES, zonesOf } from './zones.ts'

/** What the bridge has to know. */
export interface HostServices {
  readonly hostBridge: string
  readonly record: SwitchRecord
  readonly cache: readonly CachedPort[]
  readonly pods: readonly PodRow[]
}

/** Of our rule; nobody else's is touched. */
const PRIORITY = 5756

/** Makes sure of all of it. Throws UNDERLAY_NODE for what this machine lacks. */
export async function applyServices(rtnl: RtnlSocket, services: HostServices): Promise<void> {
  const { hostBridge, record, cache, pods } = services
  const link = bridgeNamed(rtnl, hostBridge)
  const { gateway, subnet, cluster = [] } = record
  if (gateway === undefined) {
    throw refused('the logical switch has no router', 'name the router: lswitch-setup NAME SUBNET ROUTER')
  }
  for (const [key, value] of sysctlsOf(hostBridge)) ensure(key, value)
  neighReplace(rtnl, { link: link.index, address: gateway.address, mac: gateway.mac, state: 'permanent' })
  applyRoutes(rtnl, link.index, { gateway, subnet, cluster })
  unless(['EEXIST'], () => ruleAdd(rtnl, ruleOf(hostBridge)))
  for (const row of pods) {
    const port = cache.find(({ id }) => id === row.port)
    if (port !== undefined) rememberPod(rtnl, hostBridge, port.address, port.mac)
  }
  const members = linkList(rtnl, { master: link.index }).map(({ name }) => name)
  await applyRuleset(zonesOf(hostBridge, members, cache))
}

/** Takes it away; the switches of the kernel stay, as others may rely on them by now. */
export async function withdrawServices(
  rtnl: RtnlSocket,
  hostBridge: string,
  record: SwitchRecord | undefined,
): Promise<void> {
  unless(['ENOENT'], () => ruleDel(rtnl, ruleOf(hostBridge)))
  withdrawRoutes(rtnl)
  if (record?.gateway !== undefined) forgetPod(rtnl, hostBridge, record.gateway.address)
  await applyRuleset(NO_ZONES)
}

function ruleOf(inputLink: string): RuleSpec {
  return { family: 4, priority: PRIORITY, table: TABLE, inputLink, protocol: PROTOCOL }
}

/** Of the bridge alone but for those that there is one of. */
function sysctlsOf(bridge: string): readonly (readonly [SysctlKey, string])[] {
  return [
    [['net', 'bridge', 'bridge-nf-call-iptables'], '1'],
    [['net', 'bridge', 'bridge-nf-filter-vlan-tagged'], '1'],
    [['net', 'ipv4', 'conf', bridge, 'forwarding'], '1'],
    // The way back to a pod is the table above, which the check of sources does not ask.
    [['net', 'ipv4', 'conf', bridge, 'rp_filter'], '2'],
  ]
}

function ensure(key: SysctlKey, value: string): void {
  try {
    if (sysctlGet(key) !== value) sysctlSet(key, value)
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    throw refused(`this kernel has no ${key.join('.')}`, 'load br_netfilter: modprobe br_netfilter')
  }
}

function bridgeNamed(rtnl: RtnlSocket, name: string): Link {
  const link = linkFind(rtnl, name)
  if (link?.kind === 'bridge') return link
  const remedy = 'run node-setup first, or give its name with --host-bridge; a machine wired with --direct has none'
  throw refused(`there is no Linux bridge ${name} that pods' frames pass`, remedy)
}

function unless(fine: readonly string[], action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!hasErrno(error, ...fine)) throw error
  }
}

function refused(message: string, remedy: string): UnderlayError {
  return new UnderlayError('UNDERLAY_NODE', message, remedy)
}
