/**
 * What routes, rules and neighbours a pod on the physical network gets, and its node for it: so that it reaches services,
 * overlay pods and its node by way of the node, everything else by its own interfaces, and that answers leave as
 * questions came. A function of what is there; what it asks for is the same once it is there.
 *
 * Source: Spiderpool's coordinator plugin, step by step, with its tables and priorities.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import type { NftTable } from '../../../linux/index.ts'
import {
  type Cidr,
  type Family,
  familyOf,
  hostCidr,
  type Ip,
  ipValue,
  type Mac,
} from '../../../network/model/address.ts'
import { MARK, POD_LINK, POD_NFT_TABLE, RETURN_TABLE, RULE_PRIORITY, TABLE_MAIN, tableOf } from './numbers.ts'
import {
  addressesOf,
  type CoordinationInput,
  type CoordinationPlan,
  DEFAULT_ROUTE,
  type Place,
  type PlannedNeighbour,
  type PlannedRoute,
  type PlannedRule,
} from './planned.ts'
import { tuned } from './tune.ts'

const NOTHING: CoordinationPlan = {
  mode: 'disabled',
  makesPair: false,
  pod: { sysctls: [], routes: [], removed: [], rules: [], neighbours: [] },
  host: { routes: [], rules: [], neighbours: [] },
}

/** Throws `config-invalid` for a mode or an interface that this pod cannot have. */
export function planCoordination(input: CoordinationInput): CoordinationPlan {
  const mode = modeOf(input)
  if (mode === 'disabled') return NOTHING
  const own = addressesOf(input.pod, input.ifname)
  const families = FAMILIES.filter((family) => own.some((address) => familyOf(address) === family))
  const place: Place = { ...input, mode, own, families, table: tableOf(input.ordinal) }
  const isFirst = input.ordinal === 0
  const ways = waysToNode(place)
  const tuning = isFirst ? NO_TUNING : tuned(place)
  const mac = macOf(place)
  return {
    mode,
    makesPair: isFirst,
    pod: {
      ...(mac === undefined ? {} : { mac }),
      ...(input.settings.txQueueLength > 0 ? { txQueueLength: input.settings.txQueueLength } : {}),
      sysctls: sysctls(place),
      routes: distinct([...ways, ...(isFirst ? returnRoutes(place) : []), ...policyRoutes(place), ...tuning.routes]),
      removed: tuning.removed,
      rules: [...(isFirst ? returnRules(place) : []), ...tuning.rules],
      neighbours: isFirst ? neighboursOfPod(place) : [],
      ...(isFirst ? { marks: MARKS } : {}),
    },
    host: hostPlan(place, mac),
  }
}

/** One route to each place by each link; the first counts. */
function distinct(routes: readonly PlannedRoute[]): readonly PlannedRoute[] {
  const key = ({ table, destination, link, gateway }: PlannedRoute): string =>
    [table, destination, link, gateway].join(' ')
  return [...new Map(routes.toReversed().map((route) => [key(route), route])).values()].toReversed()
}

const FAMILIES: readonly Family[] = [4, 6]
/** The interface whose addresses the node's own answers are for. */
const FIRST = 'eth0'
const NO_TUNING = { routes: [], removed: [], rules: [] } as const

/**
 * Connections that came by way of the node are marked as they come, and so are the packets that answer them: those of
 * clients whose address the node kept (externalTrafficPolicy: Local) would else leave by another interface.
 */
const MARKS: NftTable = {
  name: POD_NFT_TABLE,
  chains: [
    {
      name: 'receive',
      type: 'filter',
      hook: 'prerouting',
      priority: -150,
      rules: [[{ match: 'iifname', name: POD_LINK }, { match: 'ct state new' }, { set: 'ct mark', value: MARK }]],
    },
    {
      name: 'answer',
      type: 'route',
      hook: 'output',
      priority: -150,
      rules: [
        [
          { match: 'ct mark', value: MARK },
          { set: 'meta mark', from: 'ct mark' },
        ],
      ],
    },
  ],
}

function modeOf({ settings, ordinal, pod }: CoordinationInput): CoordinationPlan['mode'] {
  const hasPair = pod.links.has(POD_LINK)
  const { mode } = settings
  if (mode === 'auto') return ordinal === 0 || hasPair ? 'underlay' : 'overlay'
  if (mode === 'underlay' && ordinal > 0 && !hasPair) {
    throw cniError('config-invalid', {
      field: 'mode',
      expected: `underlay needs a first interface in mode underlay, which has made ${POD_LINK}`,
    })
  }
  if (mode === 'overlay' && (ordinal === 0 || hasPair))
    throw cniError('config-invalid', {
      field: 'mode',
      expected: 'overlay is for further interfaces of pods whose first is on an overlay network',
    })
  return mode
}

/** The node's own addresses, and behind the first of each family what is reached by way of it. */
function waysToNode(place: Place): readonly PlannedRoute[] {
  const { settings, host, families, ordinal, table, mode } = place
  const source = addressesOf(place.pod, FIRST).find((address) => familyOf(address) === 4)
  const reachable = host.addresses.filter((address) => families.includes(familyOf(address)))
  const ways = families.flatMap((family) => {
    const way = wayOf(place, family)
    if (way === undefined) return []
    const nodes = reachable.filter((address) => familyOf(address) === family)
    const behind = settings.hijack.filter((network) => familyOf(network) === family)
    return [
      ...nodes.map((address) => ({
        destination: hostCidr(address),
        ...(mode === 'underlay' || address === way.gateway ? { link: way.link } : way),
      })),
      ...behind
        .filter((network) => !reachable.some((address) => hostCidr(address) === network))
        .map((destination) => ({ destination, ...way })),
    ]
  })
  const inMain = (way: Omit<PlannedRoute, 'table'>): PlannedRoute => ({
    ...way,
    table: TABLE_MAIN,
    // Of several interfaces' addresses the node's answers come back to the first's.
    ...(source === undefined || familyOf(way.destination) === 6 ? {} : { source }),
  })
  // The main table is the same whichever interface of an overlay pod comes first to set it.
  const main = ordinal === 0 || mode === 'overlay' ? ways.map(inMain) : []
  const own = ordinal === 0 ? ways.filter(({ destination }) => isHost(destination, reachable)) : ways
  return [...main, ...own.map((way) => ({ ...way, table }))]
}

function isHost(destination: Cidr, addresses: readonly Ip[]): boolean {
  return addresses.some((address) => hostCidr(address) === destination)
}

type Way = Pick<PlannedRoute, 'link' | 'onlink'> & { readonly gateway: Ip }

/** By which link and gateway the node is reached: its first address, or the overlay's own way out. */
function wayOf(place: Place, family: Family): Way | undefined {
  if (place.mode === 'underlay') {
    const gateway = place.host.addresses.find((address) => familyOf(address) === family)
    return gateway === undefined ? undefined : { link: POD_LINK, gateway }
  }
  const way = place.pod.routes.find(
    (route) => route.link === FIRST && route.destination === DEFAULT_ROUTE[family] && route.gateway !== undefined,
  )
  if (way?.gateway === undefined) return undefined
  return { link: FIRST, gateway: way.gateway, ...(way.onlink ? { onlink: true } : {}) }
}

/** What came by way of the node goes back by its first address. */
function returnRoutes(place: Place): readonly PlannedRoute[] {
  return place.families.flatMap((family) => {
    const way = wayOf(place, family)
    return way === undefined ? [] : [{ table: RETURN_TABLE, destination: DEFAULT_ROUTE[family], ...way }]
  })
}

function returnRules({ families }: Place): readonly PlannedRule[] {
  return families.map((family) => ({ family, priority: RULE_PRIORITY, mark: MARK, table: RETURN_TABLE }))
}

function policyRoutes({ settings, ifname, ordinal, table, families }: Place): readonly PlannedRoute[] {
  return settings.policyRoutes
    .filter(({ destination, gateway }) => {
      const family = familyOf(destination)
      return families.includes(family) && familyOf(gateway) === family
    })
    .map((route) => ({ ...route, link: ifname, table: ordinal === 0 ? TABLE_MAIN : table }))
}

function neighboursOfPod({ host, families, pair }: Place): readonly PlannedNeighbour[] {
  return host.addresses
    .filter((address) => families.includes(familyOf(address)))
    .map((address) => ({ link: POD_LINK, address, mac: pair.macs.host }))
}

/** Two bytes of prefix, and the last four of the first address. */
function macOf({ settings, own }: Place): Mac | undefined {
  const [address] = [...own].sort((a, b) => familyOf(a) - familyOf(b))
  if (settings.macPrefix === '' || address === undefined) return undefined
  const tail = (ipValue(address) & 0xffff_ffffn).toString(16).padStart(8, '0')
  return `${settings.macPrefix}${tail.replace(/../g, ':$&')}` as Mac
}

/** The kernel takes the stricter of an interface's value and that of all. */
function sysctls({ settings, ifname, mode, ordinal, families }: Place): CoordinationPlan['pod']['sysctls'] {
  const links = mode === 'underlay' && ordinal === 0 ? [ifname, POD_LINK] : [ifname]
  return [
    ...(families.includes(6) ? links.map((link) => [['net', 'ipv6', 'conf', link, 'disable_ipv6'], '0'] as const) : []),
    ...(settings.podRpFilter < 0
      ? []
      : ['all', ...links].map(
          (link) => [['net', 'ipv4', 'conf', link, 'rp_filter'], String(settings.podRpFilter)] as const,
        )),
  ]
}

/** The node reaches the pod by the pair, whatever its own interfaces may do: a macvlan's parent does not reach it. */
function hostPlan(place: Place, mac: Mac | undefined): CoordinationPlan['host'] {
  const { mode, own, families, settings, pair, host, pod } = place
  const link = mode === 'underlay' ? pair.host : host.peer
  const near = mode === 'underlay' ? pair.macs.pod : (pod.links.get(FIRST)?.mac ?? mac)
  if (link === undefined || near === undefined) return NOTHING.host
  const table = settings.hostRuleTable
  return {
    rules: families.map((family) => ({ family, priority: RULE_PRIORITY, table })),
    routes: own.map((address) => ({ table, destination: hostCidr(address), link })),
    neighbours: own.map((address) => ({ link, address, mac: near })),
  }
}
