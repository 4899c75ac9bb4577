/**
 * Makes the node's routes for packets between pods of different nodes what the plan says: tables of their own, the rules that
 * lead there, the next hop behind the switch's port. All of it is recognisable by our routing protocol number.
 * @module
 */
import {
  hasErrno,
  linkFind,
  linkList,
  linkSet,
  neighReplace,
  type Route,
  type RtnlSocket,
  type Rule,
  type RuleSpec,
  routeDel,
  routeList,
  routeReplace,
  ruleAdd,
  ruleDel,
  ruleList,
} from '../../linux/index.ts'
import {
  ARRIVE_TABLE,
  DIRECT,
  type DirectPlan,
  type DirectRule,
  LEAVE_TABLE,
  OUTSIDE_TABLE,
  RULE_PRIORITIES,
  SERVICES_TABLE,
} from '../../network/fabric/direct.ts'
import { GATEWAY, NEXT_HOP, NEXT_HOP_MAC, OUTSIDE_HOP, OUTSIDE_HOP_MAC, ROUTE_PROTOCOL } from '../../network/host.ts'
import { familyOf } from '../../network/model/address.ts'
import { AgentError } from '../errors.ts'
import { setHostAddresses } from './host-addresses.ts'

type WantedRoute = { readonly destination: string; readonly table: number } & (
  | { readonly gateway: string; readonly link: number; readonly onlink: boolean }
  /** As if the table had none. */
  | { readonly type: 'throw' }
)

/**
 * Applies a plan; none takes all of it away. What leads in comes before what leads there, and goes after it. What stands is left
 * alone: one machine that comes is one route, however many there are. Throws what the kernel refuses, and AGENT_DIRECT_MISSING
 * without the switch's port.
 */
export function applyDirect(rtnl: RtnlSocket, plan: DirectPlan | undefined): void {
  const wanted = new Map((plan === undefined ? [] : routesOf(rtnl, plan)).map((route) => [keyOf(route), route]))
  const present = ownRoutes(rtnl)
  const standing = new Set(present.filter((route) => stands(route, wanted.get(keyOf(route)))).map(keyOf))
  for (const [key, route] of wanted) if (!standing.has(key)) routeReplace(rtnl, { ...route, protocol: ROUTE_PROTOCOL })
  applyRules(rtnl, plan?.rules ?? [])
  for (const route of present) if (!wanted.has(keyOf(route))) gone(() => routeDel(rtnl, route))
}

function keyOf({ table, destination }: Pick<WantedRoute, 'table' | 'destination'>): string {
  return `${table} ${destination}`
}

function stands(present: Route, wanted: WantedRoute | undefined): boolean {
  if (wanted === undefined) return false
  if ('type' in wanted) return present.type === wanted.type
  if (present.type !== 'unicast') return false
  const { gateway, link, onlink } = present
  return gateway === wanted.gateway && link === wanted.link && onlink === wanted.onlink
}

function routesOf(rtnl: RtnlSocket, plan: DirectPlan): readonly WantedRoute[] {
  const port = linkFind(rtnl, DIRECT)
  if (port === undefined) {
    throw new AgentError('AGENT_DIRECT_MISSING', `link ${DIRECT} is not there`, 'check the log of ovs-vswitchd')
  }
  linkSet(rtnl, port.index, { up: true })
  setHostAddresses(
    rtnl,
    port.index,
    plan.own.map(({ gateway }) => gateway),
  )
  const arriving = plan.own.map(({ family, range: destination }): WantedRoute => {
    const gateway = NEXT_HOP[family]
    neighReplace(rtnl, { link: port.index, address: gateway, mac: NEXT_HOP_MAC })
    return { destination, table: ARRIVE_TABLE, gateway, link: port.index, onlink: true }
  })
  const links = new Map(linkList(rtnl).map(({ name, index }) => [name, index]))
  const leaving = plan.routes.flatMap(({ to, via, link }): WantedRoute[] => {
    const index = links.get(link)
    // The link went a moment ago: whoever watches links plans anew.
    if (index === undefined) return []
    return [{ destination: to, table: LEAVE_TABLE, gateway: via, link: index, onlink: false }]
  })
  const inside = plan.inside.map((destination): WantedRoute => ({ destination, table: OUTSIDE_TABLE, type: 'throw' }))
  return [...arriving, ...leaving, ...inside, ...callingRoutes(rtnl, plan)]
}

/** By the gateway port, to an address of its own there: the switch has to know that it is not the node that calls. */
function callingRoutes(rtnl: RtnlSocket, { services }: DirectPlan): readonly WantedRoute[] {
  const gateway = services.length === 0 ? undefined : linkFind(rtnl, GATEWAY)
  if (gateway === undefined) return []
  return services.map((destination) => {
    const hop = OUTSIDE_HOP[familyOf(destination)]
    neighReplace(rtnl, { link: gateway.index, address: hop, mac: OUTSIDE_HOP_MAC })
    return { destination, table: SERVICES_TABLE, gateway: hop, link: gateway.index, onlink: true }
  })
}

function ownRoutes(rtnl: RtnlSocket): readonly Route[] {
  return [LEAVE_TABLE, ARRIVE_TABLE, OUTSIDE_TABLE, SERVICES_TABLE].flatMap((table) =>
    ([4, 6] as const).flatMap((family) =>
      routeList(rtnl, { family, table, protocol: ROUTE_PROTOCOL }).filter(
        (route) => route.table === table && route.protocol === ROUTE_PROTOCOL,
      ),
    ),
  )
}

function applyRules(rtnl: RtnlSocket, rules: readonly DirectRule[]): void {
  const present = ruleList(rtnl).filter(isOurs)
  const wanted = rules.map((rule): RuleSpec => ({ table: TABLE_MAIN, ...rule, protocol: ROUTE_PROTOCOL }))
  for (const rule of wanted) if (!present.some((one) => isSame(one, rule))) ruleAdd(rtnl, rule)
  for (const rule of present) if (!wanted.some((one) => isSame(rule, one))) gone(() => ruleDel(rtnl, rule))
}

const TABLE_MAIN = 254

function isOurs({ protocol, priority }: Rule): boolean {
  return protocol === ROUTE_PROTOCOL && priority >= RULE_PRIORITIES.from && priority < RULE_PRIORITIES.to
}

function isSame(a: Rule, b: RuleSpec): boolean {
  const same = a.family === b.family && a.priority === b.priority && a.table === b.table
  return same && a.inputLink === b.inputLink && a.from === b.from && a.to === b.to
}

/** What somebody else removed is removed. */
function gone(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EAFNOSUPPORT'].some((name) => hasErrno(error, name))) throw error
  }
}
