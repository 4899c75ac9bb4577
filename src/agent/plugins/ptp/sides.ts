/**
 * What a leg is planned from, read out of the kernel, and the two namespaces it is between.
 * @module
 */
import type { CniResult } from '../../../cni/index.ts'
import { ShapeError } from '../../../cni/json.ts'
import { LEG_PRIORITY, LEG_PROTOCOL, POD_PRIORITIES } from '../../../compat/unnumbered-ptp/numbers.ts'
import type { LegInput } from '../../../compat/unnumbered-ptp/plan.ts'
import { addrList, type Link, linkFind, openRtnl, type RtnlSocket, routeList, ruleList } from '../../../linux/index.ts'
import { type Ip, parseIp } from '../../../network/model/address.ts'
import { linkName } from '../../attach/lease.ts'
import type { PodSite, Site } from '../pair.ts'

/** Both namespaces of a call. */
export interface Sides extends Disposable {
  readonly node: Site
  readonly pod: PodSite
}

/** How namespaces are opened. */
export interface Opening {
  /** The node's namespace. Default: the program's own. */
  readonly nodeFd?: number
  /** Default: the kernel's. */
  readonly open?: typeof openRtnl
}

/** Opens both. */
export function openSides(opening: Opening, podFd: number): Sides {
  const { open = openRtnl } = opening
  const [node, pod] = [openNode(opening), open({ nsFd: podFd })]
  return {
    node,
    pod: { rtnl: pod, nsFd: podFd },
    [Symbol.dispose]: () => {
      node.rtnl.close()
      pod.close()
    },
  }
}

/** Opens the node's namespace. */
export function openNode({ nodeFd, open = openRtnl }: Opening): Site & Disposable {
  const options = nodeFd === undefined ? {} : { nsFd: nodeFd }
  const rtnl = open(options)
  return { rtnl, ...options, [Symbol.dispose]: () => rtnl.close() }
}

/** What legs of an attachment are named after. */
export function legId(containerId: string, ifname: string): string {
  return `${containerId}/${ifname}/leg`
}

/** The node's end of an attachment's leg. */
export function legLink(containerId: string, ifname: string): string {
  return linkName(legId(containerId, ifname))
}

/** The node's link that pods are to know it by. Throws `ShapeError` where there is none of the name. */
export function nodeLink(rtnl: RtnlSocket, name: string): Link {
  const link = linkFind(rtnl, name)
  if (link === undefined) throw new ShapeError('hostInterface', `must be a link of this node, which has no ${name}`)
  return link
}

/** A link's addresses that last, as the kernel orders them. */
export function addressesOn(rtnl: RtnlSocket, link: number): readonly Ip[] {
  return addrList(rtnl, { link }).flatMap(({ address, family, scope, flags, dadFailed }) => {
    const parsed = parseIp(address.slice(0, address.indexOf('/')))
    const isUsable = (scope === 'global' || scope === 'site') && (flags & PASSING[family]) === 0 && !dadFailed
    return parsed !== undefined && isUsable ? [parsed] : []
  })
}

/** Addresses and routes of the pod's own interface, of the result so far. */
export function wireOf({ interfaces, ips, routes }: CniResult, ifname: string): Pick<LegInput, 'ips' | 'routes'> {
  const at = interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  return { ips: ips.filter((one) => one.interface === undefined || at < 0 || one.interface === at), routes }
}

/** Whether what arrives for the pod passes the node's filter on its way, and not the pod's own. */
export function isByNode({ rtnl }: Site, ifname: string): boolean {
  const data = linkFind(rtnl, ifname)?.data
  return data?.kind === 'ipvlan' && data.mode === 'l3s'
}

/** The leg's table, or one that nobody uses. */
export function tableFor(rtnl: RtnlSocket, link: string, start: number): number {
  const rules = ruleList(rtnl)
  const own = rules.find(
    ({ protocol, priority, inputLink }) => protocol === LEG_PROTOCOL && priority === LEG_PRIORITY && inputLink === link,
  )
  if (own !== undefined) return own.table
  const used = new Set([...rules.map(({ table }) => table), ...SYSTEM_TABLES])
  let table = start
  while (used.has(table) || routeList(rtnl, { table }).length > 0) table += 1
  return table
}

/** The interface of the pod that has a leg beside it. */
export function legOwner({ rtnl }: Site): string | undefined {
  const rules = ruleList(rtnl)
  return rules.find(({ protocol, priority }) => protocol === LEG_PROTOCOL && priority === POD_PRIORITIES.notBack)
    ?.inputLink
}

/** IFA_F_DEPRECATED, and of IPv6 IFA_F_TEMPORARY: addresses on their way out. The same bit means secondary in IPv4. */
const PASSING = { 4: 0x20, 6: 0x21 } as const
const SYSTEM_TABLES = [253, 254, 255]
