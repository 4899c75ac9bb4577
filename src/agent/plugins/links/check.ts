import type { CniResult } from '../../../cni/index.ts'
import { linkFind, type RtnlSocket } from '../../../linux/index.ts'
import { configurationProblem } from '../configure.ts'
import type { PluginCallInside } from '../plugin.ts'
import { findChild } from './child.ts'
import type { ChildNetconf } from './netconf.ts'

/** How an interface is not as ADD made it, for people. */
export function childDifference(
  { ifname, netns }: PluginCallInside,
  { interfaces, ips, routes }: CniResult,
  { traits, master }: ChildNetconf,
  rtnl: RtnlSocket,
): string | undefined {
  const link = findChild(traits.kind, ifname, netns)
  if (link === undefined) return `interface ${ifname} is gone from the container, or is no ${traits.kind}`
  if (!link.up) return `interface ${ifname} is down`
  const at = interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  const told = interfaces[at]
  if (told?.mac !== undefined && told.mac !== link.mac) {
    return `interface ${ifname} has MAC address ${link.mac ?? 'none'} instead of ${told.mac}`
  }
  const { kind, ...data } = traits
  if (!Bun.deepEquals(link.data, { ...link.data, kind, ...data }))
    return `interface ${ifname} is of another mode or VLAN`
  const below = master === undefined ? undefined : linkFind(rtnl, master)
  if (master !== undefined && below?.index !== link.parent) return `interface ${ifname} is not on ${master} any more`
  const own = ips.filter((ip) => ip.interface === at)
  const isOwn = ({ gw }: { readonly gw?: string }): boolean =>
    own.some(({ gateway }) => gw === undefined || gateway === gw)
  return configurationProblem({ nsFd: netns.fd, ifname }, { ips: own, routes: routes.filter(isOwn) })
}
