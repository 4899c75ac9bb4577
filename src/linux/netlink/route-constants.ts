/** Numbers of linux/rtnetlink.h about routes. */

/** RTA_ attributes. */
export const Rta = {
  DST: 1,
  SRC: 2,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  METRICS: 8,
  MULTIPATH: 9,
  TABLE: 15,
  VIA: 18,
} as const

/** Inside RTA_METRICS. */
export const RTAX_MTU = 2
export const RTAX_ADVMSS = 8

/** RTNH_F_ flags of a next hop. */
export const NextHopFlag = { DEAD: 1, ONLINK: 4, LINKDOWN: 16 } as const

/** What a route does with a packet, by its kernel number. */
const routeTypes = [
  'unspecified',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const
export type RouteType = (typeof routeTypes)[number]

export function routeTypeNumber(type: RouteType): number {
  return routeTypes.indexOf(type)
}

export function routeTypeOf(number: number): RouteType {
  return routeTypes[number] ?? 'unspecified'
}
