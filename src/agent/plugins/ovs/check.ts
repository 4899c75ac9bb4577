/**
 * CHECK: whether a pod's port, link, addresses and routes are as ADD made and answered them. Plugins behind this one may have
 * added to the result: only what is this one's is compared.
 * @module
 */
import type { CniResult } from '../../../cni/index.ts'
import { vlanDifference } from '../../../compat/ovs-cni/vlan.ts'
import { linkFind, openRtnl } from '../../../linux/index.ts'
import { endpointId } from '../../../network/model/endpoint.ts'
import { linkName } from '../../attach/lease.ts'
import { configurationProblem } from '../configure.ts'
import type { PluginCallInside } from '../plugin.ts'
import type { PodLinks } from './pod-link.ts'
import type { UnderlayPorts } from './ports.ts'
import type { Terms } from './terms.ts'

/** What is compared. */
export interface Checked {
  readonly call: PluginCallInside
  readonly prevResult: CniResult
  readonly terms: Terms
  readonly ports: UnderlayPorts
  readonly links: PodLinks
}

/** The first difference, for people; undefined when there is none. */
export function checkPort(checked: Checked): string | undefined {
  return believed(checked) ?? inSwitch(checked) ?? inPod(checked)
}

/** What the runtime was told of the two ends of the link. */
function believed({ call, prevResult, links }: Checked): string | undefined {
  const { ifname, netns } = call
  const inside = prevResult.interfaces.find(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  if (inside === undefined) return `prevResult has no interface ${ifname}`
  if (inside.sandbox !== netns.path) return `prevResult has ${ifname} in ${inside.sandbox} instead of ${netns.path}`
  const link = linkName(endpointId(call.containerId, ifname))
  const end = links.nodeEnd(link)
  if (end === undefined) return `link ${link} on the node is gone`
  const outside = prevResult.interfaces.find(({ name, sandbox }) => name === link && sandbox === undefined)
  if (outside === undefined) return `prevResult has no interface ${link}`
  if (outside.mac !== undefined && outside.mac.toLowerCase() !== end.mac)
    return `link ${link} on the node has MAC address ${end.mac ?? 'none'} instead of ${outside.mac}`
  return end.up ? undefined : `link ${link} on the node is down`
}

function inSwitch({ call, terms: { bridge, membership, netconf }, ports }: Checked): string | undefined {
  const port = ports.of(call.containerId, call.ifname)
  if (port === undefined) return `Open vSwitch has no port ${linkName(endpointId(call.containerId, call.ifname))}`
  const { link, error, rows } = port
  if (port.bridge !== bridge.name) return `port ${link} is on bridge ${port.bridge} instead of ${bridge.name}`
  if (error !== undefined) return `Open vSwitch cannot use port ${link}: ${error}`
  const given = ports.tables.byName('Interface', link)?.ofport
  if (netconf.ofportRequest !== undefined && given !== netconf.ofportRequest)
    return `port ${link} has OpenFlow number ${given} instead of ${netconf.ofportRequest}`
  const difference = vlanDifference(rows.port, membership)
  return difference === undefined ? undefined : `port ${link}: ${difference}`
}

function inPod({ call, prevResult }: Checked): string | undefined {
  const { ifname, netns } = call
  using rtnl = openRtnl({ nsFd: netns.fd })
  const inside = linkFind(rtnl, ifname)
  if (inside === undefined) return `interface ${ifname} is gone from the container`
  const at = prevResult.interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  const told = prevResult.interfaces[at]
  if (told?.mac !== undefined && told.mac.toLowerCase() !== inside.mac)
    return `interface ${ifname} has MAC address ${inside.mac ?? 'none'} instead of ${told.mac}`
  if (!inside.up) return `interface ${ifname} is down`
  // Which interface routes are for is not in a result: those of others are theirs to check.
  const ips = prevResult.ips.filter((ip) => ip.interface === at)
  const isOnly = prevResult.interfaces.filter(({ sandbox }) => sandbox !== undefined).length === 1
  const routes = isOnly && ips.length > 0 ? prevResult.routes : []
  return configurationProblem({ nsFd: netns.fd, ifname }, { ips, routes })
}
