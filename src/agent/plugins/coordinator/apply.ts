/**
 * Makes a pod and its node what a plan says, and tells what of it is not so. Applied again, it changes nothing.
 * @module
 */
import { linkFind, linkGet, linkSet, routeDel } from '../../../linux/index.ts'
import type { SysctlWish } from '../../../network/model/ways.ts'
import type { Site } from '../pair.ts'
import { isWholeTable, missingWay, setNftTable, setSysctls, setWays, wrongSysctl } from '../ways.ts'
import { POD_LINK, PROTOCOL } from './numbers.ts'
import type { CoordinationPlan } from './planned.ts'

/** Makes a pod what is planned. What moves into a table is in it before it leaves another. */
export function applyPod(site: Site, ifname: string, { pod }: CoordinationPlan): void {
  const { rtnl, nsFd } = site
  setSysctls(pod.sysctls, nsFd)
  const { mac, txQueueLength } = pod
  if (mac !== undefined || txQueueLength !== undefined)
    linkSet(rtnl, ifname, {
      ...(mac === undefined ? {} : { mac }),
      ...(txQueueLength === undefined ? {} : { txQueueLength }),
    })
  setWays(rtnl, pod, PROTOCOL)
  if (pod.marks !== undefined) setNftTable(pod.marks, nsFd)
  for (const { destination, gateway, link, priority, table } of pod.removed)
    routeDel(rtnl, {
      destination,
      table,
      priority,
      link: linkGet(rtnl, link).index,
      ...(gateway === undefined ? {} : { gateway }),
    })
}

/** Makes the node what is planned for a pod. */
export function applyHost({ rtnl }: Site, { host }: CoordinationPlan): void {
  setWays(rtnl, host, PROTOCOL)
}

/** What of a plan is not so, for people; undefined when all is. */
export function problemOf(host: Site, pod: Site, ifname: string, plan: CoordinationPlan): string | undefined {
  const { mac, marks, sysctls } = plan.pod
  const inside = linkFind(pod.rtnl, ifname)
  if (mac !== undefined && inside?.mac !== mac) return `interface ${ifname} has not the MAC address ${mac}`
  if (plan.makesPair && linkFind(pod.rtnl, POD_LINK)?.up !== true) return `interface ${POD_LINK} is gone or down`
  const wrong = wrongSysctl(sysctls, pod.nsFd)
  if (wrong !== undefined) return wrong
  if (marks !== undefined && !isWholeTable(marks, pod.nsFd)) return `table ${marks.name} is not whole`
  return missingWay(pod.rtnl, plan.pod, 'the container') ?? missingWay(host.rtnl, plan.host, 'the node')
}

/** A pod is no router of its node's, and has no other addresses than those that lead to it. */
export function guardOf(host: string, hasIpv6: boolean): readonly SysctlWish[] {
  const wish = (family: 'ipv4' | 'ipv6', key: string, value: string): SysctlWish => [
    ['net', family, 'conf', host, key],
    value,
  ]
  return [
    wish('ipv4', 'rp_filter', '1'),
    wish('ipv4', 'accept_redirects', '0'),
    wish('ipv4', 'forwarding', '1'),
    ...(hasIpv6
      ? [wish('ipv6', 'disable_ipv6', '0'), wish('ipv6', 'accept_ra', '0'), wish('ipv6', 'accept_redirects', '0')]
      : []),
  ]
}
