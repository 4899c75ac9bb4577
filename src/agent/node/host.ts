/**
 * Makes the node's own network stack what the plan says, and keeps what is right. Everything of ours is recognisable:
 * our link, our routing protocol number, our nftables table.
 * @module
 */
import {
  applyRuleset,
  linkFind,
  linkSet,
  neighReplace,
  openRtnl,
  type RouteFilter,
  type RtnlSocket,
  routeDel,
  routeList,
  routeReplace,
  sysctlGet,
  sysctlSet,
} from '../../linux/index.ts'
import { GATEWAY, type HostPlan, NEXT_HOP, NEXT_HOP_MAC, ROUTE_PROTOCOL } from '../../network/host.ts'
import { type Family, familyOf } from '../../network/model/address.ts'
import { AgentError } from '../errors.ts'
import { applyDirect } from './direct.ts'
import { setHostAddresses } from './host-addresses.ts'

/** Applies a host plan. The gateway port must exist. Throws what the kernel refuses. */
export async function applyHost(plan: HostPlan): Promise<void> {
  using rtnl = openRtnl()
  const link = linkFind(rtnl, GATEWAY)
  if (link === undefined) {
    throw new AgentError('AGENT_GATEWAY_MISSING', `link ${GATEWAY} is not there`, 'check the log of ovs-vswitchd')
  }
  const families = new Set(plan.addresses.map(familyOf))
  for (const [key, value] of plan.sysctls) setSysctl(key.split('.'), value)
  setHostAddresses(rtnl, link.index, plan.addresses)
  linkSet(rtnl, link.index, { up: true })
  for (const family of families) {
    neighReplace(rtnl, { link: link.index, address: NEXT_HOP[family], mac: NEXT_HOP_MAC })
    applyRoutes(rtnl, link.index, plan, family)
  }
  // The filter goes with the ways: what may arrive, and what may leave.
  await applyRuleset(plan.nftables)
  applyDirect(rtnl, plan.direct)
}

const TABLE_MAIN = 254

/** Behind every other route to the same range. */
const LAST_RESORT = 0x7fff_ffff

/** What leads to the switch comes before what ends here, and goes after it. */
function applyRoutes(rtnl: RtnlSocket, link: number, plan: HostPlan, family: Family): void {
  const wanted = plan.routes.filter(({ to }) => familyOf(to) === family)
  const ends = plan.blackholes.filter((range) => familyOf(range) === family)
  for (const { to, via, source } of wanted) {
    routeReplace(rtnl, { destination: to, gateway: via, link, onlink: true, source, protocol: ROUTE_PROTOCOL })
  }
  for (const destination of ends) {
    routeReplace(rtnl, { destination, type: 'blackhole', priority: LAST_RESORT, protocol: ROUTE_PROTOCOL })
  }
  for (const { destination, type, priority, link: by } of routeList(rtnl, OURS[family])) {
    // flanneld and the mesh have routes of this protocol, too, by links of their own.
    const isEnd = type === 'blackhole' && priority === LAST_RESORT
    if (!isEnd && by !== link) continue
    const isWanted = isEnd ? ends.some((range) => range === destination) : wanted.some(({ to }) => to === destination)
    const spec = { destination, type, priority, protocol: ROUTE_PROTOCOL }
    if (!isWanted) routeDel(rtnl, by === undefined ? spec : { ...spec, link: by })
  }
}

const OURS = {
  4: { family: 4, protocol: ROUTE_PROTOCOL, table: TABLE_MAIN },
  6: { family: 6, protocol: ROUTE_PROTOCOL, table: TABLE_MAIN },
} as const satisfies { readonly [F in Family]: RouteFilter }

function setSysctl(path: readonly string[], value: string): void {
  if (sysctlGet(path) !== value) sysctlSet(path, value)
}
