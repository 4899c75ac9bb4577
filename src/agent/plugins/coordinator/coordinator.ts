/**
 * The plugin `coordinator`: behind the one that made an interface of a pod on the physical network, it leads what the
 * wire does not carry (services, overlay pods, the node) by way of the node, and lets the node reach the pod.
 * @module
 */
import { type CniResult, cniError, type JsonObject } from '../../../cni/index.ts'
import { addrAdd, linkFind, linkGet, linkList, openRtnl, type RtnlSocket } from '../../../linux/index.ts'
import { GUEST_GROUP } from '../../../network/guests.ts'
import { type Family, familyOf, type Ip, type Mac, parseIp } from '../../../network/model/address.ts'
import type { Coordinator } from '../../../network/model/definition.ts'
import { type Grants, isTrusted } from '../../../network/model/grants.ts'
import { announce } from '../../wire/announce.ts'
import { makePair, type PodSite, removePair, type Site } from '../pair.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside } from '../plugin.ts'
import { once } from '../ways.ts'
import { applyHost, applyPod, guardOf, problemOf } from './apply.ts'
import { guestAlias, hostLink, POD_LINK, pairMacs } from './numbers.ts'
import { observeHost, observePod, reservedAddresses } from './observe.ts'
import { planCoordination } from './plan.ts'
import { addressesOf, type CoordinationPlan, DEFAULT_ROUTE } from './planned.ts'
import { type CoordinatorSettings, coordinatorSettings, hostTableOf, NODE_KEY } from './settings.ts'
import { removeHostRoutes, undoInPod } from './undo.ts'

/** What the plugin needs. */
export interface CoordinatorParts {
  /** The SpiderCoordinator that counts; undefined while there is none. */
  coordinator(): Coordinator | undefined
  grants(): Grants
  /** Lets pods into the overlay in the name of their tenants. Absent: nothing leads there. */
  readonly guests?: Guests
  /** Hears of MAC addresses that pods get here. Absent: nobody else goes by them. */
  readonly macChanged?: (pod: Pick<PluginCall, 'containerId' | 'ifname'>, mac: Mac) => Promise<void>
  /** The interface that the pod itself wants its default route by. Absent: pods have no say. */
  readonly wantedRouteNic?: (call: PluginCall) => string | undefined
  /** The node's namespace. Default: the program's own. */
  readonly hostNsFd?: number
  /** Default: the kernel's. */
  readonly open?: typeof openRtnl
}

/** Who may enter the overlay by way of the node. */
export interface Guests {
  /** What comes by this link from these addresses is of the namespace's tenant; while it has none, of nobody's. */
  admit(link: string, namespace: string, addresses: readonly Ip[]): void
  dismiss(link: string): void
}

/** The plugin. */
export function coordinatorPlugin(parts: CoordinatorParts): Plugin {
  return {
    add: (call, signal) => add(parts, call, signal),
    del: (call) => del(parts, call),
    check: async (call) => check(parts, call),
    gc: (network, valid) => collect(parts, network, valid),
  }
}

async function add(parts: CoordinatorParts, call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
  const { prevResult, ifname, netns } = call
  if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'ADD' })
  refuseNodeKeys(parts.grants(), call)
  refuseOwnName(ifname)
  const settings = settingsFor(parts, call)
  if (settings.mode === 'disabled') return prevResult
  using sites = openSites(parts, netns.fd)
  try {
    const plan = planFor(sites, call, settings)
    await apply(parts, sites, call, settings, plan)
    signal.throwIfAborted()
    const { mac } = plan.pod
    if (mac === undefined) return prevResult
    await parts.macChanged?.(call, mac)
    announce({ nsFd: netns.fd, ifname, mac, addresses: addressesOf(observePod(sites.pod.rtnl), ifname) })
    return withMac(prevResult, call, mac)
  } catch (error) {
    // What the first error was about is worth more than what its undoing meets.
    await del(parts, call).catch(() => undefined)
    throw error
  }
}

async function del(parts: CoordinatorParts, call: PluginCallAfter): Promise<void> {
  const { containerId, ifname, netns, config, prevResult } = call
  const ordinal = ordinalOf(call)
  const [link, table] = [hostLink(containerId), hostTableOf(config, parts.coordinator())]
  const { open = openRtnl } = parts
  using rtnl = open(siteOptions(parts.hostNsFd))
  const host = siteOf(rtnl, parts.hostNsFd)
  if (netns !== undefined) {
    using inside = open({ nsFd: netns.fd })
    const own = addressesOf(observePod(inside), ifname)
    undoInPod({ rtnl: inside, nsFd: netns.fd }, ifname, ordinal)
    removeHostRoutes(host, link, table, own)
  }
  if (ordinal === 0) {
    await removePair(host, link, [GUEST_GROUP])
    parts.guests?.dismiss(link)
  }
  removeHostRoutes(
    host,
    link,
    table,
    (prevResult?.ips ?? []).flatMap(({ address }) => bare(address) ?? []),
  )
}

/** Pairs of this network whose containers are not valid any more. */
async function collect(parts: CoordinatorParts, network: string, valid: ReadonlySet<string>): Promise<void> {
  const { open = openRtnl } = parts
  using rtnl = open(siteOptions(parts.hostNsFd))
  const kept = new Set([...valid].map((attachment) => hostLink(attachment.slice(0, attachment.lastIndexOf('/')))))
  for (const { name, alias } of linkList(rtnl, { group: GUEST_GROUP })) {
    if (kept.has(name) || alias?.endsWith(` on ${network}`) !== true) continue
    await removePair(siteOf(rtnl, parts.hostNsFd), name, [GUEST_GROUP])
    parts.guests?.dismiss(name)
  }
}

/** A pod's own word about its default route is the last: it is about nothing but the pod. */
function settingsFor(parts: CoordinatorParts, call: PluginCall): CoordinatorSettings {
  const settings = coordinatorSettings(call.config, parts.coordinator())
  const defaultRouteNic = parts.wantedRouteNic?.(call)
  return defaultRouteNic === undefined ? settings : { ...settings, defaultRouteNic }
}

function check(parts: CoordinatorParts, call: PluginCallInside): void {
  const settings = settingsFor(parts, call)
  if (settings.mode === 'disabled') return
  using sites = openSites(parts, call.netns.fd)
  const plan = planFor(sites, call, settings)
  const difference = problemOf(sites.host, sites.pod, call.ifname, plan) ?? lostDefault(sites.pod.rtnl, call)
  if (difference !== undefined) throw cniError('check-failed', { difference })
}

/** A default route by this interface, wherever it was moved to: nothing else would ask for it again. */
function lostDefault(rtnl: RtnlSocket, { ifname, prevResult }: PluginCallInside): string | undefined {
  const own = new Set((prevResult?.ips ?? []).flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway])))
  const { routes } = observePod(rtnl)
  const lost = (prevResult?.routes ?? []).find(
    ({ dst, gw }) =>
      (dst === DEFAULT_ROUTE[4] || dst === DEFAULT_ROUTE[6]) &&
      gw !== undefined &&
      own.has(gw) &&
      !routes.some(({ destination, gateway, link }) => destination === dst && gateway === gw && link === ifname),
  )
  return lost === undefined ? undefined : `the default route by way of ${lost.gw} is gone from interface ${ifname}`
}

/** Both namespaces of a call. */
interface Sites extends Disposable {
  readonly host: Site
  readonly pod: PodSite
}

function openSites({ hostNsFd, open = openRtnl }: CoordinatorParts, podNsFd: number): Sites {
  const host = open(siteOptions(hostNsFd))
  const pod = open({ nsFd: podNsFd })
  return {
    host: siteOf(host, hostNsFd),
    pod: { rtnl: pod, nsFd: podNsFd },
    [Symbol.dispose]: () => {
      host.close()
      pod.close()
    },
  }
}

function siteOptions(nsFd: number | undefined): { readonly nsFd?: number } {
  return nsFd === undefined ? {} : { nsFd }
}

function siteOf(rtnl: RtnlSocket, nsFd: number | undefined): Site {
  return { rtnl, ...siteOptions(nsFd) }
}

function planFor({ host, pod }: Sites, call: PluginCallInside, settings: CoordinatorSettings): CoordinationPlan {
  const { ifname, containerId } = call
  const facts = observePod(pod.rtnl)
  if (!facts.links.has(ifname)) throw cniError('link-failed', { ifname, reason: 'it is not in the container' })
  const own = addressesOf(facts, ifname)
  if (own.length === 0) throw cniError('link-failed', { ifname, reason: 'it has no address to coordinate routes for' })
  const reserved = reservedAddresses(host.rtnl)
  const taken = own.find((address) => reserved.has(address))
  if (taken !== undefined)
    throw cniError('link-failed', { ifname, reason: `${taken} is an address of the node or of one of its gateways` })
  return planCoordination({
    settings,
    ifname,
    ordinal: ordinalOf(call),
    pod: facts,
    host: observeHost(host.rtnl, own, linkFind(pod.rtnl, 'eth0')),
    pair: { host: hostLink(containerId), macs: pairMacs(containerId) },
  })
}

async function apply(
  { guests }: CoordinatorParts,
  { host, pod }: Sites,
  { containerId, ifname, network, args }: PluginCallInside,
  { vethMtu: mtu, vethLinkAddress }: CoordinatorSettings,
  plan: CoordinationPlan,
): Promise<void> {
  if (plan.makesPair) {
    const link = hostLink(containerId)
    const own = plan.host.neighbours.map(({ address }) => address)
    const has = (family: Family): boolean => own.some((address) => familyOf(address) === family)
    await makePair(host, pod, {
      host: link,
      pod: POD_LINK,
      group: GUEST_GROUP,
      macs: pairMacs(containerId),
      mtu,
      alias: guestAlias(args.pod, network),
      sysctls: guardOf(link, has(6)),
    })
    const index = linkGet(pod.rtnl, POD_LINK).index
    if (vethLinkAddress !== undefined && has(4))
      once(() => addrAdd(pod.rtnl, { link: index, address: `${vethLinkAddress}/32` }))
  }
  applyPod(pod, ifname, plan)
  applyHost(host, plan)
  const { pod: caller } = args
  if (plan.mode === 'underlay' && caller !== undefined)
    guests?.admit(
      hostLink(containerId),
      caller.namespace,
      plan.host.neighbours.map(({ address }) => address),
    )
}

/** Whoever calls without our numbers counts interfaces by their names. */
function ordinalOf({ ordinal, ifname }: Pick<PluginCall, 'ordinal' | 'ifname'>): number {
  return ordinal > 0 ? ordinal : Number(/^net(\d{1,3})$/.exec(ifname)?.[1] ?? 0)
}

/** A table of the node is an administrator's to choose: routes in it come before the node's own. */
function refuseNodeKeys(grants: Grants, { origin, config, definition }: PluginCall): void {
  if (!(NODE_KEY in (config satisfies JsonObject)) || isTrusted(grants, origin)) return
  const who = definition === undefined ? 'the caller' : `network-attachment-definition ${definition}`
  throw cniError('request-refused', { who, field: NODE_KEY, reason: 'it is of the node' })
}

/** Whoever calls without our resolving is told what resolving refuses. */
function refuseOwnName(ifname: string): void {
  if (ifname !== POD_LINK) return
  const expected = `must not be ${POD_LINK}, which leads the pod to its node`
  throw cniError('environment-invalid', { name: 'CNI_IFNAME', value: ifname, expected })
}

function withMac(result: CniResult, { ifname }: PluginCallInside, mac: string): CniResult {
  const isOurs = ({ name, sandbox }: CniResult['interfaces'][number]): boolean =>
    name === ifname && sandbox !== undefined
  return { ...result, interfaces: result.interfaces.map((one) => (isOurs(one) ? { ...one, mac } : one)) }
}

function bare(text: string): Ip | undefined {
  return parseIp(text.split('/')[0] ?? '')
}
