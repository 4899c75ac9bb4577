/**
 * Logical routers, what joins them to switches, and their routes.
 * @module
 */
import { type Cidr, type Ip, type Mac, parseIp } from '../../network/model/address.ts'
import { byName, byUuid, named, type Operation } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { ambiguous, nameTaken, OvnError } from '../errors.ts'
import { joinNames, macOf } from '../names.ts'
import { nb } from '../northbound.ts'
import { isNeutrons, isOurs, marks } from '../owner.ts'
import { read, rowsOf, settle } from '../settle.ts'
import { type Found, stays } from './switches.ts'

/**
 * Makes a router, or finds the one of ours with this name; with `orTheirs` also somebody else's, to be joined as it is.
 * Throws OVN_NAME_TAKEN, OVN_AMBIGUOUS.
 */
export async function ensureRouter(
  nbd: Northbound,
  name: string,
  { orTheirs = false }: { readonly orTheirs?: boolean } = {},
): Promise<Found> {
  const ids = marks(nbd.cluster, 'router')
  return settle(nbd, `making the router ${name}`, async () => {
    const { found } = await read(nbd, { found: rowsOf('Logical_Router', byName(name), ['name', 'external_ids']) })
    if (found.length > 1) throw ambiguous('Logical_Router', name, found.length)
    const [row] = found
    if (row === undefined) {
      const absent = nb.wait('Logical_Router', byName(name), ['name'], '==', [])
      return { write: [absent, nb.insert('Logical_Router', { name, external_ids: ids })] }
    }
    if (!isOurs(row, nbd.cluster) && !orTheirs) throw nameTaken('Logical_Router', name)
    return { done: { uuid: row.uuid, name } }
  })
}

/** Removes a router of ours, and the ends in switches that lead to it. None is fine. Throws OVN_NAME_TAKEN. */
export async function removeRouter(nbd: Northbound, name: string): Promise<void> {
  return settle(nbd, `removing the router ${name}`, async () => {
    const { found } = await read(nbd, {
      found: rowsOf('Logical_Router', byName(name), ['name', 'ports', 'external_ids']),
    })
    if (found.length > 1) throw ambiguous('Logical_Router', name, found.length)
    const [row] = found
    if (row === undefined) return { done: undefined }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Logical_Router', name)
    return { write: await routerRemoval(nbd, row) }
  })
}

/** The operations that remove a router of ours as it was read. */
export async function routerRemoval(
  nbd: Northbound,
  row: Found & { readonly ports: readonly string[] },
): Promise<readonly Operation[]> {
  return [
    nb.wait('Logical_Router', byUuid(row.uuid), ['ports'], '==', [{ ports: row.ports }]),
    ...(await leaveSwitches(nbd, row.ports)),
    nb.deleteRows('Logical_Router', byUuid(row.uuid)),
  ]
}

/** A switch's way to a router. */
export interface JoinWish {
  readonly router: string
  readonly switch: string
  /** The router's addresses in the switch, with the length of its subnet: `10.244.1.1/24`. Those that pods have as gateway. */
  readonly gateways: readonly string[]
  /** Absent: one that follows from the first gateway. */
  readonly mac?: Mac
}

/**
 * Joins a switch to a router. Either may be somebody else's, by agreement; only the two ends are ours. A router of Neutron's
 * is refused: its synchronisation removes ports that it does not know. Throws OVN_NO_SWITCH, OVN_NO_ROUTER,
 * OVN_NEUTRONS_ROUTER, OVN_NAME_TAKEN, OVN_AMBIGUOUS.
 */
export async function ensureJoin(nbd: Northbound, wish: JoinWish): Promise<void> {
  const { routerEnd, switchEnd } = joinNames(wish.router, wish.switch)
  const mac = wish.mac ?? macOf(gatewayOf(wish))
  const ids = marks(nbd.cluster, 'join')
  return settle(nbd, `joining the switch ${wish.switch} to the router ${wish.router}`, async () => {
    const { routers, switches, routerEnds, switchEnds } = await read(nbd, {
      routers: rowsOf('Logical_Router', byName(wish.router), ['name', 'ports', 'external_ids']),
      switches: rowsOf('Logical_Switch', byName(wish.switch), ['name', 'ports', 'external_ids']),
      routerEnds: rowsOf('Logical_Router_Port', byName(routerEnd), ['name', 'mac', 'networks', 'external_ids']),
      switchEnds: rowsOf('Logical_Switch_Port', byName(switchEnd), ['name', 'external_ids']),
    })
    const router = only(routers, 'Logical_Router', wish.router)
    const lswitch = only(switches, 'Logical_Switch', wish.switch)
    if (isNeutrons(router)) throw neutronsRouter(wish.router)
    const write: Operation[] = []
    const [there] = routerEnds
    if (there === undefined) {
      const row = { name: routerEnd, mac, networks: wish.gateways, external_ids: ids }
      write.push(
        nb.insert('Logical_Router_Port', row, 'routerEnd'),
        nb.mutate('Logical_Router', byUuid(router.uuid), [['ports', 'insert', [named('routerEnd')]]]),
      )
    } else {
      if (!isOurs(there, nbd.cluster)) throw nameTaken('Logical_Router_Port', routerEnd)
      if (there.mac !== mac || !sameSet(there.networks, wish.gateways)) {
        write.push(nb.update('Logical_Router_Port', byUuid(there.uuid), { mac, networks: wish.gateways }))
      }
    }
    const [end] = switchEnds
    if (end !== undefined && !isOurs(end, nbd.cluster)) throw nameTaken('Logical_Switch_Port', switchEnd)
    if (end === undefined) {
      const options = { 'router-port': routerEnd }
      const row = { name: switchEnd, type: 'router', addresses: ['router'], options, external_ids: ids }
      write.push(
        nb.insert('Logical_Switch_Port', row, 'switchEnd'),
        nb.mutate('Logical_Switch', byUuid(lswitch.uuid), [['ports', 'insert', [named('switchEnd')]]]),
      )
    }
    if (write.length === 0) return { done: undefined }
    return { write: [stays('Logical_Router', router), stays('Logical_Switch', lswitch), ...write] }
  })
}

/** A route of a router. */
export interface RouteWish {
  readonly router: string
  /** `0.0.0.0/0` or `::/0` for the default. */
  readonly prefix: Cidr
  readonly nexthop: Ip
}

/**
 * Has a router send a prefix to a next hop; a route of ours for the same prefix changes. Throws OVN_NO_ROUTER,
 * OVN_NEUTRONS_ROUTER, OVN_AMBIGUOUS.
 */
export async function ensureRoute(nbd: Northbound, { router: name, prefix, nexthop }: RouteWish): Promise<void> {
  return settle(nbd, `routing ${prefix} in ${name}`, async () => {
    const { router, ours } = await routesOf(nbd, name, prefix)
    if (ours.length === 1 && ours[0]?.nexthop === nexthop) return { done: undefined }
    const row = { ip_prefix: prefix, nexthop, external_ids: marks(nbd.cluster, 'route') }
    return {
      write: [
        sameRoutes(router),
        nb.insert('Logical_Router_Static_Route', row, 'route'),
        ...(ours.length === 0 ? [] : [withoutRoutes(router.uuid, ours)]),
        nb.mutate('Logical_Router', byUuid(router.uuid), [['static_routes', 'insert', [named('route')]]]),
      ],
    }
  })
}

/** Takes our route of a prefix out of a router. None is fine. Throws as {@link ensureRoute} does. */
export async function removeRoute(
  nbd: Northbound,
  { router: name, prefix }: Omit<RouteWish, 'nexthop'>,
): Promise<void> {
  return settle(nbd, `removing the route ${prefix} from ${name}`, async () => {
    const { router, ours } = await routesOf(nbd, name, prefix)
    if (ours.length === 0) return { done: undefined }
    return { write: [sameRoutes(router), withoutRoutes(router.uuid, ours)] }
  })
}

/** The one row of a name. Throws OVN_NO_SWITCH or OVN_NO_ROUTER, and OVN_AMBIGUOUS. */
export function only<R>(rows: readonly R[], table: 'Logical_Switch' | 'Logical_Router', name: string): R {
  if (rows.length > 1) throw ambiguous(table, name, rows.length)
  const [row] = rows
  if (row !== undefined) return row
  const [code, what] =
    table === 'Logical_Switch' ? (['OVN_NO_SWITCH', 'switch'] as const) : (['OVN_NO_ROUTER', 'router'] as const)
  throw new OvnError(code, `there is no logical ${what} ${name}`, 'make it first, or correct its name (ovn-nbctl show)')
}

/** Whether two lists have the same members. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const members = new Set(a)
  return members.size === new Set(b).size && b.every((one) => members.has(one))
}

/** The operations that take ports of ours, which lead to these of a router, out of their switches. */
async function leaveSwitches(nbd: Northbound, routerPorts: readonly string[]): Promise<readonly Operation[]> {
  const names = new Set<string>()
  for (const uuid of routerPorts) {
    const { own } = await read(nbd, { own: rowsOf('Logical_Router_Port', byUuid(uuid), ['name']) })
    for (const { name } of own) names.add(name)
  }
  const { ends } = await read(nbd, {
    ends: rowsOf('Logical_Switch_Port', [['type', '==', 'router']], ['options', 'external_ids']),
  })
  const leading = ends.filter((end) => isOurs(end, nbd.cluster) && names.has(end.options.get('router-port') ?? ''))
  const operations: Operation[] = []
  for (const { uuid } of leading) {
    const { switches } = await read(nbd, { switches: rowsOf('Logical_Switch', [['ports', 'includes', [uuid]]], []) })
    for (const { uuid: lswitch } of switches) {
      operations.push(nb.mutate('Logical_Switch', byUuid(lswitch), [['ports', 'delete', [uuid]]]))
    }
  }
  return operations
}

async function routesOf(nbd: Northbound, name: string, prefix: Cidr) {
  const { routers } = await read(nbd, {
    routers: rowsOf('Logical_Router', byName(name), ['name', 'static_routes', 'external_ids']),
  })
  const router = only(routers, 'Logical_Router', name)
  if (isNeutrons(router)) throw neutronsRouter(name)
  const { routes } = await read(nbd, {
    routes: rowsOf(
      'Logical_Router_Static_Route',
      [['ip_prefix', '==', prefix]],
      ['ip_prefix', 'nexthop', 'external_ids'],
    ),
  })
  const ours = routes.filter((route) => isOurs(route, nbd.cluster) && router.static_routes.includes(route.uuid))
  return { router, ours }
}

function sameRoutes({ uuid, static_routes }: { readonly uuid: string; readonly static_routes: readonly string[] }) {
  return nb.wait('Logical_Router', byUuid(uuid), ['static_routes'], '==', [{ static_routes }])
}

function withoutRoutes(router: string, routes: readonly { readonly uuid: string }[]): Operation {
  const uuids = routes.map(({ uuid }) => uuid)
  return nb.mutate('Logical_Router', byUuid(router), [['static_routes', 'delete', uuids]])
}

function gatewayOf({ gateways, switch: name }: JoinWish): Ip {
  const address = parseIp(gateways[0]?.split('/')[0] ?? '')
  if (address !== undefined) return address
  const remedy = 'name an address with the length of its subnet, such as 10.244.1.1/24'
  throw new OvnError('OVN_BAD_REQUEST', `the router has no address in the switch ${name}`, remedy)
}

function neutronsRouter(name: string): OvnError {
  return new OvnError(
    'OVN_NEUTRONS_ROUTER',
    `the router ${name} is Neutron's, whose synchronisation removes ports and routes that are not its own`,
    'have OpenStack join it (openstack router add port), or use a router of your own',
  )
}
