/**
 * Takes BIRD's routes to other nodes' pods out of the kernel, which keeps them when BIRD ends.
 * @module
 */
import { hasErrno, type Route, type RtnlSocket, routeDel, routeList } from '../../linux/index.ts'
import { WAY_METRIC } from '../../network/fabric/bgp/announce.ts'
import { LEAVE_TABLE, OUTSIDE_TABLE } from '../../network/fabric/direct.ts'

/** RTPROT_BIRD of linux/rtnetlink.h. */
const BIRD_PROTOCOL = 12

const TABLE_MAIN = 254

/**
 * The routes of our BIRD: those in the tables of ways to other nodes' pods and outside, which are ours alone, and in the main table
 * ways to peers, which have a metric of their own.
 */
export function birdRoutes(rtnl: RtnlSocket): readonly Route[] {
  return [LEAVE_TABLE, OUTSIDE_TABLE, TABLE_MAIN].flatMap((wanted) =>
    ([4, 6] as const).flatMap((family) =>
      routeList(rtnl, { family, table: wanted, protocol: BIRD_PROTOCOL }).filter(
        ({ table, protocol, priority }) =>
          table === wanted && protocol === BIRD_PROTOCOL && (wanted !== TABLE_MAIN || priority === WAY_METRIC),
      ),
    ),
  )
}

/** Removes them. */
export function withdrawRoutes(rtnl: RtnlSocket): void {
  for (const route of birdRoutes(rtnl)) withdrawRoute(rtnl, route)
}

/** Removes one. One that went meanwhile is gone. */
export function withdrawRoute(rtnl: RtnlSocket, { destination, table, protocol, priority }: Route): void {
  try {
    routeDel(rtnl, { destination, table, protocol, ...(priority === undefined ? {} : { priority }) })
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}
