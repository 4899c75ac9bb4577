/**
 * Which of a pod's interfaces has the default route, and how packets leave by the interface whose address they have.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { type Cidr, cidr, familyOf } from '../../../network/model/address.ts'
import type { RouteFact } from './facts.ts'
import { POD_LINK, PROTOCOL, RETURN_TABLE, TABLE_MAIN } from './numbers.ts'
import { addressesOf, DEFAULT_ROUTE, type Place, type PlannedRoute, type PlannedRule, sourceRules } from './planned.ts'

/** What of a pod's routes is to change. */
export interface Tuning {
  readonly routes: readonly PlannedRoute[]
  readonly removed: readonly RouteFact[]
  readonly rules: readonly PlannedRule[]
}

/**
 * A further interface: one of two moves into the interface's table, with a rule by its addresses: the interface itself, or, where
 * the default route is to be this one's, the interface that has it.
 */
export function tuned(place: Place): Tuning {
  const { settings, pod, ifname, table } = place
  const keeper = settings.tunePodRoutes ? keeperOf(place) : undefined
  if (keeper === undefined) return { routes: [], removed: [], rules: [] }
  const wanted = wantedOf(place)
  const mover = wanted === undefined || wanted === keeper ? ifname : keeper
  const moved = ownRoutes(place, mover)
  const stays = moved.filter(({ destination }) => !isDefault(destination))
  const defaults = moved.filter(({ destination }) => isDefault(destination))
  return {
    routes: [...defaults, ...stays].map((route) => planned(route, table)).concat(overlayReturn(place)),
    removed: defaults.filter((route) => route.table === TABLE_MAIN),
    rules: [...sourceRules(addressesOf(pod, mover), table), ...overlayRules(place)],
  }
}

const LINK_LOCAL = cidr('fe80::/64')
const MULTICAST = cidr('ff00::/8')
const FIRST = 'eth0'

/** The interface whose default route counts, other than this one. */
function keeperOf({ pod, ifname }: Place): string | undefined {
  const [first] = pod.routes
    .filter(({ table, destination }) => table === TABLE_MAIN && isDefault(destination))
    .filter(({ link }) => link !== ifname && link !== POD_LINK)
    .toSorted((a, b) => a.priority - b.priority)
  return first?.link
}

/** The interface that is to have it; undefined: whichever has. One that may come yet decides when it comes. */
function wantedOf({ settings, pod, ordinal }: Place): string | undefined {
  const name = settings.defaultRouteNic
  if (name === '' || pod.links.has(name)) return name === '' ? undefined : name
  const later = /^net(\d+)$/.exec(name)
  if (later !== null && Number(later[1]) > ordinal) return undefined
  throw cniError('config-invalid', {
    field: 'podDefaultRouteNIC',
    expected: `must be an interface of the pod, which has no ${name}`,
  })
}

/** Routes of an interface in the main table, and those that were moved or copied from there before. */
function ownRoutes({ mode, pod, table }: Place, link: string): readonly RouteFact[] {
  // An overlay's link leads to the node, too: those ways are in the table already.
  const isWay = (route: RouteFact): boolean => mode === 'overlay' && link === FIRST && route.protocol === PROTOCOL
  return pod.routes
    .filter((route) => route.link === link && (route.table === TABLE_MAIN || route.table === table))
    .filter((route) => route.destination !== LINK_LOCAL && route.destination !== MULTICAST)
    .filter((route) => isDefault(route.destination) || !isWay(route))
    .toSorted((a, b) => a.priority - b.priority)
}

function planned({ destination, link, gateway, source, onlink }: RouteFact, table: number): PlannedRoute {
  return {
    table,
    destination,
    link,
    ...(gateway === undefined ? {} : { gateway }),
    ...(onlink ? { onlink: true } : {}),
    ...(source === undefined || familyOf(destination) === 6 ? {} : { source }),
  }
}

/** The overlay's addresses keep their way out, whoever has the default route by then. */
function overlayReturn({ mode, pod }: Place): readonly PlannedRoute[] {
  if (mode !== 'overlay') return []
  return pod.routes
    .filter(({ link, destination, table }) => link === FIRST && isDefault(destination) && table !== RETURN_TABLE)
    .map((route) => planned(route, RETURN_TABLE))
}

function overlayRules({ mode, pod }: Place): readonly PlannedRule[] {
  return mode === 'overlay' ? sourceRules(addressesOf(pod, FIRST), RETURN_TABLE) : []
}

function isDefault(destination: Cidr): boolean {
  return destination === DEFAULT_ROUTE[4] || destination === DEFAULT_ROUTE[6]
}
