/**
 * Whether the node can do without a NIC.
 * @module
 */
import { addrList, type Link, linkList, type RtnlSocket, routeList } from '../../../linux/index.ts'
import { bridgeProblem, linkProblem } from '../links/master.ts'
import { isNoted, type NicNote, nameInMark } from './note.ts'

/** What else is known of the NIC. */
export interface NicUse {
  /** The node's own namespace. */
  readonly rtnl: RtnlSocket
  readonly notes: readonly NicNote[]
  readonly boot: string
  /** The bridge of Open vSwitch that has it as a port. */
  readonly bridge: string | undefined
}

/** Links that others are made of: a pod cannot have them. */
const FIXED: ReadonlySet<string> = new Set(['bridge', 'bond', 'team', 'openvswitch', 'tun'])
const KERNEL = 2

/** Why a pod cannot have it, for people; undefined where it can. */
export function whyNotFree(link: Link, use: NicUse): string | undefined {
  return (
    linkProblem(link, use.rtnl) ??
    bridgeProblem(use.bridge) ??
    (link.kind !== undefined && FIXED.has(link.kind) ? `it is no NIC but a link of kind ${link.kind}` : undefined) ??
    promised(link, use) ??
    standsOn(link, use.rtnl) ??
    addressed(link, use.rtnl) ??
    routed(link, use.rtnl)
  )
}

function promised(link: Link, { notes, boot }: NicUse): string | undefined {
  const note = notes.find((one) => isNoted(link, one, boot))
  if (note !== undefined) return `it is interface ${note.ifname} of container ${note.containerId}, or on its way back`
  const name = nameInMark(link.alias)
  return name === undefined ? undefined : `it came back from a pod, and has not got its name ${name} again`
}

/** The other end of a veth is not on it. */
function standsOn({ index }: Link, rtnl: RtnlSocket): string | undefined {
  const above = linkList(rtnl).find(
    ({ parent, parentNsId, kind }) => parent === index && parentNsId === undefined && kind !== 'veth',
  )
  return above === undefined ? undefined : `link ${above.name} stands on it`
}

function addressed({ index }: Link, rtnl: RtnlSocket): string | undefined {
  const used = addrList(rtnl, { link: index }).find(({ family, scope }) => family === 4 || scope !== 'link')
  return used === undefined ? undefined : `the node has address ${used.address} on it`
}

function routed({ index }: Link, rtnl: RtnlSocket): string | undefined {
  const routes = routeList(rtnl, { link: index }).filter(({ protocol }) => protocol !== KERNEL)
  const isDefault = routes.some(({ destination }) => destination === '0.0.0.0/0' || destination === '::/0')
  if (isDefault) return "the node's default route leads by it"
  return routes[0] === undefined ? undefined : `the node's route to ${routes[0].destination} leads by it`
}
