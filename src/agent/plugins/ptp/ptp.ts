/**
 * The plugin `unnumbered-ptp`: behind the one that made a pod's interface on the wire, it makes a leg to the node, and leads each packet
 * by the right one of the two (`compat/unnumbered-ptp`).
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError } from '../../../cni/index.ts'
import { type PtpDefaults, type PtpNetconf, parsePtpNetconf } from '../../../compat/unnumbered-ptp/netconf.ts'
import { LEG_GROUP, LEG_GROUPS, LEG_MASQUERADE_GROUP, LEG_PROTOCOL } from '../../../compat/unnumbered-ptp/numbers.ts'
import { type LegPlan, planLeg } from '../../../compat/unnumbered-ptp/plan.ts'
import { addrAdd, closeFd, linkFind, linkGet, linkList, netnsOpen } from '../../../linux/index.ts'
import type { Grants } from '../../../network/model/grants.ts'
import { guestAlias } from '../coordinator/numbers.ts'
import { reservedAddresses } from '../coordinator/observe.ts'
import { checkMayChoose } from '../links/master.ts'
import { macsOfPair, makePair } from '../pair.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside, PluginCallStanding } from '../plugin.ts'
import { isWholeTable, missingWay, once, setNftTable, setSysctls, setWays, wrongSysctl } from '../ways.ts'
import {
  addressesOn,
  isByNode,
  legId,
  legLink,
  legOwner,
  nodeLink,
  type Opening,
  openNode,
  openSides,
  type Sides,
  tableFor,
  wireOf,
} from './sides.ts'
import { removeLeg, sweep, undoInPod } from './undo.ts'

/** What the plugin needs. */
export interface PtpParts extends Opening {
  grants(): Grants
}

/** The plugin. `defaults` say what its configuration may leave out. */
export function ptpPlugin(parts: PtpParts, defaults: (call: PluginCall) => PtpDefaults = () => ({})): Plugin {
  const netconfOf = (call: PluginCall): PtpNetconf => readingConfig(() => parsePtpNetconf(call.config, defaults(call)))
  return {
    add: async (call, signal) => {
      const netconf = netconfOf(call)
      checkMayChoose(parts.grants(), call.origin, 'hostInterface')
      return add(parts, call, netconf, signal)
    },
    del: (call) => del(parts, call),
    check: async (call) => check(parts, call, netconfOf(call)),
    restore: async (call) => restore(parts, call, netconfOf(call)),
    gc: (network, valid) => collect(parts, network, valid),
    status: async ({ config }) => {
      const name = config['hostInterface']
      using node = openNode(parts)
      if (typeof name === 'string' && name !== '') readingConfig(() => nodeLink(node.rtnl, name))
    },
  }
}

async function add(
  parts: PtpParts,
  call: PluginCallInside,
  netconf: PtpNetconf,
  signal: AbortSignal,
): Promise<CniResult> {
  const { prevResult, ifname, containerId, netns, network, args } = call
  if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'ADD' })
  using sides = openSides(parts, netns.fd)
  const plan = planFor(sides, call, prevResult, netconf)
  const macs = macsOfPair(legId(containerId, ifname))
  const [link, inside] = [legLink(containerId, ifname), netconf.containerInterface]
  const mtu = netconf.mtu ?? nodeLink(sides.node.rtnl, netconf.hostInterface).mtu
  try {
    await makePair(sides.node, sides.pod, {
      host: link,
      pod: inside,
      group: netconf.ipMasq ? LEG_MASQUERADE_GROUP : LEG_GROUP,
      macs,
      mtu,
      alias: guestAlias(args.pod, network),
      sysctls: plan.node.sysctls,
      ...(plan.node.linkLocal === undefined ? {} : { linkLocal: plan.node.linkLocal }),
    })
    // The table is chosen where nothing is waited for until a rule has it: another ADD would choose the same.
    apply(sides, netconf, planFor(sides, call, prevResult, netconf))
    signal.throwIfAborted()
  } catch (error) {
    // What the first error was about is worth more than what its undoing meets.
    await del(parts, call).catch(() => undefined)
    throw error
  }
  const ends = [
    { name: link, mac: macs.host, mtu },
    { name: inside, mac: macs.pod, mtu, sandbox: netns.path },
  ]
  return { ...prevResult, interfaces: [...prevResult.interfaces, ...ends] }
}

async function del(parts: PtpParts, { containerId, ifname, netns }: PluginCallAfter): Promise<void> {
  const link = legLink(containerId, ifname)
  if (netns === undefined) {
    using node = openNode(parts)
    return await removeLeg(node, link)
  }
  using sides = openSides(parts, netns.fd)
  undoInPod(sides.pod, ifname)
  await removeLeg(sides.node, link)
}

function check(parts: PtpParts, call: PluginCallInside, netconf: PtpNetconf): void {
  const { prevResult, containerId, ifname } = call
  if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
  using sides = openSides(parts, call.netns.fd)
  const difference =
    missingLink(sides, legLink(containerId, ifname), netconf.containerInterface) ??
    differenceOf(sides, planFor(sides, call, prevResult, netconf))
  if (difference !== undefined) throw cniError('check-failed', { difference })
}

/** What the node's namespace lost while no agent was there. */
async function restore(parts: PtpParts, call: PluginCallStanding, netconf: PtpNetconf): Promise<void> {
  const { containerId, ifname, netnsPath, prevResult } = call
  using node = openNode(parts)
  if (linkFind(node.rtnl, legLink(containerId, ifname)) === undefined) return
  const fd = netnsOpen(netnsPath)
  try {
    using sides = openSides(parts, fd)
    apply(sides, netconf, planFor(sides, call, prevResult, netconf))
  } finally {
    closeFd(fd)
  }
}

/** Legs of this network whose attachments are not valid any more, and what those left whose links are gone. */
async function collect(parts: PtpParts, network: string, valid: ReadonlySet<string>): Promise<void> {
  using node = openNode(parts)
  const kept = new Set([...valid].map((attachment) => legLinkOf(attachment)))
  for (const { name, group, alias } of linkList(node.rtnl))
    if (LEG_GROUPS.includes(group) && !kept.has(name) && alias?.endsWith(` on ${network}`) === true)
      await removeLeg(node, name)
  sweep(node)
}

function legLinkOf(attachment: string): string {
  const slash = attachment.lastIndexOf('/')
  return legLink(attachment.slice(0, slash), attachment.slice(slash + 1))
}

/** Throws `config-invalid` and `link-failed` where there can be no leg. */
function planFor(
  { node, pod }: Sides,
  { containerId, ifname }: Pick<PluginCall, 'containerId' | 'ifname'>,
  result: CniResult,
  netconf: PtpNetconf,
): LegPlan {
  const failed = (reason: string): Error => cniError('link-failed', { ifname, reason })
  const owner = legOwner(pod)
  if (owner !== undefined && owner !== ifname) throw failed(`the pod has a leg to its node beside ${owner} already`)
  if (netconf.containerInterface === ifname)
    throw cniError('config-invalid', { field: 'containerInterface', expected: `must not be ${ifname}` })
  const wire = wireOf(result, ifname)
  if (wire.ips.length === 0) throw failed('it has no address, by which a leg could be told from it')
  const reserved = reservedAddresses(node.rtnl)
  const taken = wire.ips.map(({ address }) => address.replace(/\/.*/, '')).find((address) => reserved.has(address))
  if (taken !== undefined) throw failed(`${taken} is an address of the node or of one of its gateways`)
  const link = legLink(containerId, ifname)
  return readingConfig(() =>
    planLeg({
      netconf,
      ifname,
      isByNode: isByNode(pod, ifname),
      ...wire,
      node: addressesOn(node.rtnl, nodeLink(node.rtnl, netconf.hostInterface).index),
      link,
      macs: macsOfPair(legId(containerId, ifname)),
      table: tableFor(node.rtnl, link, netconf.routeTableStart),
    }),
  )
}

/** The pod before the node: what the node sends on has a way there. Rules before tables: by them the tables are found again. */
function apply({ node, pod }: Sides, netconf: PtpNetconf, plan: LegPlan): void {
  setSysctls(plan.pod.sysctls, pod.nsFd)
  const { address } = plan.pod
  const inside = linkGet(pod.rtnl, netconf.containerInterface).index
  if (address !== undefined) once(() => addrAdd(pod.rtnl, { link: inside, address }))
  setWays(pod.rtnl, plan.pod, LEG_PROTOCOL)
  setNftTable(plan.pod.nftables, pod.nsFd)
  setSysctls(plan.node.sysctls, node.nsFd)
  setWays(node.rtnl, plan.node, LEG_PROTOCOL)
  setNftTable(plan.node.nftables, node.nsFd)
}

function missingLink({ node, pod }: Sides, link: string, inside: string): string | undefined {
  if (linkFind(pod.rtnl, inside)?.up !== true) return `interface ${inside} is gone or down`
  return linkFind(node.rtnl, link)?.up === true ? undefined : `link ${link} of the node is gone or down`
}

function differenceOf({ node, pod }: Sides, plan: LegPlan): string | undefined {
  return (
    wrongSysctl(plan.pod.sysctls, pod.nsFd) ??
    wrongSysctl(plan.node.sysctls, node.nsFd) ??
    lostTable(plan.pod.nftables, pod.nsFd, 'the container') ??
    lostTable(plan.node.nftables, node.nsFd, 'the node') ??
    missingWay(pod.rtnl, plan.pod, 'the container') ??
    missingWay(node.rtnl, plan.node, 'the node')
  )
}

function lostTable(table: Parameters<typeof isWholeTable>[0], nsFd: number | undefined, where: string) {
  return isWholeTable(table, nsFd) ? undefined : `table ${table.name} of ${where} is not whole`
}
