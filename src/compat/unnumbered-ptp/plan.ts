/**
 * A pod's leg to its node, beside its interface on the wire: which packets take which of the two, in the pod and on the node.
 * A function of the addresses that the pod and its node have.
 *
 * The pod sends to its node, and what only the node knows the way to, by the leg. What the node translates there for an endpoint on
 * the wire goes back into the pod, which sends it by its own interface and with its own address: so the answer comes to the pod, which
 * brings it back to the node to be translated. No packet leaves the node with a pod's address that the pod could send itself.
 * @module
 */
import type { ResultIp, ResultRoute } from '../../cni/index.ts'
import { ShapeError } from '../../cni/json.ts'
import {
  type Cidr,
  type Family,
  familyOf,
  hostCidr,
  type Ip,
  type Mac,
  networkAround,
  parseIp,
} from '../../network/model/address.ts'
import type { SysctlWish, WayNeighbour, WayRoute, WayRule, Ways } from '../../network/model/ways.ts'
import { BACK_HOP, BACK_SOURCE, LEG_ADDRESS } from '../../network/virtual-addresses.ts'
import type { PtpNetconf } from './netconf.ts'
import * as n from './numbers.ts'
import { nodeSysctls, podSysctls } from './sysctls.ts'
import { nodeTable, podTable } from './tables.ts'

/** What a leg is planned from. */
export interface LegInput {
  readonly netconf: PtpNetconf
  /** The pod's own interface. */
  readonly ifname: string
  /** What arrives for the pod passes the node's filter, and not the pod's own: ipvlan's mode l3s. */
  readonly isByNode: boolean
  /** Addresses of the pod's own interface. */
  readonly ips: readonly Pick<ResultIp, 'address' | 'gateway'>[]
  /** Routes by the pod's own interface. */
  readonly routes: readonly Pick<ResultRoute, 'dst' | 'gw'>[]
  /** Addresses of the node's link, the first of each family first. */
  readonly node: readonly Ip[]
  /** The node's end. */
  readonly link: string
  readonly macs: { readonly pod: Mac; readonly host: Mac }
  /** The leg's own table on the node. */
  readonly table: number
}

/** What is wanted on one side. */
export interface LegSide<Table> extends Ways {
  readonly sysctls: readonly SysctlWish[]
  readonly nftables: Table
}

/** What is wanted. */
export interface LegPlan {
  readonly pod: LegSide<ReturnType<typeof podTable>> & {
    /** Of the leg's end: of a link without an address the kernel takes IPv4 packets by the strictest reverse path filter alone. */
    readonly address?: Cidr
  }
  readonly node: LegSide<ReturnType<typeof nodeTable>> & {
    /** Of the leg's end, in IPv6. */
    readonly linkLocal?: Ip
  }
}

/** One family of a leg. */
interface Part {
  readonly family: Family
  /** The pod's, in their order: the first is what packets come from. */
  readonly own: readonly [Own, ...Own[]]
  readonly source: Ip
  readonly node: readonly [Ip, ...Ip[]]
  readonly gateway?: Ip
  /** By the pod's own interface. */
  readonly wire: readonly { readonly destination: Cidr; readonly gateway?: Ip; readonly source?: Ip }[]
}

interface Own {
  readonly address: Ip
  readonly network: Cidr
}

const FAMILIES: readonly Family[] = [4, 6]
const DEFAULT: { readonly [F in Family]: Cidr } = { 4: '0.0.0.0/0' as Cidr, 6: '::/0' as Cidr }

/**
 * Throws `ShapeError` where translation is asked for that would hide the pod, where the node's link has no address of a family that the pod has, or where the wire and the leg would
 * both be the way to everything.
 */
export function planLeg(input: LegInput): LegPlan {
  const { netconf, ifname } = input
  if (input.isByNode && netconf.ipMasq)
    throw new ShapeError('ipMasq', 'must be false with ipvlan in mode l3s: endpoints of services would not see the pod')
  const parts = FAMILIES.flatMap((family) => partOf(input, family) ?? [])
  if (parts.length === 0)
    throw new ShapeError('hostInterface', `must have an address of a family that ${ifname} of the pod has`)
  const families = parts.map(({ family }) => family)
  const source4 = parts.find(({ family }) => family === 4)?.source
  return {
    pod: {
      ...(source4 === undefined ? {} : { address: hostCidr(source4) }),
      sysctls: podSysctls(ifname, netconf.containerInterface, families),
      neighbours: parts.flatMap((part) => podNeighbours(input, part)),
      routes: parts.flatMap((part) => [...legRoutes(input, part), ...wireRoutes(input, part)]),
      rules: parts.flatMap((part) => podRules(input, part)),
      nftables: podTable(
        netconf.containerInterface,
        ifname,
        parts.map(({ source }) => source),
      ),
    },
    node: {
      ...(families.includes(6) ? { linkLocal: LEG_ADDRESS } : {}),
      sysctls: nodeSysctls(input.link, netconf.hostInterface, families),
      neighbours: parts.flatMap((part) => nodeNeighbours(input, part)),
      routes: parts.flatMap((part) => nodeRoutes(input, part)),
      rules: parts.flatMap((part) => nodeRules(input, part)),
      nftables: nodeTable(netconf.nodePortMark),
    },
  }
}

function partOf({ ips, routes, node, ifname, netconf }: LegInput, family: Family): Part | undefined {
  const all = ips.flatMap(({ address: text, gateway }) => {
    const [address, length] = text.split('/')
    const parsed = parseIp(address ?? '')
    if (parsed === undefined || familyOf(parsed) !== family) return []
    return [{ address: parsed, network: networkAround(parsed, Number(length)), gateway: parseIp(gateway ?? '') }]
  })
  const [first, ...others] = all
  const [nodeFirst, ...nodeOthers] = node.filter((address) => familyOf(address) === family)
  if (first === undefined || nodeFirst === undefined) return undefined
  const gateway = all.find((one) => one.gateway !== undefined)?.gateway
  const told = routes.flatMap(({ dst, gw }) => {
    const [address = '', length] = dst.split('/')
    const parsed = parseIp(address)
    if (parsed === undefined || familyOf(parsed) !== family) return []
    const by = parseIp(gw ?? '') ?? gateway
    return [{ destination: networkAround(parsed, Number(length)), ...(by === undefined ? {} : { gateway: by }) }]
  })
  const hasDefault = told.some(({ destination }) => destination === DEFAULT[family])
  if (hasDefault && netconf.byLeg === undefined)
    throw new ShapeError(
      'serviceCIDR',
      `must say what goes by way of the node: ${DEFAULT[family]} goes by ${ifname} already`,
    )
  return {
    family,
    own: [first, ...others],
    source: first.address,
    node: [nodeFirst, ...nodeOthers],
    ...(gateway === undefined ? {} : { gateway }),
    wire: [
      ...all.map(({ address, network }) => ({ destination: network, source: address })),
      ...told,
      ...(gateway === undefined || hasDefault ? [] : [{ destination: DEFAULT[family], gateway }]),
    ],
  }
}

/** In the pod: the node itself, what it alone knows the way to, and answers to what came by it. */
function legRoutes({ netconf: { containerInterface: link, byLeg } }: LegInput, part: Part): readonly WayRoute[] {
  const { family, source, node } = part
  const via = { link, gateway: node[0], onlink: true, source } as const
  const wanted = (byLeg ?? [DEFAULT[family]]).filter((network) => familyOf(network) === family)
  const nodes = node.map(hostCidr)
  return [
    ...nodes.map((destination) => ({ table: n.TABLE_MAIN, destination, link, source })),
    ...wanted
      .filter((destination) => !nodes.includes(destination))
      .map((destination) => ({ table: n.TABLE_MAIN, destination, ...via })),
    { table: n.TABLE_MAIN, destination: hostCidr(BACK_SOURCE[family]), link },
    { table: n.POD_TABLES.leg, destination: DEFAULT[family], ...via },
  ]
}

/** In the pod: what the node sends back, and answers to what came by the pod's own interface. */
function wireRoutes({ ifname: link }: LegInput, { wire }: Part): readonly WayRoute[] {
  return wire.map((route) => ({
    table: n.POD_TABLES.wire,
    link,
    ...route,
    ...(route.gateway === undefined ? {} : ({ onlink: true } as const)),
  }))
}

/** Between its two links a pod passes on what its node sends back and what answers that, and nothing else. */
function podRules({ ifname, netconf: { containerInterface: leg } }: LegInput, { family }: Part): readonly WayRule[] {
  const { answer, fromLeg, notFromLeg, back, notBack } = n.POD_PRIORITIES
  return [
    { family, priority: answer, mark: n.POD_MARKS.leg, table: n.POD_TABLES.leg },
    { family, priority: answer, mark: n.POD_MARKS.wire, table: n.POD_TABLES.wire },
    { family, priority: fromLeg, inputLink: leg, table: n.POD_TABLES.wire },
    { family, priority: notFromLeg, inputLink: leg },
    { family, priority: back, inputLink: ifname, to: hostCidr(BACK_SOURCE[family]), table: n.TABLE_MAIN },
    { family, priority: notBack, inputLink: ifname },
  ]
}

/** Nobody is asked on a leg: where a node answers ARP for no other link's addresses (kube-proxy's IPVS), it works as well. */
function podNeighbours({ netconf, macs }: LegInput, { family, node }: Part): readonly WayNeighbour[] {
  return [...node, BACK_SOURCE[family]].map((address) => ({
    link: netconf.containerInterface,
    address,
    mac: macs.host,
  }))
}

function nodeNeighbours({ link, macs }: LegInput, { family, own }: Part): readonly WayNeighbour[] {
  return [...own.map(({ address }) => address), BACK_HOP[family]].map((address) => ({ link, address, mac: macs.pod }))
}

/** To the pod, and back into it for what its own interface carries: all but what the node itself is to translate. */
function nodeRoutes({ link, table, netconf, isByNode }: LegInput, part: Part): readonly WayRoute[] {
  const { family, own, node, wire } = part
  const back = isByNode ? [] : wire.filter(({ destination }) => destination !== DEFAULT[family] || !netconf.ipMasq)
  return [
    ...own.map(({ address }) => ({ table: n.PODS_TABLE, destination: hostCidr(address), link, source: node[0] })),
    ...back.map(({ destination }) => ({ table, destination, link, gateway: BACK_HOP[family], onlink: true as const })),
  ]
}

/**
 * Pods before everything, answers as the questions came; then, of what comes by the leg: back for networks that the wire is known to
 * carry, the node's own other networks, back by the wire's gateway.
 */
function nodeRules(
  { link, table, isByNode, netconf: { nodePortMark: mark } }: LegInput,
  { family }: Part,
): readonly WayRule[] {
  const leg = { family, inputLink: link }
  const shared = [
    { family, priority: n.PODS_PRIORITY, table: n.PODS_TABLE },
    { family, priority: n.ANSWER_PRIORITY, mark, mask: mark, table: n.TABLE_MAIN },
  ]
  // The answer passes the node by itself, and is translated on its way into the pod.
  if (isByNode) return shared
  return [
    ...shared,
    { ...leg, priority: n.LEG_PRIORITY, table, suppressPrefixLength: 0 },
    { ...leg, priority: n.LEG_PRIORITY + 1, table: n.TABLE_MAIN, suppressPrefixLength: 0 },
    { ...leg, priority: n.LEG_PRIORITY + 2, table },
  ]
}
