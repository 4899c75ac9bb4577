/**
 * A route as the kernel tells it (RTM_NEWROUTE), decoded.
 * @module
 */
import { formatIp } from '../ip.ts'
import { AF_INET6 } from '../sockaddr.ts'
import { type Attributes, type Defined, headerView, present, readAttributes } from './reader.ts'
import type { NextHop } from './route.ts'
import { NextHopFlag, type RouteType, RTAX_MTU, Rta, routeTypeOf } from './route-constants.ts'
import { type Scope, scopeOf } from './scope.ts'

/** The words are those of RouteSpec; `flags` are RTNH_F_ and RTM_F_ bits. */
export type Route = Defined<{
  readonly family: 4 | 6
  readonly destination: string
  readonly type: RouteType
  readonly table: number
  readonly protocol: number
  readonly priority: number
  readonly scope: Scope
  readonly onlink: boolean
  readonly flags: number
  readonly gateway: string | undefined
  readonly link: number | undefined
  readonly source: string | undefined
  readonly mtu: number | undefined
  readonly hops: readonly NextHop[] | undefined
}>

/** Decodes the body of RTM_NEWROUTE or RTM_DELROUTE. */
export function decodeRoute(body: Uint8Array): Route {
  const view = headerView(body, 12, 'rtmsg')
  const attributes = readAttributes(body, 12)
  const family = view.getUint8(0) === AF_INET6 ? 6 : 4
  const flags = view.getUint32(8, true)
  const source = attributes.raw(Rta.PREFSRC)
  const hops = attributes.raw(Rta.MULTIPATH)
  return present({
    family: family === 6 ? (6 as const) : (4 as const),
    destination: `${formatIp(attributes.raw(Rta.DST) ?? new Uint8Array(family === 6 ? 16 : 4))}/${view.getUint8(1)}`,
    type: routeTypeOf(view.getUint8(7)),
    table: attributes.u32(Rta.TABLE) ?? view.getUint8(4),
    protocol: view.getUint8(5),
    priority: attributes.u32(Rta.PRIORITY) ?? 0,
    scope: scopeOf(view.getUint8(6)),
    onlink: (flags & NextHopFlag.ONLINK) !== 0,
    flags,
    gateway: gatewayOf(attributes),
    link: attributes.u32(Rta.OIF),
    source: source === undefined ? undefined : formatIp(source),
    mtu: attributes.nested(Rta.METRICS)?.u32(RTAX_MTU),
    hops: hops === undefined ? undefined : decodeHops(hops),
  })
}

function gatewayOf(attributes: Attributes): string | undefined {
  const plain = attributes.raw(Rta.GATEWAY)
  if (plain !== undefined) return formatIp(plain)
  const via = attributes.raw(Rta.VIA)
  return via === undefined ? undefined : formatIp(via.subarray(2))
}

/** struct rtnexthop: length (16 bits), flags, weight less one, link, then attributes. */
function decodeHops(bytes: Uint8Array): readonly NextHop[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const hops: NextHop[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint16(at, true)
    if (length < 8 || at + length > bytes.length) break
    hops.push(
      present({
        gateway: gatewayOf(readAttributes(bytes.subarray(at, at + length), 8)),
        link: view.getInt32(at + 4, true),
        onlink: (view.getUint8(at + 2) & NextHopFlag.ONLINK) !== 0,
        weight: view.getUint8(at + 3) + 1,
      }),
    )
    at += (length + 3) & ~3
  }
  return hops
}
