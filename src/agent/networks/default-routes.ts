/**
 * Default routes of a pod with several networks: only one of them may have it.
 * @module
 */

import type { DefaultRoutes } from '../../compat/multus/default-route.ts'
import { linkFind, openRtnl, routeDel, routeList, routeReplace } from '../../linux/index.ts'
import { familyOf } from '../../network/model/address.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'

/** `RT_TABLE_MAIN`. */
const MAIN_TABLE = 254

/** Makes the default routes by a network's interface what the pod asked for; touches nothing where it asked for nothing. */
export function applyDefaultRoutes(
  { ifname, droppedDefaults, gateways }: DefaultRoutes & { readonly ifname: string },
  netns: PodNetns,
): void {
  if (droppedDefaults.length + gateways.length === 0) return
  using rtnl = openRtnl({ nsFd: netns.fd })
  const link = linkFind(rtnl, ifname)?.index
  if (link === undefined) return
  for (const { hops, ...route } of routeList(rtnl, { link, table: MAIN_TABLE })) {
    const isDropped = droppedDefaults.includes(route.destination.includes(':') ? 6 : 4)
    if (!isDropped || !route.destination.endsWith('/0')) continue
    // IPv6 makes one route of two interfaces' default routes: only the way by this one goes.
    const ways = (hops ?? [route]).filter((way) => way.link === link)
    for (const { gateway } of ways) {
      const { destination, table, priority } = route
      routeDel(rtnl, { destination, table, priority, link, ...(gateway === undefined ? {} : { gateway }) })
    }
  }
  for (const gateway of gateways) {
    routeReplace(rtnl, { destination: familyOf(gateway) === 4 ? '0.0.0.0/0' : '::/0', gateway, link })
  }
}
