/**
 * Which of a pod's networks has its default routes.
 * @module
 */
import type { CniResult, ResultRoute } from '../../cni/result.ts'
import { type Family, familyOf, type Ip } from '../../network/model/address.ts'
import { refusedAt } from './errors.ts'
import type { NetworkSelection } from './selection.ts'

/** What becomes of the default routes that a network's plugins made. */
export interface DefaultRoutes {
  /** Families whose default routes by this network are removed after its ADD. */
  readonly droppedDefaults: readonly Family[]
  /** Gateways of default routes that are then added by its interface. */
  readonly gateways: readonly Ip[]
}

const BOTH: readonly Family[] = [4, 6]
/** The kernel's main table; routes of other tables are not the pod's default. */
const MAIN_TABLE = 254

/**
 * The default routes of each of a pod's networks, in their order; undefined stands for one that asks for nothing. A
 * gateway that is asked for takes its family from all networks; an empty list takes both families and keeps what its own
 * plugins made. Throws `annotation-invalid` where a family is taken twice.
 */
export function defaultRoutesOf(selections: readonly (NetworkSelection | undefined)[]): readonly DefaultRoutes[] {
  const owner = new Map<Family, number>()
  for (const [index, selection] of selections.entries()) {
    for (const family of takenBy(selection)) {
      if (selection !== undefined && owner.has(family)) {
        throw refusedAt(selection.place, 'default-route', 'multus does not support ECMP for default-route')
      }
      owner.set(family, index)
    }
  }
  return selections.map((selection, index) => {
    const gateways = selection?.defaultRoute ?? []
    const isKept = (family: Family): boolean =>
      owner.get(family) === index && !gateways.some((gateway) => familyOf(gateway) === family)
    return { droppedDefaults: BOTH.filter((family) => owner.has(family) && !isKept(family)), gateways }
  })
}

/** One entry for each gateway, so that two of one family are seen. */
function takenBy(selection: NetworkSelection | undefined): readonly Family[] {
  const gateways = selection?.defaultRoute
  if (gateways === undefined) return []
  return gateways.length === 0 ? BOTH : gateways.map(familyOf)
}

/** The result as it is after the default routes of these families are gone. */
export function dropDefaultRoutes(result: CniResult, families: readonly Family[]): CniResult {
  const isDropped = (route: ResultRoute): boolean => isDefaultRoute(route) && families.includes(familyOfRoute(route))
  return { ...result, routes: result.routes.filter((route) => !isDropped(route)) }
}

/** The result as it is once a network's default routes are as {@link DefaultRoutes} says. */
export function withDefaultRoutes(result: CniResult, { droppedDefaults, gateways }: DefaultRoutes): CniResult {
  const dropped = dropDefaultRoutes(result, droppedDefaults)
  const added = gateways.map((gw) => ({ dst: familyOf(gw) === 4 ? '0.0.0.0/0' : '::/0', gw }))
  return { ...dropped, routes: [...dropped.routes, ...added] }
}

/** Whether it is a default route of the main table. */
export function isDefaultRoute({ dst, table }: ResultRoute): boolean {
  return dst.endsWith('/0') && (table === undefined || table === 0 || table === MAIN_TABLE)
}

function familyOfRoute({ dst }: ResultRoute): Family {
  return dst.includes(':') ? 6 : 4
}
