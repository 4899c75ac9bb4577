/**
 * The routes of services by the host, in a table of their own: in the main one they would take the node's own packets for pods,
 * which have no VLAN and are lost behind the bridge.
 * @module
 */
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import { hasErrno, type RouteSpec, type RtnlSocket, routeDel, routeList, routeReplace } from '../../linux/index.ts'

/** The table of our routes; nobody else's is touched. */
export const TABLE = 5756
/** Who made our routes and rules (rtnetlink's protocol number). */
export const PROTOCOL = 87

/** Makes the table have the routes of a switch over a link, by its index. */
export function applyRoutes(
  rtnl: RtnlSocket,
  link: number,
  { gateway, subnet, cluster }: Required<Pick<SwitchRecord, 'gateway' | 'subnet' | 'cluster'>>,
): void {
  const routes: readonly RouteSpec[] = [
    { destination: `${gateway.address}/32`, scope: 'link' },
    { destination: subnet, scope: 'link' },
    ...cluster.map((destination) => ({ destination, gateway: gateway.address, onlink: true })),
  ]
  for (const route of routes) routeReplace(rtnl, { ...route, link, table: TABLE, protocol: PROTOCOL })
  const wanted = new Set(routes.map(({ destination }) => destination))
  removeRoutes(rtnl, (destination) => !wanted.has(destination))
}

/** Empties the table of what is ours. */
export function withdrawRoutes(rtnl: RtnlSocket): void {
  removeRoutes(rtnl, () => true)
}

function removeRoutes(rtnl: RtnlSocket, isUnwanted: (destination: string) => boolean): void {
  for (const { destination } of routeList(rtnl, { family: 4, table: TABLE, protocol: PROTOCOL })) {
    if (!isUnwanted(destination)) continue
    try {
      routeDel(rtnl, { destination, table: TABLE, protocol: PROTOCOL })
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error
    }
  }
}
