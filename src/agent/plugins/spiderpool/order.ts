/**
 * What an interface of a pod is to have claimed for it, and the claims that are made of that.
 * @module
 */
import type { FamilyChoice, PoolSource } from '../../../compat/spiderpool/selection/question.ts'
import { contains, type Ip, networkAround, prefixLength } from '../../../network/model/address.ts'
import type { AddressClaim, AddressPool, PodOwner, PoolRoute } from '../../../network/model/pool.ts'

/** An interface that is to have addresses. */
export interface ClaimOrder {
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  readonly ifname: string
  readonly containerId: string
  readonly node: string
  readonly owner?: PodOwner
  /** The next pod of this name is to have the same addresses. */
  readonly isSticky: boolean
  readonly source: PoolSource
  /** One address of each. Empty: those that it has. */
  readonly choices: readonly FamilyChoice[]
  readonly hasCleanGateway: boolean
  /** Routes that the pod asks for, by whichever interface can. */
  readonly routes: readonly PoolRoute[]
}

/** The claim on an address of a pool. */
export function claimFor(order: ClaimOrder, address: Ip, pool: AddressPool): AddressClaim {
  return claimOf(order, {
    address,
    prefix: prefixLength(pool.subnet),
    pool: pool.name,
    hasCleanGateway: order.hasCleanGateway,
    routes: pool.routes,
    ...(pool.gateway === undefined ? {} : { gateway: pool.gateway }),
  })
}

/** A claim that is there, as it is to be: what its pool says of the way out now, or said when it was taken. */
export function claimAgain(order: ClaimOrder, claim: AddressClaim, pool: AddressPool | undefined): AddressClaim {
  const isOfPool = pool !== undefined && pool.problem === undefined && contains(pool.subnet, claim.address)
  if (isOfPool && order.choices.length > 0) return claimFor(order, claim.address, pool)
  return claimOf({ ...order, routes: [] }, claim)
}

type Place = Pick<AddressClaim, 'address' | 'prefix' | 'pool' | 'hasCleanGateway' | 'routes' | 'gateway'>

function claimOf(order: ClaimOrder, { address, prefix, pool, hasCleanGateway, routes, gateway }: Place): AddressClaim {
  const { namespace, pod, podUid, ifname, containerId, node, owner, isSticky } = order
  return {
    address,
    prefix,
    pool,
    namespace,
    pod,
    podUid,
    ifname,
    containerId,
    node,
    ...(owner === undefined ? {} : { owner }),
    isSticky,
    ...(gateway === undefined ? {} : { gateway }),
    routes: withWishes(routes, order.routes, address, prefix),
    hasCleanGateway,
  }
}

/** A route that the pod asks for is of the interface whose subnet has the gateway. */
function withWishes(
  routes: readonly PoolRoute[],
  wishes: readonly PoolRoute[],
  address: Ip,
  prefix: number,
): readonly PoolRoute[] {
  const subnet = networkAround(address, prefix)
  const isThere = (wish: PoolRoute): boolean =>
    routes.some(({ destination, gateway }) => destination === wish.destination && gateway === wish.gateway)
  return [...routes, ...wishes.filter((wish) => contains(subnet, wish.gateway) && !isThere(wish))]
}

/** Whether a claim is this interface's: of this very pod, or kept for pods of its name. */
export function isClaimFor(order: ClaimOrder, claim: AddressClaim): boolean {
  if (claim.ifname !== order.ifname) return false
  if (claim.podUid === order.podUid) return true
  if (!order.isSticky || !claim.isSticky) return false
  const isSameOwner = claim.owner?.kind === order.owner?.kind && claim.owner?.name === order.owner?.name
  return isSameOwner && claim.namespace === order.namespace && claim.pod === order.pod
}
